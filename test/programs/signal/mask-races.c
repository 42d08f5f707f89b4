/*
 * Signals that come at the very moment at which they are unblocked, or blocked, from children and timers: none is lost, none
 * comes while it is blocked. Between a round's calls nothing else is asked of the kernel that could bring a signal in.
 */
#include "../check.h"
#include "../random.h"

static volatile sig_atomic_t is_blocked, handled, violations, last, disorder;

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	violations += is_blocked;
	if (info->si_code == SI_QUEUE) {
		disorder += info->si_value.sival_int != last + 1;
		last = info->si_value.sival_int;
	}
	handled++;
}

static void handle(int signal)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };

	MUST(sigaction(signal, &action, NULL));
	is_blocked = handled = violations = last = disorder = 0;
}

static sigset_t only(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	return set;
}

static void block(const sigset_t *set)
{
	sigprocmask(SIG_BLOCK, set, NULL);
	is_blocked = 1;
}

static void unblock(const sigset_t *set)
{
	is_blocked = 0;
	sigprocmask(SIG_UNBLOCK, set, NULL);
}

static void compute(unsigned n)
{
	for (volatile unsigned i = 0; i < n; i++)
		;
}

/* Without a call, for as long as that takes; what never comes is said. */
static int comes(int wanted)
{
	long end = now_ms() + 60000;

	while (handled < wanted)
		if (now_ms() > end)
			return 0;
	return 1;
}

static void end_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		;
	say_status("child", status);
}

/* A child answers each word with a signal. */
static pid_t answering_child(int fds[2], int signal, int to_thread)
{
	pid_t parent = getpid(), pid;
	char word;

	MUST(pipe(fds));
	pid = MUST(fork());
	if (pid != 0) {
		close(fds[0]);
		return pid;
	}
	close(fds[1]);
	while (read(fds[0], &word, 1) == 1) {
		compute(rnd(2000));
		if (to_thread)
			syscall(SYS_tgkill, parent, parent, signal);
		else
			kill(parent, signal);
	}
	_exit(0);
}

/* One signal a round; after the last call of the round it is there, or comes by itself. */
static void one_by_one(int signal, int to_thread, int rounds)
{
	sigset_t set = only(signal);
	int fds[2], lost = 0;
	pid_t pid;

	handle(signal);
	pid = answering_child(fds, signal, to_thread);
	for (int i = 0; i < rounds && lost == 0; i++) {
		block(&set);
		MUST(write(fds[1], "x", 1));
		for (unsigned n = rnd(4); n > 0; n--) {
			compute(rnd(6000));
			unblock(&set);
			compute(rnd(500));
			block(&set);
		}
		compute(rnd(20000));
		unblock(&set);
		lost += !comes(i + 1);
	}
	close(fds[1]);
	end_of(pid);
	say("one by one: %d handled, %d lost, %d while blocked\n", (int)handled, lost, (int)violations);
}

/* All are there in the end, in their order. */
static void many_at_once(int count)
{
	sigset_t set = only(SIGRTMIN);
	pid_t parent = getpid(), pid;

	handle(SIGRTMIN);
	pid = MUST(fork());
	if (pid == 0) {
		for (int i = 1; i <= count; i++)
			while (sigqueue(parent, SIGRTMIN, (union sigval){ .sival_int = i }) < 0)
				sched_yield();
		_exit(0);
	}
	while (handled < count) {
		block(&set);
		compute(rnd(300));
		unblock(&set);
	}
	end_of(pid);
	say("many: %d handled, %d in disorder, %d while blocked\n", (int)handled, (int)disorder, (int)violations);
}

/* Of a timer that goes on and on: what is pending when it is unblocked is handled before that call comes back. */
static void ticks(int signal, int count)
{
	sigset_t set = only(signal), pending;
	int late = 0;

	while (handled < count) {
		int before;

		block(&set);
		before = handled;
		compute(rnd(5000));
		if (rnd(4) == 0) {
			MUST(sigpending(&pending));
			unblock(&set);
			late += sigismember(&pending, signal) && handled == before;
		} else {
			unblock(&set);
		}
		if (rnd(50) == 0)
			sched_yield();
	}
	say("ticks: enough, %d late, %d while blocked\n", late, (int)violations);
}

