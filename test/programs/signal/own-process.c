/* test: flags -pthread */
/* Who signals its own process takes the signal before kill returns, though another thread is in and out of the
 * kernel all the time. (Now and then the other is faster, natively as well.) */
#include "../check.h"
#include <pthread.h>

enum { ROUNDS = 1000 };

static pthread_t main_thread;
static volatile int mine, others;
static volatile int over;

static void counts(int signal)
{
	(void)signal;
	if (pthread_equal(pthread_self(), main_thread))
		mine++;
	else
		others++;
}

static void nothing(int signal)
{
	(void)signal;
}

static void *signals_itself(void *argument)
{
	(void)argument;
	while (!over)
		pthread_kill(pthread_self(), SIGUSR2);
	return NULL;
}

int main(void)
{
	pthread_t other;
	int at_once = 0;

	main_thread = pthread_self();
	signal(SIGUSR1, counts);
	signal(SIGUSR2, nothing);
	R(pthread_create(&other, NULL, signals_itself, NULL));
	for (int i = 0; i < ROUNDS; i++) {
		int before = mine;

		kill(getpid(), SIGUSR1);
		at_once += mine == before + 1;
	}
	over = 1;
	R(pthread_join(other, NULL));
	R(at_once > ROUNDS * 9 / 10);
	/* None is lost, none comes twice. */
	until(mine + others == ROUNDS);
	R(mine + others);
	return 0;
}
