/* Random work on one range of addresses: every answer, what every page holds, and what may be done to it. */
#include "../check.h"
#include <setjmp.h>

#define PAGE 4096ul
#define PAGES 96
#define FILE_PAGES 24
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)
#define STEPS 1500

/* Where nothing else is. */
static char *const arena = (char *)0x200000000000ul;
static char *const end = (char *)0x200000000000ul + PAGES * PAGE;

static sigjmp_buf back;
static unsigned long long state;
static int file;

static unsigned choose(unsigned below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (state >> 33) % below;
}

static void fault(int signal)
{
	siglongjmp(back, signal);
}

/* What a byte is: a number, or less than 0. */
static int peek(volatile char *p)
{
	int signal = sigsetjmp(back, 1);

	return signal ? -signal : (unsigned char)*p;
}

static int poke(volatile char *p, int value)
{
	int signal = sigsetjmp(back, 1);

	if (signal)
		return -signal;
	*p = value;
	return 0;
}

static unsigned hash(unsigned so_far, int value)
{
	return (so_far ^ (unsigned)value) * 16777619u;
}

static unsigned look(void)
{
	unsigned sum = 2166136261u;

	for (int i = 0; i < PAGES; i++)
		sum = hash(sum, peek(arena + i * PAGE));
	return sum;
}

/* The rights of each page, as /proc says. */
static unsigned rights(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], perms[8];
	unsigned long from, to;
	unsigned sum = 2166136261u;

	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %4s", &from, &to, perms) != 3 || to <= (unsigned long)arena ||
		    from >= (unsigned long)end)
			continue;
		for (; from < to; from += PAGE) {
			sum = hash(sum, (from - (unsigned long)arena) / PAGE);
			for (int i = 0; i < 4; i++)
				sum = hash(sum, perms[i]);
		}
	}
	fclose(maps);
	return sum;
}

static void show(const char *what, int page, int count, int more, long result)
{
	if (result >= (long)arena && result <= (long)end)
		result = (result - (long)arena) / PAGE;
	say("%s %d+%d %d: %ld%s%s\n", what, page, count, more, result, result == -1 ? " " : "",
	    result == -1 ? errno_name(errno) : "");
}

static void map(char *at, int page, int count)
{
	static const int prots[] = {RW, RW, RW, RW, PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC, PROT_WRITE};
	int prot = prots[choose(8)], kind = choose(6), position = choose(FILE_PAGES);
	int flags = choose(4) ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	char *p;

	if (kind < 3)
		p = mmap(at, count * PAGE, prot, flags | ANON | (choose(8) ? 0 : MAP_POPULATE), -1, 0);
	else if (kind == 3)
		p = mmap(at, count * PAGE, prot, flags | MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	else
		p = mmap(at, count * PAGE, prot, flags | (kind == 4 ? MAP_SHARED : MAP_PRIVATE), file, position * PAGE);
	show("map", page, count, kind, (long)p);
	for (int i = 0; i < count && p != MAP_FAILED; i += 2)
		poke(p + i * PAGE, choose(100));
}

static void move(char *at, int page, int count)
{
	static const int ways[] = {0, 0, MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_FIXED,
	                           MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP};
	int to = choose(PAGES), way = ways[choose(5)], wanted = choose(3) ? count : 1 + (int)choose(12);

	/* What Linux joins to one area is its own affair; all else needs one. */
	if (wanted != count && way != 0)
		count = 1;
	if (wanted > count)
		count = 1;
	/* Not beyond the range, where others may be. */
	if (to + wanted > PAGES || page + wanted > PAGES)
		return;
	show("move", page, count, to * 1000 + wanted * 10 + way,
	     (long)mremap(at, count * PAGE, wanted * PAGE, way, arena + to * PAGE));
}

static void advise(char *at, int page, int count)
{
	static const int advice[] = {MADV_DONTNEED, MADV_DONTNEED, MADV_REMOVE, 102, 102, 103, 103, MADV_POPULATE_READ,
	                             MADV_POPULATE_WRITE, MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK, MADV_KEEPONFORK,
	                             MADV_DONTNEED_LOCKED, MADV_COLD};
	int what = advice[choose(15)];

	show("advise", page, count, what, madvise(at, count * PAGE, what));
}

static void change_file(void)
{
	char byte = choose(100);
	int page = choose(FILE_PAGES), kind = choose(8);

	if (kind == 0)
		show("truncate", page, 0, 0, ftruncate(file, page * PAGE + 100));
	else if (kind == 1)
		show("punch", page, 2, 0,
		     fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page * PAGE, 2 * PAGE));
	else if (kind < 5)
		show("write", page, 1, byte, pwrite(file, &byte, 1, page * PAGE));
	else {
		byte = 0;
		show("read", page, 1, 0, pread(file, &byte, 1, page * PAGE));
		say("%d\n", byte);
	}
}

static void child(void)
{
	int status;
	pid_t pid = MUST(fork());

	if (pid == 0) {
		unsigned sum = look();

		for (int i = 0; i < PAGES; i += 3)
			poke(arena + i * PAGE, i);
		say("child %x %x %x\n", sum, look(), rights());
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	say("%d\n", status);
}

static void step(void)
{
	int page = choose(PAGES), count = 1 + choose(choose(4) ? 6 : 30);
	char *at = arena + page * PAGE;

	if (page + count > PAGES)
		count = PAGES - page;
	switch (choose(16)) {
	case 0: case 1: case 2:
		map(at, page, count);
		break;
	case 3:
		show("unmap", page, count, 0, munmap(at, count * PAGE));
		break;
	case 4: case 5: {
		int prot = choose(3) ? RW : (int)choose(4);
		show("protect", page, count, prot, mprotect(at, count * PAGE, prot));
		break;
	}
	case 6: case 7: case 8:
		move(at, page, count);
		break;
	case 9: case 10:
		advise(at, page, count);
		break;
	case 11:
		show("lock", page, count, 0, mlock(at, count * PAGE));
		break;
	case 12:
		show("unlock", page, count, 0, munlock(at, count * PAGE));
		break;
	case 13:
		change_file();
		break;
	case 14:
		if (choose(8) == 0)
			child();
		break;
	default:
		for (int i = 0; i < count; i++)
			poke(at + i * PAGE + 17, choose(100));
	}
}

int main(int argc, char **argv)
{
	state = argc > 1 ? atoi(argv[1]) : 1;
	signal(SIGSEGV, fault);
	signal(SIGBUS, fault);
	file = MUST(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	MUST(ftruncate(file, FILE_PAGES * PAGE));
	for (int i = 0; i < STEPS; i++) {
		step();
		if (i % 4 == 0)
			say("%d: %x %x\n", i, look(), rights());
	}
	return 0;
}
