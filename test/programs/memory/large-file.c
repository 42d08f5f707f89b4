/*
 * A large file that was there before: it is mapped another way than small ones (mm/file-pages.ts), which nobody may notice.
 * test: prepare seq 3000000 >large; cp /bin/echo program; truncate -s 20M program
 * test: flags -pthread
 */
#include "../check.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/uio.h>

#define PAGE 4096L

static int fd;
static long size;
static sigjmp_buf back;

static void must(int holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	exit(1);
}

#define CHECK(what) must(what, #what)

static void jump(int signal)
{
	siglongjmp(back, signal);
}

/* The signal that a read, or a write, gets; 0: none. */
static int touch(volatile char *at, int writes)
{
	int signal = sigsetjmp(back, 1);

	if (signal == 0) {
		if (writes)
			*at = *at + 1;
		else
			(void)*at;
	}
	return signal;
}

static char *map(long pages, int prot, int flags, long page)
{
	char *at = mmap(NULL, pages * PAGE, prot, flags, fd, page * PAGE);

	CHECK(at != MAP_FAILED);
	return at;
}

/* Whether `pages` at `at` are the file's from `page` on. */
static int same(const char *at, long pages, long page)
{
	static char bytes[PAGE];

	for (long i = 0; i < pages; i++) {
		memset(bytes, 0, PAGE);
		CHECK(pread(fd, bytes, PAGE, (page + i) * PAGE) >= 0);
		if (memcmp(bytes, at + i * PAGE, PAGE) != 0)
			return 0;
	}
	return 1;
}

static void whole(void)
{
	long pages = (size + PAGE - 1) / PAGE;
	char *all = map(pages + 2, PROT_READ, MAP_PRIVATE, 0);
	char *shared = map(pages, PROT_READ, MAP_SHARED, 0);

	printf("whole: %d, shared: %d, tail %d\n", same(all, pages, 0), same(shared, pages, 0), all[pages * PAGE - 1]);
	printf("past the end: %d %d, writes: %d\n", touch(all + pages * PAGE, 0), touch(all + pages * PAGE + PAGE, 0), touch(all, 1));
	munmap(all, (pages + 2) * PAGE);
	munmap(shared, pages * PAGE);
	printf("gone: %d\n", touch(all, 0));
}

static void copies(void)
{
	char *one = map(8, PROT_READ | PROT_WRITE, MAP_PRIVATE, 100);
	char *other = map(8, PROT_READ, MAP_PRIVATE, 100);
	pid_t child;
	int status;

	memset(one + PAGE, 'x', PAGE);
	printf("written: others %d, self %d %d\n", same(other, 8, 100), same(one, 1, 100), same(one + PAGE, 1, 101));
	child = fork();
	if (child == 0) {
		int sees = one[PAGE] == 'x' && same(one + 2 * PAGE, 6, 102);

		memset(one + 3 * PAGE, 'y', PAGE);
		_exit(sees && one[3 * PAGE] == 'y' ? 0 : 1);
	}
	waitpid(child, &status, 0);
	printf("child: %d, parent: %d\n", status, same(one + 2 * PAGE, 6, 102));
	CHECK(madvise(one, 8 * PAGE, MADV_DONTNEED) == 0);
	printf("not needed: %d\n", same(one, 8, 100));
	munmap(one, 8 * PAGE);
	munmap(other, 8 * PAGE);
}

