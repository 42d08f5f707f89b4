/*
 * A pipe goes along with a thread that uses it often (pipe-along.ts). What the thread says that it did there counts only as far
 * as its descriptors go: who can only read puts nothing there, and nonsense harms nobody.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pipe-slot.h"

#define SLOT 0x7e8000000000UL
#define WORD(at) (*(volatile unsigned *)(SLOT + (at)))

static unsigned seed;
static char buffer[100000];

static unsigned dice(void)
{
	seed = seed * 1103515245 + 12345;
	return seed >> 7;
}

/* The child uses the pipe until it goes along, then lies about it; the parent looks. */
static void reader_forges(void)
{
	int ends[2], lied[2], go[2], forged = 0, n = 0;
	char byte;

	if (pipe(ends) || pipe(lied) || pipe(go))
		exit(1);
	memset(buffer, 't', 300);
	if (write(ends[1], buffer, 300) != 300)
		exit(1);
	if (fork() == 0) {
		unsigned went;

		close(ends[1]);
		for (int i = 0; i < 40; i++)
			if (read(ends[0], &byte, 1) != 1)
				_exit(1);
		went = WORD(S_PIPE_USE);
		for (int i = 0; i < PIPE_SIZE; i++)
			*(volatile char *)(SLOT + S_PIPE + i) = 'F';
		WORD(S_PIPE_WRITE) = ends[0];
		WORD(S_PIPE_USE) = PIPE_OPEN | PIPE_WHOLE | PIPE_SIZE << PIPE_TAIL | (went & ((1 << PIPE_TAIL) - 1));
		if (write(lied[1], went & PIPE_OPEN ? "1" : "0", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	if (read(lied[0], &byte, 1) != 1)
		exit(1);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	while (read(ends[0], buffer, 1) == 1) {
		n++;
		forged += buffer[0] != 't';
	}
	if (write(go[1], "g", 1) != 1)
		exit(1);
	wait(NULL);
	printf("reader: went along %c, %s, %d forged\n", byte, n <= 300 ? "no more than there was" : "too many", forged);
	fflush(stdout);
}

/* Nonsense of all kinds, with both ends: the machine and the others do not mind. */
static void nonsense(void)
{
	static const unsigned words[] = { 0, 1, 0x7fffffff, 0xffffffff, PIPE_OPEN, PIPE_OPEN | PIPE_GONE, PIPE_OPEN | PIPE_WHOLE,
		PIPE_OPEN | 0x1fff, PIPE_OPEN | 0x1fff << PIPE_TAIL, PIPE_OPEN | PIPE_SIZE << PIPE_TAIL, PIPE_OPEN | 4095 };

	for (int round = 0; round < 40; round++) {
		int ends[2];
		pid_t child;

		if (pipe2(ends, O_NONBLOCK))
			exit(1);
		child = fork();
		if (child == 0) {
			alarm(1);
			for (int i = 0; i < 3000; i++) {
				struct pollfd both[2] = { { ends[0], POLLIN, 0 }, { ends[1], POLLOUT, 0 } };
				int n;

				if (dice() % 2)
					(void)!write(ends[1], buffer, dice() % 50);
				else
					(void)!read(ends[0], buffer, dice() % 50);
				if (dice() % 10 == 0)
					WORD(S_PIPE_USE) = dice() % 2 ? words[dice() % 11] : PIPE_OPEN | dice();
				if (dice() % 20 == 0)
					WORD(dice() % 2 ? S_PIPE_READ : S_PIPE_WRITE) = dice() % 8;
				if (dice() % 10 == 0)
					ioctl(ends[dice() % 2], FIONREAD, &n);
				if (dice() % 10 == 0)
					poll(both, 2, 0);
			}
			_exit(0);
		}
		for (int i = 0; i < 200; i++)
			(void)!(dice() % 2 ? read(ends[0], buffer, 1000) : write(ends[1], buffer, 10));
		waitpid(child, NULL, 0);
		close(ends[0]);
		close(ends[1]);
	}
}

/* What a pipe left in the slot is not for the next program. */
static void left(void)
{
	int ends[2], n = 0;

	if (pipe2(ends, O_CLOEXEC))
		exit(1);
	for (int i = 0; i < 60; i++)
		if (write(ends[1], "secret", 6) != 6)
			exit(1);
	while (n < 300 && read(ends[0], buffer, 1) == 1)
		n++;
	execl("/proc/self/exe", "pipe", "left", NULL);
	exit(1);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "left") == 0) {
		int n = 0;

		for (int i = 0; i < PIPE_SIZE; i++)
			n += *(volatile char *)(SLOT + S_PIPE + i) == 's';
		printf("left: %d\n", n);
		return 0;
	}
	seed = (unsigned)atoi(argv[1]);
	reader_forges();
	nonsense();
	printf("nonsense: done\n");
	fflush(stdout);
	left();
	return 0;
}
