/* sigaction(2): delivery, masks, flags, pending signals, siginfo. */
#include "../check.h"

static volatile int count, depth, deepest, again;
static siginfo_t last;

static void counting(int signal)
{
	(void)signal;
	count++;
}

static void informed(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	last = *info;
}

static void nesting(int signal)
{
	if (++depth > deepest)
		deepest = depth;
	if (again-- > 0)
		raise(signal);
	depth--;
	count++;
}

static void order(int signal)
{
	char text[] = "handler x\n";

	text[8] = signal == SIGUSR1 ? '1' : signal == SIGUSR2 ? '2' : 'r';
	write(1, text, 10);
}

static void set(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	R(sigaction(signal, &action, NULL));
}

int main(void)
{
	struct sigaction old;
	sigset_t mask, pending;

	set(SIGUSR1, counting, 0);
	R(raise(SIGUSR1));
	R(count);
	R(sigaction(SIGUSR1, NULL, &old));
	R(old.sa_handler == counting);
	set(SIGUSR1, counting, SA_RESETHAND);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &old);
	R(old.sa_handler == SIG_DFL);
	set(SIGUSR1, nesting, 0);
	again = 1;
	raise(SIGUSR1);
	R(deepest);
	set(SIGUSR1, nesting, SA_NODEFER);
	deepest = 0;
	again = 1;
	raise(SIGUSR1);
	R(deepest);
	R(sigaction(SIGKILL, NULL, &old));
	R(sigaction(SIGKILL, &old, NULL));
	R(sigaction(SIGSTOP, &old, NULL));
	R(sigaction(0, NULL, &old));
	R(sigaction(65, NULL, &old));
	R(signal(SIGKILL, SIG_IGN) == SIG_ERR);

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGUSR2);
	sigaddset(&mask, SIGKILL);
	R(sigprocmask(SIG_BLOCK, &mask, NULL));
	R(sigprocmask(77, &mask, NULL));
	sigprocmask(SIG_BLOCK, NULL, &mask);
	R(sigismember(&mask, SIGKILL));
	set(SIGUSR1, order, 0);
	set(SIGUSR2, order, 0);
	raise(SIGUSR2);
	raise(SIGUSR1);
	raise(SIGUSR1);
	R(sigpending(&pending));
	R(sigismember(&pending, SIGUSR1));
	R(sigismember(&pending, SIGHUP));
	sigemptyset(&mask);
	fflush(stdout);
	R(sigprocmask(SIG_SETMASK, &mask, NULL));

	struct sigaction action = {.sa_sigaction = informed, .sa_flags = SA_SIGINFO};
	sigaction(SIGUSR1, &action, NULL);
	kill(getpid(), SIGUSR1);
	say("kill: signo %d code %d pid %d uid %d\n", last.si_signo, last.si_code, last.si_pid == getpid(), last.si_uid == getuid());
	raise(SIGUSR1);
	say("tkill: code %d\n", last.si_code);
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 77});
	say("queue: code %d value %d\n", last.si_code, last.si_value.sival_int);

	/* Real-time signals queue; the others do not. The lowest comes first. */
	action.sa_sigaction = informed;
	int rt = SIGRTMIN + 3;
	sigemptyset(&mask);
	sigaddset(&mask, rt);
	sigaddset(&mask, rt + 1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	sigqueue(getpid(), rt + 1, (union sigval){.sival_int = 1});
	for (int i = 0; i < 3; i++)
		sigqueue(getpid(), rt, (union sigval){.sival_int = 10 + i});
	struct timespec none = {0, 0};
	for (int i = 0; i < 5; i++) {
		siginfo_t info;
		int got = sigtimedwait(&mask, &info, &none);
		say("got %d value %d\n", got < 0 ? -1 : got - rt, got < 0 ? 0 : info.si_value.sival_int);
	}
	struct timespec some = {0, 20000000};
	long before = now_ms();
	R(sigtimedwait(&mask, NULL, &some));
	R(now_ms() - before >= 20);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	if (MUST(fork()) == 0) {
		sleep_ms(30);
		kill(getppid(), SIGTERM);
		_exit(0);
	}
	int got;
	R(sigwait(&mask, &got));
	R(got);
	wait(NULL);

	signal(SIGCHLD, counting);
	count = 0;
	if (MUST(fork()) == 0)
		_exit(0);
	wait(NULL);
	R(count);
	signal(SIGUSR1, SIG_IGN);
	R(raise(SIGUSR1));
	R(syscall(SYS_tgkill, getpid(), getpid(), 0));
	R(syscall(SYS_tgkill, getpid(), 99999999, SIGUSR1));
	R(syscall(SYS_tkill, -1, SIGUSR1));
	R(kill(99999999, SIGUSR1));
	R(kill(getpid(), -1));
	R(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 4));
	R(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, (void *)8, 8));
	return 0;
}
