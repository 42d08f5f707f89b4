/* The break, moved up and down, and what it meets: limits, other areas, changes of the heap, threads, forks. */
#include "../check.h"
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>

#define PAGE 4096l
#define KIB 1024l
#define MIB (1024 * KIB)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static char *base;
static char text[1 << 16];

static char *raw_brk(long to)
{
	return (char *)syscall(SYS_brk, to);
}

/* Moves the break so far from the base, and says where it is then. Every other call is one that libc makes. */
static long at(long to)
{
	static int turn;

	if (turn++ % 2)
		raw_brk((long)base + to);
	else
		brk(base + to);
	return raw_brk(0) - base;
}

static void read_text(const char *name)
{
	int fd = open(name, O_RDONLY);
	long len = 0, got;

	while ((got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += got;
	text[len] = 0;
	close(fd);
}

static long status_of(const char *name)
{
	char *line;

	read_text("/proc/self/status");
	line = strstr(text, name);
	return line ? atol(line + strlen(name) + 1) : -1;
}

/* The heap's areas as /proc/self/maps has them, relative to the base. */
static void show_heap(void)
{
	char *line, *next;
	unsigned long from, to;
	char rights[8];

	read_text("/proc/self/maps");
	for (line = text; (next = strchr(line, '\n')) != NULL; line = next + 1) {
		*next = 0;
		if (strstr(line, "[heap]") && sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3)
			say("  heap %ld to %ld %s\n", (long)from - (long)base, (long)to - (long)base, rights);
	}
}

/* How many bytes of [from, to) are not zero; all are then. */
static long dirty(long from, long to)
{
	long i, count = 0;

	for (i = from; i < to; i++) {
		count += base[i] != 0;
		base[i] = 1;
	}
	return count;
}

static void sizes(void)
{
	long size = status_of("VmSize:"), data = status_of("VmData:"), peak;

	R(at(1 * MIB));
	R(status_of("VmSize:") - size);
	R(status_of("VmData:") - data);
	show_heap();
	R(at(64 * KIB));
	R(status_of("VmSize:") - size);
	R(status_of("VmData:") - data);
	show_heap();
	peak = status_of("VmPeak:");
	at(3 * MIB);
	at(64 * KIB);
	at(512 * KIB);
	R(status_of("VmPeak:") - peak > 0);
	R(status_of("VmPeak:") - size);
	R(at(0));
	R(status_of("VmSize:") - size);
	show_heap();
}

static void up_and_down(void)
{
	long i;

	R(at(1));
	R(at(PAGE - 1));
	R(at(PAGE));
	R(dirty(0, PAGE));
	R(at(PAGE + 1));
	R(dirty(PAGE, 2 * PAGE));
	R(at(PAGE));
	R(at(2 * PAGE));
	R(dirty(0, PAGE));
	R(dirty(PAGE, 2 * PAGE));
	R(at(10));
	R(at(100 * KIB));
	R(dirty(PAGE, 100 * KIB));
	R(at(-1));
	R(at(-PAGE));
	R(at(1l << 45));
	R(at(6 * MIB));
	R(dirty(100 * KIB, 6 * MIB));
	for (i = 7; i < 40; i++)
		if (at(i * MIB) != i * MIB || dirty((i - 1) * MIB, i * MIB))
			say("wrong at %ld\n", i);
	R(at(100 * KIB));
	R(dirty(0, 100 * KIB));
	for (i = 0; i < 1000; i++)
		if (at(200 * KIB) != 200 * KIB || dirty(104 * KIB, 200 * KIB) || at(100 * KIB + i) != 100 * KIB + i)
			say("wrong at %ld\n", i);
	show_heap();
	R(at(0));
}

static void limit(int which, long size)
{
	struct rlimit old, now;

	getrlimit(which, &old);
	now = old;
	now.rlim_cur = size + 768 * KIB;
	R(setrlimit(which, &now));
	R(at(512 * KIB));
	R(at(1 * MIB + 512 * KIB));
	R(at(256 * KIB));
	R(at(768 * KIB));
	R(setrlimit(which, &old));
	R(at(1 * MIB + 512 * KIB));
	R(at(0));
}

/* From another process, while this one's break moves. */
static void limit_of_other(void)
{
	struct rlimit old, now;
	int ends[2];
	char byte;
	pid_t child;

	getrlimit(RLIMIT_DATA, &old);
	now = old;
	now.rlim_cur = 0;
	pipe(ends);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		at(64 * KIB);
		write(ends[1], "", 1);
		while (at(128 * KIB) == 128 * KIB && at(64 * KIB) == 64 * KIB)
			;
		R(at(256 * KIB) <= 128 * KIB);
		/* What is beyond the limit cannot even be given back in parts. */
		R(at(32 * KIB) >= 64 * KIB);
		_exit(0);
	}
	close(ends[1]);
	read(ends[0], &byte, 1);
	MUST(prlimit(child, RLIMIT_DATA, &now, NULL));
	waitpid(child, NULL, 0);
	close(ends[0]);
}

static void something_above(int flags)
{
	char *above;

	R(at(16 * PAGE));
	above = mmap(base + 32 * PAGE, PAGE, RW, ANON | MAP_FIXED | flags, -1, 0);
	R(above == base + 32 * PAGE);
	*above = 7;
	R(at(20 * PAGE));
	R(at(30 * PAGE));
	R(at(31 * PAGE));
	R(at(31 * PAGE + 1));
	R(at(32 * PAGE));
	R(at(33 * PAGE));
	R(at(40 * PAGE));
	R(at(2 * MIB));
	R(*above);
	R(at(10 * PAGE));
	R(munmap(above, PAGE));
	R(at(40 * PAGE));
	R(base[32 * PAGE]);
	R(at(2 * MIB));
	R(at(0));
}

static void changed_within(void)
{
	int ends[2];

	pipe(ends);
	at(16 * PAGE);
	dirty(0, 16 * PAGE);
	R(mprotect(base + 4 * PAGE, 2 * PAGE, PROT_READ));
	show_heap();
	R(at(5 * PAGE));
	R(at(16 * PAGE));
	show_heap();
	base[5 * PAGE] = 1;
	R(write(ends[1], base + 4 * PAGE, 1));
	R(read(ends[0], base + 4 * PAGE, 1));
	R(mprotect(base + 4 * PAGE, PAGE, RW));
	R(madvise(base + 2 * PAGE, PAGE, MADV_DONTNEED));
	R(dirty(2 * PAGE, 3 * PAGE));
	R(at(2 * PAGE));
	R(at(16 * PAGE));
	R(dirty(2 * PAGE, 16 * PAGE));
	R(munmap(base + 8 * PAGE, 2 * PAGE));
	show_heap();
	R(at(20 * PAGE));
	R(write(ends[1], base + 8 * PAGE, 1));
	R(at(9 * PAGE));
	R(at(12 * PAGE));
	R(dirty(9 * PAGE, 12 * PAGE));
	R(at(PAGE));
	R(at(16 * PAGE));
	R(dirty(PAGE, 16 * PAGE));
	R(mmap(base + 4 * PAGE, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0) == base + 4 * PAGE);
	R(at(18 * PAGE));
	R(at(2 * PAGE));
	R(at(16 * PAGE));
	R(dirty(2 * PAGE, 16 * PAGE));
	R(mmap(base + 15 * PAGE, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == base + 15 * PAGE);
	base[15 * PAGE] = 5;
	R(at(17 * PAGE));
	R(at(14 * PAGE));
	R(at(17 * PAGE));
	R(dirty(14 * PAGE, 17 * PAGE));
	R(munmap(base, 17 * PAGE));
	R(at(18 * PAGE));
	R(at(2 * PAGE));
	/* Where nothing is left nothing can be given back. */
	R(at(0));
	R(at(4 * PAGE));
	R(dirty(2 * PAGE, 4 * PAGE));
	R(at(0));
	R(at(4 * PAGE));
	R(dirty(0, 4 * PAGE));
	R(at(0));
	close(ends[0]);
	close(ends[1]);
}

static void moved_away(void)
{
	char *place = mmap(NULL, 8 * PAGE, RW, ANON, -1, 0), *old;

	R(at(16 * PAGE));
	base[14 * PAGE] = 9;
	old = base + 14 * PAGE;
	R(mremap(old, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
	R(place[0]);
	R(at(20 * PAGE));
	R(at(12 * PAGE));
	R(at(20 * PAGE));
	R(dirty(12 * PAGE, 20 * PAGE));
	R(place[0]);
	R(munmap(place, 8 * PAGE));
	R(at(0));
}

static void locked(void)
{
	long before = status_of("VmLck:");

	R(at(4 * PAGE));
	R(mlockall(MCL_FUTURE));
	R(at(8 * PAGE));
	R(status_of("VmLck:") - before);
	R(munlockall());
	R(at(12 * PAGE));
	R(status_of("VmLck:") - before);
	R(mlock(base, 2 * PAGE));
	R(at(14 * PAGE));
	R(status_of("VmLck:") - before);
	R(at(PAGE));
	R(status_of("VmLck:") - before);
	R(at(0));
}

static void *other_thread(void *unused)
{
	(void)unused;
	R(at(8 * PAGE));
	R(dirty(6 * PAGE, 8 * PAGE));
	return NULL;
}

static void with_threads(void)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 2; i++) {
		R(at(4 * PAGE));
		dirty(0, 4 * PAGE);
		R(at(6 * PAGE));
		pthread_create(&thread, NULL, other_thread, NULL);
		pthread_join(thread, NULL);
		R(raw_brk(0) - base);
		R(at(10 * PAGE));
		R(dirty(6 * PAGE, 10 * PAGE));
		R(at(0));
	}
}

static void with_children(void)
{
	pid_t child;

	R(at(6 * PAGE));
	dirty(0, 6 * PAGE);
	child = fork();
	if (child == 0) {
		R(raw_brk(0) - base);
		R(at(12 * PAGE));
		R(dirty(0, 12 * PAGE));
		R(at(3 * PAGE));
		show_heap();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	R(at(8 * PAGE));
	R(dirty(0, 8 * PAGE));
	show_heap();
	if (vfork() == 0) {
		raw_brk((long)base + 10 * PAGE);
		_exit(0);
	}
	R(raw_brk(0) - base);
	R(dirty(0, 10 * PAGE));
	R(at(11 * PAGE));
	R(at(0));
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	/* What libc wants for itself comes from elsewhere. */
	mallopt(M_MMAP_THRESHOLD, 0);
	base = raw_brk(0);
	if ((long)base % PAGE != 0)
		base = raw_brk((long)base / PAGE * PAGE + PAGE);
	sizes();
	up_and_down();
	limit(RLIMIT_DATA, status_of("VmData:") * KIB);
	limit(RLIMIT_AS, status_of("VmSize:") * KIB);
	limit_of_other();
	something_above(0);
	something_above(MAP_GROWSDOWN);
	changed_within();
	moved_away();
	locked();
	with_threads();
	with_children();
	return 0;
}
