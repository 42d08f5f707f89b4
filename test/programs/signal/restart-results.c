/* What calls write that a handler interrupted and that were restarted: where it belongs, and whole. From sites that were used often. */
#include "../check.h"
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define ROUNDS 60

static volatile int handled;

static void handler(int signal)
{
	char scratch[64];
	int pipes[2];

	(void)signal;
	handled++;
	/* Calls of its own, which bring and take small things. */
	if (pipe(pipes) != 0 || write(pipes[1], "handler", 7) != 7 || read(pipes[0], scratch, 64) != 7)
		say("handler failed\n");
	close(pipes[0]);
	close(pipes[1]);
}

/* A child that signals its parent, which waits, and then does what that waits for. */
static pid_t disturber(int to, int round)
{
	pid_t parent = getpid(), child = fork();

	if (child != 0)
		return child;
	while (!sleeps_in(parent, to < 0 ? SYS_wait4 : SYS_read))
		;
	kill(parent, SIGUSR1);
	if (round % 2)
		sleep_ms(2);
	if (to >= 0 && write(to, &round, sizeof round) != sizeof round)
		_exit(99);
	_exit(round % 7);
}

static void waits(void)
{
	int wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int status = -1;
		pid_t child = disturber(-1, i);

		wrong += waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != i % 7;
	}
	say("waits: %d wrong\n", wrong);
}

static void reads(const int *fds)
{
	int wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct { int before, value, after; } got = { 11, -1, 12 };
		pid_t child = disturber(fds[1], i);

		wrong += read(fds[0], &got.value, sizeof got.value) != sizeof got.value;
		wrong += got.value != i || got.before != 11 || got.after != 12;
		while (waitpid(child, NULL, 0) != child)
			;
	}
	say("reads: %d wrong\n", wrong);
}

int main(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	int pipes[2], sockets[2];

	sigaction(SIGUSR1, &action, NULL);
	MUST(pipe(pipes));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	waits();
	reads(pipes);
	reads(sockets);
	say("handled %d\n", handled);
	return 0;
}
