/* Private mappings of files that grow a lot: what was not written follows the file, what was stays. */
#include "../check.h"
#include <pthread.h>

#define PAGE 4096l
#define PAGES 4
#define RW (PROT_READ | PROT_WRITE)
#define GUARD_INSTALL 102

static int fd;

static void put(long pos, char c)
{
	MUST(pwrite(fd, &c, 1, pos));
}

/* A file of some pages, each of its own letter. */
static void make(int is_memfd)
{
	char name[] = "/tmp/outgrown-XXXXXX", page[PAGE];

	if (is_memfd)
		fd = MUST(memfd_create("outgrown", 0));
	else {
		fd = MUST(mkstemp(name));
		unlink(name);
	}
	for (int i = 0; i < PAGES; i++) {
		memset(page, 'a' + i, PAGE);
		MUST(pwrite(fd, page, PAGE, i * PAGE));
	}
}

static volatile char *map(int prot)
{
	char *p = mmap(NULL, PAGES * PAGE, prot, MAP_PRIVATE, fd, 0);

	MUST(p == MAP_FAILED ? -1 : 0);
	return p;
}

/* The file outgrows what it had room for, and all its pages change. */
static void outgrow(long size, char c)
{
	put(size, '.');
	for (int i = 0; i < PAGES; i++)
		put(i * PAGE + 1, c);
}

static void show(const char *what, volatile char *p)
{
	say("%s:", what);
	for (int i = 0; i < PAGES; i++)
		say(" %c%c%c", p[i * PAGE], p[i * PAGE + 1], p[i * PAGE + 2]);
	say("\n");
}

static void untouched(void)
{
	volatile char *p = map(PROT_READ), *q = map(RW), *none = map(PROT_NONE);

	outgrow(100000, '1');
	show("never touched", p);
	show("never touched, writable", q);
	outgrow(1000000, '2');
	show("looked at", p);
	q[PAGE] = 'W';
	outgrow(10000000, '3');
	show("one written", q);
	mprotect((void *)none, PAGES * PAGE, RW);
	show("could not be accessed", none);
	none[2] = 'W';
	show("now it can", none);
}

static void written(void)
{
	volatile char *p = map(RW);

	p[2] = 'W';
	p[2 * PAGE + 2] = 'W';
	mprotect((void *)p, 2 * PAGE, PROT_READ);
	outgrow(100000, '1');
	show("written", p);
	mprotect((void *)p, PAGES * PAGE, RW);
	p[3 * PAGE + 2] = 'W';
	outgrow(1000000, '2');
	show("and some more", p);
	volatile char *q = mremap((void *)p, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map(RW));
	show("moved", q);
	outgrow(10000000, '3');
	show("moved, then outgrown", q);
	R(madvise((void *)q, PAGE, MADV_DONTNEED));
	show("what was written to the first is dropped", q);
	munmap((void *)q, 2 * PAGE);
	outgrow(400000000, '4');
	say("what is left: %c %c\n", q[2 * PAGE + 1], q[3 * PAGE + 1]);
}

static volatile char *inherited;

static void child(void)
{
	inherited[PAGE + 2] = 'C';
	outgrow(100000, '1');
	show("the child's", inherited);
}

static void forked(void)
{
	inherited = map(RW);
	inherited[2] = 'W';
	in_child("child", child);
	show("the parent's", inherited);
}

static void guarded(void)
{
	volatile char *p = map(RW);
	int ends[2];

	p[2] = 'W';
	if (madvise((void *)(p + PAGE), PAGE, GUARD_INSTALL) == -1)
		MUST(mprotect((void *)(p + PAGE), PAGE, PROT_NONE));
	outgrow(100000, '1');
	MUST(pipe(ends));
	R(write(ends[1], (char *)p, 1));
	R(write(ends[1], (char *)p + PAGE, 1));
	R(write(ends[1], (char *)p + 2 * PAGE, 1));
	say("around a guard: %c%c %c\n", p[1], p[2], p[2 * PAGE + 1]);
	close(ends[0]);
	close(ends[1]);
}

#define MANY 2000l
#define ROUNDS 4

/* Stores to one page after the other, some times. */
static void *store(void *arg)
{
	volatile char *p = arg;

	for (int round = 0; round < ROUNDS; round++)
		for (long i = 0; i < MANY; i++)
			p[i * PAGE]++;
	return NULL;
}

static void storing(void)
{
	int lost = 0;

	for (int times = 0; times < 5; times++) {
		pthread_t thread;

		MUST(ftruncate(fd, 0));
		MUST(ftruncate(fd, MANY * PAGE));
		char *p = mmap(NULL, MANY * PAGE, RW, MAP_PRIVATE, fd, 0);
		MUST(pthread_create(&thread, NULL, store, p));
		for (long size = 10000000; size < 1000000000; size *= 3)
			put(size, '.');
		pthread_join(thread, NULL);
		for (long i = 0; i < MANY; i++)
			lost += p[i * PAGE] != ROUNDS;
		munmap(p, MANY * PAGE);
		close(fd);
		make(times & 1);
	}
	say("stored meanwhile, lost: %d\n", lost);
}

int main(void)
{
	void (*tests[])(void) = {untouched, written, forked, guarded, storing};

	for (int is_memfd = 0; is_memfd < 2; is_memfd++)
		for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
			make(is_memfd);
			tests[i]();
			close(fd);
		}
	return 0;
}