static void interval_timer(void)
{
	struct itimerval often = { .it_interval = { .tv_usec = 150 }, .it_value = { .tv_usec = 150 } }, never = { 0 };

	handle(SIGALRM);
	MUST(setitimer(ITIMER_REAL, &often, NULL));
	ticks(SIGALRM, 400);
	MUST(setitimer(ITIMER_REAL, &never, NULL));
}

static void posix_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1 };
	struct itimerspec often = { { 0, 130000 }, { 0, 130000 } };
	timer_t timer;

	handle(SIGRTMIN + 1);
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
	MUST(timer_settime(timer, 0, &often, NULL));
	ticks(SIGRTMIN + 1, 400);
	MUST(timer_delete(timer));
}

static void one_alarm(void)
{
	sigset_t set = only(SIGALRM);

	handle(SIGALRM);
	alarm(1);
	while (handled == 0) {
		block(&set);
		unblock(&set);
	}
	say("alarm: %d handled, %d while blocked\n", (int)handled, (int)violations);
}

/* As shells do: a child is made while its end is blocked. */
static void children(int count)
{
	sigset_t set = only(SIGCHLD);
	int reaped = 0;

	handle(SIGCHLD);
	for (int i = 0; i < count; i++) {
		pid_t pid;

		block(&set);
		pid = MUST(fork());
		if (pid == 0)
			_exit(0);
		compute(rnd(3000));
		unblock(&set);
		block(&set);
		unblock(&set);
		comes(i + 1);
		reaped += waitpid(pid, NULL, WNOHANG) == pid;
	}
	signal(SIGCHLD, SIG_DFL);
	say("children: %d handled, %d reaped, %d while blocked\n", (int)handled, reaped, (int)violations);
}

/* The ways to wait for what is blocked. */
static void waits(int rounds)
{
	sigset_t set = only(SIGUSR2), none;
	int fds[2], wrong = 0;
	pid_t pid;

	handle(SIGUSR2);
	block(&set);
	sigemptyset(&none);
	pid = answering_child(fds, SIGUSR2, 0);
	for (int i = 0; i < rounds; i++) {
		MUST(write(fds[1], "x", 1));
		unblock(&set);
		block(&set);
		is_blocked = 0;
		while (handled <= i) {
			if (i % 3 == 0)
				wrong += sigsuspend(&none) != -1 || errno != EINTR;
			else if (i % 3 == 1)
				wrong += ppoll(NULL, 0, NULL, &none) != -1 || errno != EINTR;
			else
				wrong += pselect(0, NULL, NULL, NULL, NULL, &none) != -1 || errno != EINTR;
		}
		is_blocked = 1;
		MUST(sigprocmask(SIG_BLOCK, NULL, &none));
		wrong += !sigismember(&none, SIGUSR2);
		sigemptyset(&none);
	}
	close(fds[1]);
	unblock(&set);
	end_of(pid);
	say("waits: %d handled, %d wrong, %d while blocked\n", (int)handled, wrong, (int)violations);
}

/* Who blocks what would end it does not die then, not even a moment later. */
static void deadly(int rounds)
{
	volatile int *inside = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigset_t set = only(SIGTERM);
	int wrong = 0, dead = 0, status;

	for (int i = 0; i < rounds; i++) {
		pid_t pid;

		inside[0] = inside[1] = 0;
		pid = MUST(fork());
		if (pid == 0) {
			for (;;) {
				sigprocmask(SIG_BLOCK, &set, NULL);
				inside[0] = 1;
				compute(rnd(4000));
				inside[0] = 0;
				sigprocmask(SIG_UNBLOCK, &set, NULL);
				inside[1]++;
				compute(rnd(4000));
			}
		}
		until(inside[1] > 100);
		compute(rnd(100000));
		MUST(kill(pid, SIGTERM));
		MUST(waitpid(pid, &status, 0));
		dead += WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
		wrong += inside[0];
	}
	say("deadly: %d dead, %d while blocked\n", dead, wrong);
}

int main(void)
{
	seed = 3;
	one_by_one(SIGUSR1, 0, 1000);
	one_by_one(SIGUSR1, 1, 1000);
	one_by_one(SIGRTMIN + 2, 0, 300);
	many_at_once(3000);
	interval_timer();
	posix_timer();
	one_alarm();
	children(200);
	waits(600);
	deadly(40);
	return 0;
}
