/* madvise(2) of every kind on every kind of area; membarrier(2), cachestat(2). */
#include "../check.h"

#define PAGE 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)
#define NR_membarrier 324
#define NR_cachestat 451

static void advise(const char *what, char *p, unsigned long size)
{
	/* Without those that a host may or may not have (KSM, huge pages), and what breaks memory. */
	static const int advice[] = {0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 102, 103, 104, -1};

	say("%s:", what);
	for (unsigned i = 0; i < sizeof(advice) / sizeof(*advice); i++)
		say(" %d=%s", advice[i], madvise(p, size, advice[i]) ? errno_name(errno) : "ok");
	say("\n");
}

static void barriers(void)
{
	static const int commands[] = {512, 8, 16, 8, 512, 1, 2, 4, 512, 32, 64, 32, 1 << 10, 3, 512};

	for (unsigned i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		long r = syscall(NR_membarrier, commands[i], 0, 0);

		say(" %d=%ld%s", commands[i], r, r == -1 ? errno_name(errno) : "");
	}
	R(syscall(NR_membarrier, 8, 1, 0));
	R(syscall(NR_membarrier, 0, 1, 0));
	R(syscall(NR_membarrier, 0, 0, 0) & 0x7f);
}

static unsigned long counts[5];
static struct {
	unsigned long at, length;
} range;

static long cached(int fd, unsigned long at, unsigned long length)
{
	range.at = at;
	range.length = length;
	return syscall(NR_cachestat, fd, &range, counts, 0) ? -errno : (long)counts[0];
}

static void cache(void)
{
	int fd = MUST(memfd_create("m", 0)), ends[2];

	MUST(ftruncate(fd, 16 * PAGE));
	R(cached(fd, 0, 0));
	MUST(pwrite(fd, "x", 1, 3 * PAGE));
	MUST(pwrite(fd, "x", 1, 5 * PAGE - 1));
	R(cached(fd, 0, 0));
	R(cached(fd, 4 * PAGE, 0));
	R(cached(fd, 4 * PAGE, 1));
	R(cached(fd, 0, 4 * PAGE));
	R(cached(fd, 0, 4 * PAGE + 1));
	char *p = mmap(NULL, 16 * PAGE, RW, MAP_SHARED, fd, 0);
	R(cached(fd, 0, 0));
	p[10 * PAGE] = 1;
	R(cached(fd, 0, 0));
	R(cached(fd, 1 << 20, 1 << 20));
	MUST(ftruncate(fd, 1l << 40));
	R(cached(fd, 0, 0));
	R(cached(fd, 6 * PAGE, 0));
	R(cached(fd, 1l << 30, 1l << 39));
	R(madvise(p, 16 * PAGE, MADV_REMOVE));
	R(cached(fd, 0, 0));
	MUST(pipe(ends));
	R(cached(ends[0], 0, 0));
	R(cached(99, 0, 0));
	R(cached(open("/dev/zero", O_RDONLY), 0, 0));
	R(syscall(NR_cachestat, fd, &range, counts, 1));
	R(syscall(NR_cachestat, fd, NULL, counts, 0));
	R(syscall(NR_cachestat, fd, &range, NULL, 0));
}

int main(void)
{
	int fd = MUST(open("f", O_CREAT | O_RDWR, 0600));
	MUST(ftruncate(fd, 2 * PAGE));
	int ro = MUST(open("f", O_RDONLY));
	char *locked = mmap(NULL, 2 * PAGE, RW, ANON, -1, 0), *hole = mmap(NULL, 4 * PAGE, RW, ANON, -1, 0);

	mlock(locked, 2 * PAGE);
	munmap(hole + PAGE, PAGE);
	advise("private", mmap(NULL, 2 * PAGE, RW, ANON, -1, 0), 2 * PAGE);
	advise("read-only", mmap(NULL, 2 * PAGE, PROT_READ, ANON, -1, 0), 2 * PAGE);
	advise("no access", mmap(NULL, 2 * PAGE, PROT_NONE, ANON, -1, 0), 2 * PAGE);
	advise("shared", mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), 2 * PAGE);
	advise("a file", mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0), 2 * PAGE);
	advise("a file's copy", mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0), 2 * PAGE);
	advise("a file to read", mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, ro, 0), 2 * PAGE);
	advise("past the end", mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0), 4 * PAGE);
	advise("locked", locked, 2 * PAGE);
	advise("with a hole", hole, 4 * PAGE);
	barriers();
	cache();
	return 0;
}