static void protections(void)
{
	char *at = map(6, PROT_READ, MAP_PRIVATE, 1000);

	CHECK(mprotect(at + PAGE, PAGE, PROT_NONE) == 0);
	CHECK(mprotect(at + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
	CHECK(mprotect(at + 3 * PAGE, PAGE, PROT_READ | PROT_EXEC) == 0);
	for (int i = 0; i < 5; i++)
		printf("%d: read %d write %d\n", i, touch(at + i * PAGE, 0), touch(at + i * PAGE, 1));
	CHECK(mprotect(at, 6 * PAGE, PROT_READ) == 0);
	printf("again: %d, but for %d\n", same(at, 2, 1000) && same(at + 3 * PAGE, 3, 1003), same(at + 2 * PAGE, 1, 1002));
	munmap(at, 6 * PAGE);
}

static void moves(void)
{
	char *at = map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, 2000);
	char *there = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	at[PAGE] = '!';
	at = mremap(at, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, there);
	CHECK(at == there);
	printf("moved: %c %d\n", at[PAGE], same(at, 1, 2000) && same(at + 2 * PAGE, 6, 2002));
	at = mremap(at, 8 * PAGE, 2 * PAGE, 0);
	at = mremap(at, 2 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
	printf("cut and grown: %c %d\n", at[PAGE], same(at + 2 * PAGE, 3, 2002));
	CHECK(mmap(at + 3 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at + 3 * PAGE);
	CHECK(munmap(at + 2 * PAGE, PAGE) == 0);
	printf("holes: %d %d %d\n", touch(at + 2 * PAGE, 0), at[3 * PAGE], same(at + 4 * PAGE, 1, 2004));
	munmap(at, 5 * PAGE);
	munmap(there, 16 * PAGE);
}

/* The kernel reads and writes such memory, too. */
static void calls(void)
{
	char *at = map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, 3000);
	char bytes[PAGE];
	struct iovec here = { bytes, PAGE }, there = { at + 2 * PAGE, PAGE };
	unsigned char in[4];
	int ends[2];

	CHECK(pipe(ends) == 0);
	CHECK(write(ends[1], at, PAGE) == PAGE);
	CHECK(read(ends[0], at + PAGE, PAGE) == PAGE);
	printf("through a pipe: %d\n", same(at, 1, 3000) && memcmp(at, at + PAGE, PAGE) == 0);
	CHECK(process_vm_readv(getpid(), &here, 1, &there, 1, 0) == PAGE);
	printf("read by another way: %d\n", same(bytes, 1, 3002));
	CHECK(mincore(at, 4 * PAGE, in) == 0);
	printf("in memory: %d %d %d\n", in[0] & 1, in[1] & 1, in[2] & 1);
	close(ends[0]);
	close(ends[1]);
	munmap(at, 4 * PAGE);
	at = map(512, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_POPULATE, 10);
	printf("at once, and executable: %d\n", same(at, 512, 10));
	munmap(at, 512 * PAGE);
}

static void *many(void *seed)
{
	unsigned state = (unsigned)(long)seed;
	long bad = 0;

	for (int i = 0; i < 200; i++) {
		long page = rand_r(&state) % 4000;
		char *at = map(3, PROT_READ | PROT_WRITE, MAP_PRIVATE, page);
		char bytes[16];

		CHECK(pread(fd, bytes, 16, (page + 1) * PAGE) == 16);
		bad += memcmp(bytes, at + PAGE, 16) != 0;
		at[PAGE]++;
		bad += at[PAGE] != (char)(bytes[0] + 1);
		munmap(at, 3 * PAGE);
	}
	return (void *)bad;
}

static void threads(void)
{
	pthread_t ids[3];
	long bad = 0;

	for (long i = 0; i < 3; i++)
		CHECK(pthread_create(&ids[i], NULL, many, (void *)(i + 1)) == 0);
	for (int i = 0; i < 3; i++) {
		void *result;

		pthread_join(ids[i], &result);
		bad += (long)result;
	}
	printf("threads: %ld bad\n", bad);
}

int main(void)
{
	struct sigaction action = { .sa_handler = jump };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	fd = open("large", O_RDONLY);
	CHECK(fd >= 0);
	size = lseek(fd, 0, SEEK_END);
	whole();
	copies();
	protections();
	moves();
	calls();
	threads();
	fflush(stdout);
	return system("./program a large program; ./program another");
}
