/* test: flags -pthread */
/* Signals that arrive as a call ends: its result and what a comparison makes of it stay what they are. */
#include "../check.h"
#include <pthread.h>

static pthread_t worker;
static volatile int handled, stop;

static void handler(int signal)
{
	(void)signal;
	handled++;
}

static void *disturb(void *arg)
{
	while (!stop) {
		pthread_kill(worker, SIGUSR1);
		usleep(20);
	}
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	int fds[2], wrong = 0;
	pthread_t thread;
	char byte = 0;

	MUST(pipe(fds));
	sigaction(SIGUSR1, &action, NULL);
	worker = pthread_self();
	pthread_create(&thread, NULL, disturb, NULL);
	for (int i = 0; i < 10000 || handled < 500; i++) {
		wrong += write(fds[1], "x", 1) != 1;
		wrong += read(fds[0], &byte, 1) != 1;
		wrong += lseek(fds[0], 0, SEEK_SET) != -1 || errno != ESPIPE;
		wrong += getppid() <= 0;
		errno = 0;
	}
	stop = 1;
	pthread_join(thread, NULL);
	say("%d results wrong, %d\n", wrong, handled >= 500);
	return 0;
}
