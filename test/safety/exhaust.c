/* All threads that the machine can have are taken; then a hundred programs start at once that need new address spaces. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAMS 100

static void *idle(void *unused)
{
	for (;;)
		pause();
}

/* Waits for its turn, then executes this program again: apart from what it did so far, for it may not be dumped. */
static void program(int turn)
{
	char byte;

	prctl(PR_SET_DUMPABLE, 0);
	read(turn, &byte, 1);
	execl("/proc/self/exe", "exhaust", "again", NULL);
	_exit(errno == EAGAIN ? 8 : 9);
}

int main(int count, char **words)
{
	int turn[2], i, status, threads = 0, started = 0, refused = 0, children[PROGRAMS];
	pthread_attr_t small;
	pthread_t thread;

	if (count > 1)
		return 7;
	pipe(turn);
	for (i = 0; i < PROGRAMS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			close(turn[1]);
			program(turn[0]);
		}
	}
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 16384);
	while (pthread_create(&thread, &small, idle, NULL) == 0)
		threads++;
	printf("fork: %s\n", fork() < 0 && errno == EAGAIN ? "EAGAIN" : "goes");
	close(turn[1]);
	for (i = 0; i < PROGRAMS; i++) {
		waitpid(children[i], &status, 0);
		started += status == 7 << 8;
		refused += status == 8 << 8;
	}
	printf("threads %d, started or refused %d\n", threads > 1000, started + refused);
	fflush(stdout);
	_exit(started == 0 || system("exit 3") != 3 << 8);
}
