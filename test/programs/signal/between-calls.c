/* SIGCHLD arrives while a read that slept wakes up: what it read, and what a comparison makes of it, stay. */
#include "../check.h"

static volatile int handled;

static void handler(int signal)
{
	(void)signal;
	handled++;
}

/* What a child says and its end come at once. Bytes read before the end of the file, or -1. */
static int substitute(void)
{
	char text[512], said[200];
	int fds[2], total = 0, n;

	memset(said, 'x', sizeof said);
	MUST(pipe(fds));
	if (MUST(fork()) == 0) {
		write(fds[1], said, sizeof said);
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], text, sizeof text)) > 0)
		total += n;
	close(fds[0]);
	while (wait(NULL) > 0)
		;
	return n < 0 ? n : total;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	int right = 0;

	sigaction(SIGCHLD, &action, NULL);
	for (int i = 0; i < 1000; i++)
		right += substitute() == 200;
	say("%d right, %d\n", right, handled);
	return 0;
}
