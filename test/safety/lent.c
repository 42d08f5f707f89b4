/*
 * Large files of the host's are mapped by descriptors that mapping threads receive (loans.ts). One process writes over the
 * place where they are received, all the time, while it maps its own file; another one maps another file and looks whether
 * that is what it gets.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "answers.h"

#define ROUNDS 600
#define SIZE (20L << 20)

static sigjmp_buf back;

static void jump(int signal)
{
	siglongjmp(back, signal);
}

/* Lengths, addresses and flags of struct msghdr: nonsense, and now and then what the kernel had written. */
static void *scribble(void *unused)
{
	unsigned long was[32];
	unsigned seed = 1;

	for (;;) {
		int at = 8 + rand_r(&seed) % 12;

		was[at] = ANSWERS[at];
		ANSWERS[at] = rand_r(&seed) % 3 ? (unsigned long)rand_r(&seed) << rand_r(&seed) % 34 : 0;
		if (rand_r(&seed) % 2)
			ANSWERS[at] = was[at];
	}
	return unused;
}

static int seen(int fd, unsigned *seed)
{
	long page = rand_r(seed) % (SIZE / 4096 - 1);
	char *at = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, page * 4096);
	int got = -1;

	if (at == MAP_FAILED)
		return -1;
	if (sigsetjmp(back, 1) == 0)
		got = at[0] == at[4096] ? *(volatile char *)at : '?';
	munmap(at, 8192);
	return got;
}

static void lie(int fd)
{
	unsigned seed = 2;
	int others = 0, mapped = 0;
	pthread_t id;

	pthread_create(&id, NULL, scribble, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		int what = seen(fd, &seed);

		mapped += what == 'a';
		others += what != 'a' && what != -1;
	}
	printf("liar: %d of others, %d mapped\n", others, mapped);
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = jump };
	int a = open(argv[1], O_RDONLY), b = open(argv[2], O_RDONLY);
	unsigned seed = 3;
	int wrong = 0, status;
	pid_t liar;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	liar = fork();
	if (liar == 0)
		lie(a);
	for (int i = 0; i < ROUNDS; i++)
		wrong += seen(b, &seed) != 'b';
	waitpid(liar, &status, 0);
	printf("honest: %d wrong\nover\n", wrong);
	fflush(stdout);
	return read(0, &status, 1) == 0 ? 0 : 1;
}
