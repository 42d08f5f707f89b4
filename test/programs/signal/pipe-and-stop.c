/* SIGPIPE, stopping and continuing, SIGCHLD's codes. */
#include "../check.h"
#include <sys/socket.h>

static void writes(void)
{
	int fds[2];

	MUST(pipe(fds));
	close(fds[0]);
	write(fds[1], "x", 1);
	say("not reached\n");
}

static void ignores(void)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	MUST(pipe(fds));
	close(fds[0]);
	R(write(fds[1], "x", 1));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	close(fds[0]);
	R(send(fds[1], "x", 1, MSG_NOSIGNAL));
	R(write(fds[1], "x", 1));
}

static volatile int codes[8], seen;

static void on_child(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	codes[seen++ % 8] = info->si_code * 1000 + info->si_status;
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
	int status;

	in_child("write", writes);
	in_child("ignore", ignores);
	sigaction(SIGCHLD, &action, NULL);
	pid_t pid = MUST(fork());
	if (pid == 0) {
		for (;;)
			pause();
	}
	kill(pid, SIGSTOP);
	R(waitpid(pid, &status, WUNTRACED) == pid);
	R(kill(pid, SIGTERM));
	sleep_ms(30);
	R(waitpid(pid, &status, WNOHANG));
	kill(pid, SIGCONT);
	R(waitpid(pid, &status, 0) == pid);
	say_status("child", status);
	/* The signal that tells the end is lost if that of the continuation is still pending. */
	for (int i = 0; i < seen; i++)
		if (codes[i] / 1000 == CLD_STOPPED)
			say("code %d status %d\n", codes[i] / 1000, codes[i] % 1000);

	seen = 0;
	pid = MUST(fork());
	if (pid == 0) {
		for (;;)
			pause();
	}
	kill(pid, SIGTERM);
	R(waitpid(pid, &status, 0) == pid);
	say("%d code %d status %d\n", seen, codes[0] / 1000, codes[0] % 1000);

	seen = 0;
	action.sa_flags |= SA_NOCLDSTOP;
	sigaction(SIGCHLD, &action, NULL);
	pid = MUST(fork());
	if (pid == 0) {
		raise(SIGTSTP);
		_exit(3);
	}
	/* An orphaned group would ignore SIGTSTP, but ours has a parent elsewhere in the session, or not: stop surely. */
	while (waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status))
		kill(pid, SIGCONT);
	say_status("child", status);
	say("%d\n", seen);
	return 0;
}
