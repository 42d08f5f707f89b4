/* setitimer(2), timer_create(2), alarm(2). */
#include "../check.h"
#include <pthread.h>

static volatile int fired, value, code, overrun;
static timer_t timer;

static void plain(int signal)
{
	(void)signal;
	fired++;
}

static void informed(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	fired++;
	value = info->si_value.sival_int;
	code = info->si_code;
	overrun += info->si_overrun;
}

static void wait_for(int count)
{
	until(fired >= count);
	say("fired at least %d\n", count);
}

int main(void)
{
	struct itimerval it = {{0, 10000}, {0, 10000}}, now;

	signal(SIGALRM, plain);
	signal(SIGVTALRM, plain);
	signal(SIGPROF, plain);
	R(setitimer(ITIMER_REAL, &it, NULL));
	R(getitimer(ITIMER_REAL, &now));
	R(now.it_interval.tv_usec);
	R(now.it_value.tv_usec > 0 && now.it_value.tv_usec <= 10000);
	wait_for(5);
	it = (struct itimerval){{0, 0}, {0, 0}};
	R(setitimer(ITIMER_REAL, &it, &now));
	R(now.it_interval.tv_usec);
	fired = 0;
	sleep_ms(50);
	R(fired);
	it = (struct itimerval){{0, 0}, {0, 20000}};
	R(setitimer(ITIMER_REAL, &it, NULL));
	wait_for(1);
	sleep_ms(50);
	R(fired);
	fired = 0;
	it = (struct itimerval){{0, 0}, {0, 20000}};
	R(setitimer(ITIMER_PROF, &it, NULL));
	while (!fired)
		;
	R(fired);
	R(setitimer(99, &it, NULL));
	it.it_value.tv_usec = 1000000;
	R(setitimer(ITIMER_REAL, &it, NULL));

	struct sigaction action = {.sa_sigaction = informed, .sa_flags = SA_SIGINFO};
	sigaction(SIGRTMIN, &action, NULL);
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 4321};
	R(timer_create(CLOCK_MONOTONIC, &event, &timer));
	struct itimerspec spec = {{0, 5000000}, {0, 10000000}}, left;
	fired = 0;
	R(timer_settime(timer, 0, &spec, NULL));
	R(timer_gettime(timer, &left));
	R(left.it_interval.tv_nsec);
	wait_for(4);
	R(value);
	R(code);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	overrun = 0;
	sleep_ms(60);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	R(overrun > 5);
	R(timer_delete(timer));
	R(timer_delete(timer));
	event.sigev_notify = SIGEV_NONE;
	R(timer_create(CLOCK_REALTIME, &event, &timer));
	R(timer_getoverrun(timer));
	R(timer_delete(timer));
	event.sigev_signo = 99;
	event.sigev_notify = SIGEV_SIGNAL;
	R(timer_create(CLOCK_REALTIME, &event, &timer));
	R(timer_create(9999, NULL, &timer));
	fired = 0;
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigemptyset(&set);
	long begin = now_ms();
	R(alarm(1));
	R(sigsuspend(&set));
	R(now_ms() - begin > 900);
	R(fired);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGALRM, SIG_DFL);
		sigprocmask(SIG_SETMASK, &set, NULL);
		alarm(1);
		execlp("sleep", "sleep", "1000", NULL);
	}
	int status;
	waitpid(pid, &status, 0);
	say_status("alarm through exec", status);
	return 0;
}
