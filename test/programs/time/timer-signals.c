/* timer_create(2), setitimer(2): several timers with one signal, one pending already, one ignored; what disarming leaves. */
#include "../check.h"

#define TIMERS 3

static volatile int fired, sum;
static timer_t timers[TIMERS];

static void count(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	fired++;
	if (info->si_code == SI_TIMER)
		sum += info->si_value.sival_int;
}

static void arm(int i, long value, long interval)
{
	struct itimerspec spec = {{0, interval}, {0, value}};

	MUST(timer_settime(timers[i], 0, &spec, NULL));
}

/* Its signal has been sent by then; until it is, what is left is one nanosecond at least. */
static int has_expired(int i)
{
	struct itimerspec left;

	MUST(timer_gettime(timers[i], &left));
	return left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0;
}

static void all_at_once(int before, int after)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	fired = sum = 0;
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (before)
		kill(getpid(), SIGUSR1);
	/* One after the other: which of two processors comes first with theirs nobody knows. */
	for (int i = 0; i < TIMERS; i++) {
		arm(i, 1000000, 0);
		until(has_expired(i));
	}
	if (after)
		kill(getpid(), SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	say("before %d after %d: %d signals, timers %d\n", before, after, fired, sum);
}

static void ignored(long interval)
{
	struct itimerspec left;

	arm(0, 1000000, interval);
	sleep_ms(20);
	R(timer_getoverrun(timers[0]));
	R(timer_gettime(timers[0], &left));
	R(left.it_interval.tv_nsec);
	R(left.it_value.tv_nsec <= interval);
	arm(0, 0, 0);
}

static void disarmed(void)
{
	struct itimerval with_interval = {{10, 20}, {0, 0}}, old;
	struct itimerspec spec = {{10, 20}, {0, 0}}, left;

	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
		R(setitimer(which, &with_interval, NULL));
		R(getitimer(which, &old));
		say("%d: interval %ld %ld\n", which, old.it_interval.tv_sec, old.it_interval.tv_usec);
	}
	R(timer_settime(timers[0], 0, &spec, NULL));
	R(timer_gettime(timers[0], &left));
	say("interval %ld %ld\n", left.it_interval.tv_sec, left.it_interval.tv_nsec);
}

int main(void)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO, .sa_sigaction = count};

	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < TIMERS; i++) {
		struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

		event.sigev_value.sival_int = 1 << i;
		MUST(timer_create(CLOCK_MONOTONIC, &event, &timers[i]));
	}
	all_at_once(0, 0);
	all_at_once(1, 0);
	all_at_once(0, 1);
	disarmed();
	signal(SIGUSR1, SIG_IGN);
	ignored(1000000);
	ignored(2000);
	ignored(2);
	return 0;
}
