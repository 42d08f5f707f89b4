/* SIGPROF and SIGVTALRM of interval timers are sent to the threads that run, or to who takes them in their place. */
#include <pthread.h>
#include "../check.h"

enum { SOME = 6 };

static int took[3];
static _Thread_local int self;
static volatile int stop;

static void on_signal(int signal)
{
	took[self]++;
}

static void *run(void *number)
{
	self = (int)(long)number;
	while (!stop)
		;
	return NULL;
}

static void *sleep_on(void *number)
{
	self = (int)(long)number;
	while (!stop)
		usleep(50000);
	return NULL;
}

static void *run_deaf(void *number)
{
	sigset_t set;
	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return run(number);
}

/* Until those of the three who shall have taken some. */
static void profile(const char *what, int which, int signal, void *(*other)(void *), int first, int second)
{
	struct itimerval every = { { 0, 10000 }, { 0, 10000 } }, never = { { 0 } };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	pthread_t threads[2];
	memset(took, 0, sizeof took);
	stop = 0;
	sigaction(signal, &action, NULL);
	pthread_create(&threads[0], NULL, run, (void *)1);
	pthread_create(&threads[1], NULL, other, (void *)2);
	setitimer(which, &every, NULL);
	until(took[first] >= SOME && took[second] >= SOME);
	setitimer(which, &never, NULL);
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	say("%s: some\n", what);
}

int main(void)
{
	profile("prof, one of two runs", ITIMER_PROF, SIGPROF, sleep_on, 1, 1);
	profile("prof, both run", ITIMER_PROF, SIGPROF, run, 1, 2);
	profile("prof, one that runs does not want it", ITIMER_PROF, SIGPROF, run_deaf, 0, 1);
	profile("virtual, both run", ITIMER_VIRTUAL, SIGVTALRM, run, 1, 2);
	return 0;
}
