/*
 * A program that writes at random over what it was told of its break (stub/facts.c), in between its calls. It deceives
 * itself at most: its areas, as others see them, stay in order and apart, and it can be killed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "break-slot.h"

#define SLOT 0x7e8000000000UL
#define PAGE 4096
#define LOOKS 200

static unsigned long seed;
static char text[1 << 17];

static unsigned long dice(unsigned long sides)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (seed >> 29) % sides;
}

static void scribble(unsigned long base)
{
	unsigned long fields[] = { S_BREAK, S_BREAK, S_BREAK, S_BREAK_MOVES, S_BREAK_LOWEST, S_BREAK_HIGHEST, S_BREAK_TOP };
	unsigned long values[] = { 0, 1, -1UL, base, base + dice(64) * PAGE, base + dice(1 << 24), base - dice(1 << 24), SLOT,
		0x7e400000, 0x7ffffffff000, dice(-1UL), base + (1UL << 32), base & 0xffffffff };

	*(volatile unsigned long *)(SLOT + fields[dice(7)]) = values[dice(13)];
}

static void victim(void)
{
	unsigned long base = (unsigned long)sbrk(0);
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	char *place;
	int i;

	for (i = 0; i < 4000; i++) {
		scribble(base);
		switch (dice(9)) {
		case 0: brk((void *)base + dice(1 << 23)); break;
		case 1: brk((void *)base + dice(64) * PAGE); break;
		case 2:
			place = mmap((void *)(base & -PAGE) + dice(96) * PAGE, PAGE * (1 + dice(4)), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS |
				(dice(2) ? MAP_FIXED : 0), -1, 0);
			munmap(place, dice(2) * PAGE);
			break;
		case 3: munmap((void *)(base & -PAGE) + dice(96) * PAGE, PAGE * (1 + dice(8))); break;
		case 4: mprotect((void *)(base & -PAGE) + dice(96) * PAGE, PAGE * (1 + dice(8)), dice(4)); break;
		case 5: madvise((void *)(base & -PAGE) + dice(96) * PAGE, PAGE * (1 + dice(8)), dice(2) ? MADV_DONTFORK : 102); break;
		case 6: setrlimit(RLIMIT_DATA, &all); break;
		case 7:
			if (dice(8) == 0 && vfork() == 0) {
				brk((void *)base + dice(64) * PAGE);
				_exit(0);
			}
			break;
		default: close(open("/proc/self/maps", O_RDONLY));
		}
	}
	_exit(0);
}

/* Whether the process's areas are in order, apart, and not where the engine keeps its things. */
static int is_sane(pid_t pid)
{
	unsigned long from, to, last = 0;
	long len = 0, got;
	char path[64], *line, *next;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	fd = open(path, O_RDONLY);
	while (fd >= 0 && (got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += got;
	close(fd);
	text[len] = 0;
	for (line = text; (next = strchr(line, '\n')) != NULL; line = next + 1) {
		if (sscanf(line, "%lx-%lx", &from, &to) != 2 || from >= to || from < last || from % PAGE || to % PAGE)
			return 0;
		if ((from < 0x7e800000 && to > 0x7e400000) || (from < SLOT + (1UL << 32) && to > SLOT))
			return 0;
		last = to;
	}
	return 1;
}

int main(int argc, char **argv)
{
	int seconds = atoi(argv[1]), rounds = 0, bad = 0, status, looks;
	time_t end = time(NULL) + seconds;

	while (time(NULL) < end) {
		pid_t pid;

		seed = atol(argv[2]) + rounds++ * 1000003;
		pid = fork();
		if (pid == 0)
			victim();
		/* One that has lost its own text may go on for ever. */
		for (looks = 0; looks < LOOKS && waitpid(pid, &status, WNOHANG) == 0; looks++)
			if (!is_sane(pid)) {
				printf("round %d:\n%s", rounds, text);
				bad++;
				break;
			}
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	printf("rounds: some %d, bad %d\n", rounds > 0, bad);
	return 0;
}
