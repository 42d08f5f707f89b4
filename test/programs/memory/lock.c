/* test: needs root */
/* mlock(2), mlock2(2), mlockall(2), MAP_LOCKED, MAP_POPULATE, RLIMIT_MEMLOCK: what is there, and what counts. */
#include "../check.h"
#include <sys/resource.h>

#define PAGE 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

/* VmLck in pages. */
static long locked(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	while (fgets(line, sizeof(line), status))
		sscanf(line, "VmLck: %ld kB", &kib);
	fclose(status);
	return kib / 4;
}

static const char *present(void *p, int pages)
{
	static unsigned char vector[64];
	static char text[2][65];
	static int turn;
	char *to = text[turn++ % 2];

	if (mincore(p, pages * PAGE, vector))
		return errno_name(errno);
	for (int i = 0; i < pages; i++)
		to[i] = '0' + (vector[i] & 1);
	to[pages] = 0;
	return to;
}

static char *map(int pages, int prot, int flags)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, -1, 0);

	if (p == MAP_FAILED)
		say("mmap %d pages, prot %d: %s\n", pages, prot, errno_name(errno));
	return p;
}

#define SEE(p, pages) say("  there %s, locked %ld\n", present(p, pages), locked())

static char *inherited;

static void see_inherited(void)
{
	SEE(inherited, 8);
}

static void privileged(void)
{
	char *p = map(8, RW, ANON);
	p[PAGE] = 1;
	SEE(p, 8);
	R(mlock(p, 2 * PAGE));
	SEE(p, 8);
	R(mlock(p + PAGE + 1, PAGE));
	SEE(p, 8);
	R(munlock(p + PAGE, PAGE));
	SEE(p, 8);
	R(mlock2(p, 4 * PAGE, MLOCK_ONFAULT));
	SEE(p, 8);
	R(mlock2(p, 8 * PAGE, 2));
	R(madvise(p, PAGE, MADV_DONTNEED));
	R(madvise(p, PAGE, MADV_DONTNEED_LOCKED));
	R(madvise(p, PAGE, MADV_PAGEOUT));
	SEE(p, 8);
	R(mprotect(p, PAGE, PROT_READ));
	SEE(p, 8);
	R(munmap(p + 2 * PAGE, PAGE));
	SEE(p, 2);
	/* Up to the hole. */
	R(munlock(p, 8 * PAGE));
	R(mlock(p, 8 * PAGE));
	SEE(p, 2);
	R(msync(p, PAGE, MS_INVALIDATE));
	munmap(p, 8 * PAGE);
	R(locked());

	char *none = map(2, PROT_NONE, ANON);
	R(mlock(none, 2 * PAGE));
	SEE(none, 2);
	munmap(none, 2 * PAGE);
	char *read = map(2, PROT_READ, ANON);
	R(mlock(read, 2 * PAGE));
	SEE(read, 2);
	munmap(read, 2 * PAGE);
	char *shared = map(4, PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
	SEE(shared, 4);
	R(mlock(shared, PAGE));
	SEE(shared, 4);
	munmap(shared, 4 * PAGE);

	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	MUST(ftruncate(fd, 2 * PAGE));
	char *file = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	R(mlock(file, 2 * PAGE));
	R(mlock(file, 4 * PAGE));
	R(locked());
	munmap(file, 4 * PAGE);

	p = map(4, RW, ANON | MAP_LOCKED);
	SEE(p, 4);
	char *q = mremap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	SEE(q, 8);
	inherited = q;
	in_child("its child", see_inherited);
	munmap(q, 8 * PAGE);
	p = map(4, RW, ANON | MAP_POPULATE);
	SEE(p, 4);
	munmap(p, 4 * PAGE);
	p = map(4, RW, ANON | MAP_POPULATE | MAP_NONBLOCK);
	SEE(p, 4);
	munmap(p, 4 * PAGE);
	p = map(4, PROT_NONE, ANON | MAP_POPULATE);
	SEE(p, 4);
	munmap(p, 4 * PAGE);
}

static void unprivileged(void)
{
	struct rlimit limit = {8 * PAGE, 8 * PAGE};

	MUST(setrlimit(RLIMIT_MEMLOCK, &limit));
	MUST(setuid(1234));
	char *p = map(16, RW, ANON);
	R(mlock(p, 9 * PAGE));
	R(mlock(p, 8 * PAGE));
	R(mlock(p, 8 * PAGE));
	R(mlock(p + PAGE, 8 * PAGE));
	R(mlock(p + 9 * PAGE, PAGE));
	R(locked());
	R(map(1, RW, ANON | MAP_LOCKED) == MAP_FAILED);
	R(mremap(p, 8 * PAGE, 20 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	R(munlock(p, 4 * PAGE));
	R(locked());
	char *q = map(4, RW, ANON | MAP_LOCKED);
	SEE(q, 4);
	R(map(1, RW, ANON | MAP_LOCKED) == MAP_FAILED);
	R(munlockall());
	R(locked());
	R(mlockall(MCL_CURRENT));
	R(mlockall(MCL_FUTURE));
	q = map(8, RW, ANON);
	SEE(q, 8);
	R(map(1, RW, ANON) == MAP_FAILED);
	char *end = sbrk(0);
	R(sbrk(64 * PAGE) == (void *)-1);
	R(sbrk(0) == end);
	R(munlockall());
	R(map(1, RW, ANON) != MAP_FAILED);
	limit.rlim_cur = 0;
	MUST(setrlimit(RLIMIT_MEMLOCK, &limit));
	R(mlock(p, 1));
	R(munlock(p, 1));
	R(mlockall(MCL_FUTURE));
	R(map(1, RW, ANON | MAP_LOCKED) == MAP_FAILED);
}

static void all(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &limit);
	R(mlockall(0));
	R(mlockall(MCL_ONFAULT));
	R(mlockall(8));
	char *p = map(4, RW, ANON);
	SEE(p, 4);
	R(mlockall(MCL_FUTURE | MCL_ONFAULT));
	R(locked());
	p = map(4, RW, ANON);
	SEE(p, 4);
	p[PAGE] = 1;
	SEE(p, 4);
	R(mlockall(MCL_FUTURE));
	p = map(4, RW, ANON);
	SEE(p, 4);
	R(mlockall(MCL_CURRENT));
	say("%s\n", present(p, 4));
	p = map(4, RW, ANON);
	say("%s\n", present(p, 4));
	R(munlockall());
	R(locked());
}

/* A small program may lock all that it has with the limit that systems have by default. */
static void whole(void)
{
	struct rlimit limit = {8 << 20, 8 << 20};

	MUST(setrlimit(RLIMIT_MEMLOCK, &limit));
	setuid(65534);
	R(mlockall(MCL_CURRENT));
	R(mlockall(MCL_CURRENT | MCL_FUTURE));
	R(map(16, RW, ANON) != MAP_FAILED);
	R(map(2048, RW, ANON) == MAP_FAILED);
	R(munlockall());
}

int main(void)
{
	in_child("privileged", privileged);
	in_child("unprivileged", unprivileged);
	in_child("all", all);
	in_child("whole", whole);
	return 0;
}
