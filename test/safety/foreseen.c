/*
 * What programs do over and over is done before they ask (kernel/habits), and stands in the slots of their threads. Programs
 * that look there, and that lie about what they have made of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "slot.h"

#define SLOT 0x7e8000000000UL
#define USUAL 8
#define ROUNDS 40
#define NOBODY 1000

static unsigned long seed;
static unsigned checked;

static unsigned long dice(void)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return seed >> 29;
}

static void check(const void *bytes, long n)
{
	for (long i = 0; i < n; i++)
		checked = checked * 31 + ((const unsigned char *)bytes)[i];
}

/* How often the file's text is in the slot; here it is written otherwise. */
static int seen(void)
{
	static const char hidden[] = { 'T', 'O', 'P', 'S', 'E', 'C' };
	const volatile char *slot = (void *)SLOT;
	int count = 0;

	for (long at = 0; at < SLOT_STRIDE - 12; at++) {
		int same = 1;

		for (int i = 0; same && i < 6; i++)
			same = slot[at + i] == hidden[i] && slot[at + 6 + i] == (hidden[i] ^ 32);
		count += same;
	}
	return count;
}

static void read_file(const char *name)
{
	char bytes[200];
	int fd = open(name, O_RDONLY);
	long n = read(fd, bytes, sizeof bytes);

	check(&fd, sizeof fd);
	check(bytes, n);
	close(fd);
}

static void step(int which, const char *secret)
{
	static char bytes[4096];
	static char *memory;
	char *other;

	switch (which) {
	case 0:
		return read_file(secret);
	case 1:
		memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory != MAP_FAILED)
			memory[5] = 7;
		return;
	case 2:
		check(&(int){ mprotect(memory, 65536, PROT_READ) }, 4);
		return;
	case 3:
		check(memory + 5, 1);
		return;
	case 4:
		check(&(int){ munmap(memory, 65536) }, 4);
		return;
	case 5:
		other = sbrk(20000);
		if (other != (void *)-1)
			other[10000] = 1;
		return;
	case 6:
		check(getcwd(bytes, sizeof bytes) ? bytes : "", 2);
		return;
	case 7:
		getrandom(bytes, 16, 0);
		return;
	case 8:
		check(&(int){ getuid() }, 4);
		return;
	case 9:
		return read_file("/etc/passwd");
	}
}

static void usual(const char *secret)
{
	getppid();
	for (int i = 0; i < 10; i++)
		step(i, secret);
}

static void look(void)
{
	getppid();
	printf("others: %d\n", seen());
}

static void drop(const char *secret)
{
	int before, fd;

	getppid();
	before = seen();
	if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
		exit(98);
	fd = open(secret, O_RDONLY);
	printf("before: %d, dropped: %d, %s\n", before, seen(), fd < 0 ? "refused" : "opened");
}

static void scribble(void)
{
	static const unsigned words[] = { 0, 1, 2, 3, 5, 10, 95, 96, 97, 1000, 0x7fffffff, 0x80000000, 0x80000001, -1 };
	static const unsigned fields[] = { S_FORESEEN, S_FORESEEN_MADE, S_FORESEEN_BUSY, S_FILE_RECORD, S_FILE_USE, S_FILE_SIZE,
					   S_FILE, S_BREAK };
	unsigned long at;

	switch (dice() % 4) {
	case 0: case 1:
		at = fields[dice() % 8];
		break;
	case 2:
		at = S_FORESEEN_CALLS + dice() % 2000 / 4 * 4;
		break;
	default:
		at = S_FORESEEN_CALLS + dice() % (SLOT_STRIDE - S_FORESEEN_CALLS) / 4 * 4;
	}
	*(volatile unsigned *)(SLOT + at) = dice() % 3 ? words[dice() % 14] : dice();
}

static void lie(const char *secret)
{
	int next = 0;

	getppid();
	for (int i = 0; i < 40; i++) {
		for (int n = dice() % 4; n > 0; n--)
			scribble();
		if (dice() % 12 == 0)
			getppid();
		if (dice() % 40 == 0 && fork() == 0)
			_exit(0);
		if (dice() % 60 == 0)
			execl("/bin/true", "true", NULL);
		step(dice() % 4 ? next++ % 10 : dice() % 10, secret);
	}
}

/* The sum of what it saw, or how it ended. */
static int run(const char *how, const char *secret, unsigned long by, int user)
{
	char word[30];
	int status;
	pid_t pid = fork();

	snprintf(word, sizeof word, "%lu", by);
	if (pid == 0) {
		if (user && (setgroups(0, NULL) != 0 || setgid(user) != 0 || setuid(user) != 0))
			_exit(97);
		execl("/proc/self/exe", "foreseen", how, secret, word, NULL);
		_exit(96);
	}
	waitpid(pid, &status, 0);
	return status;
}

static int spoilt(const char *secret, int expected)
{
	return run("usual", secret, 0, 0) != expected;
}

int main(int argc, char **argv)
{
	int expected, wrong = 0;

	setbuf(stdout, NULL);
	seed = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
	alarm(20);
	if (argc > 1 && strcmp(argv[1], "look") == 0)
		return look(), 0;
	if (argc > 1 && strcmp(argv[1], "drop") == 0)
		return drop(argv[2]), 0;
	/* Who deceives himself may wait for ever. */
	if (argc > 1 && strcmp(argv[1], "lie") == 0)
		return alarm(1), lie(argv[2]), 0;
	if (argc > 1 && strcmp(argv[1], "usual") == 0)
		return usual(argv[2]), checked % 100;
	alarm(0);
	expected = run("usual", argv[2], 0, 0);
	for (int i = 0; i < USUAL; i++)
		wrong += spoilt(argv[2], expected);
	run("look", "", 0, NOBODY);
	run("drop", argv[2], 0, 0);
	for (int i = 0; i < ROUNDS; i++) {
		run("lie", argv[2], seed * 1000 + i, 0);
		wrong += spoilt(argv[2], expected);
	}
	printf("%d wrong\n", wrong);
	return 0;
}
