/*
 * A program sees a memfd through a window, and writes there all the time; another seals the file (F_SEAL_WRITE). What that one finds
 * from then on stays.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "windows.h"

#define SIZE 65536
#define ROUNDS 20
static sigjmp_buf out;
static volatile int *said;

static void on_fault(int signal)
{
	siglongjmp(out, signal);
}

static void writer(int fd)
{
	static char buffer[SIZE];
	volatile unsigned int *window = NULL;
	unsigned int i;

	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	for (i = 0; i < 200; i++) {
		pread(fd, buffer, SIZE, 0);
		pwrite(fd, buffer, SIZE, 0);
	}
	for (i = 0; i < MAX_WINDOWS && window == NULL; i++) {
		volatile unsigned int *at = (void *)(WINDOW_BASE + i * WINDOW_STRIDE);

		if (sigsetjmp(out, 1) == 0) {
			*at = 1;
			window = at;
		}
	}
	*said = window != NULL ? 1 : 2;
	if (window != NULL && sigsetjmp(out, 1) == 0)
		for (i = 0;; i++)
			*window = i;
	for (;;)
		pause();
}

int main(void)
{
	int round, windows = 0, changed = 0;

	said = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (round = 0; round < ROUNDS; round++) {
		int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
		unsigned int before, after;
		pid_t pid;

		ftruncate(fd, SIZE);
		*said = 0;
		pid = fork();
		if (pid == 0)
			writer(fd);
		while (*said == 0)
			usleep(1000);
		windows += *said == 1;
		usleep(2000);
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE);
		pread(fd, &before, sizeof(before), 0);
		usleep(3000);
		pread(fd, &after, sizeof(after), 0);
		changed += before != after;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(fd);
	}
	printf("windows: some %d, changed %d\n", windows > 0, changed);
	return 0;
}
