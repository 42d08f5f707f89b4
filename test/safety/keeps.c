/*
 * Has the kernel keep more than the machine has room for: bytes in pipes, messages in sockets, event files, each in as many processes as
 * it takes, for each runs out of descriptors; semaphores, which stay without a process, until there are no more.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char bytes[1 << 20];

static int fill(int in, int out, unsigned long size)
{
	fcntl(in, F_SETFL, O_NONBLOCK);
	while (write(in, bytes, size) > 0)
		;
	return out;
}

static int a_pipe(void)
{
	int ends[2];

	if (pipe(ends) != 0)
		return -1;
	fcntl(ends[1], F_SETPIPE_SZ, sizeof(bytes));
	return fill(ends[1], ends[0], sizeof(bytes));
}

static int some_messages(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0)
		return -1;
	fill(ends[0], ends[1], 1);
	return fill(ends[1], ends[0], 1);
}

static int an_event(void)
{
	return eventfd(0, 0);
}

static void many(int (*one)(void))
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (;;) {
		while (one() >= 0)
			;
		/* The parent keeps what it has, as long as it lives. */
		pid_t pid = fork();
		int status;

		if (pid < 0)
			_exit(9);
		if (pid > 0) {
			waitpid(pid, &status, 0);
			kill(getpid(), SIGKILL);
		}
		close_range(3, ~0U, 0);
	}
}

int main(int count, char **words)
{
	if (count < 2)
		return 2;
	if (strcmp(words[1], "pipes") == 0)
		many(a_pipe);
	if (strcmp(words[1], "messages") == 0)
		many(some_messages);
	if (strcmp(words[1], "events") == 0)
		many(an_event);
	while (semget(IPC_PRIVATE, 32000, 0600) >= 0)
		;
	printf("%s\n", strerror(errno));
	return 0;
}
