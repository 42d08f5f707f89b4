/*
 * Dispositions that change all the time, and signals that come meanwhile: from the process itself and from others, blocked
 * and unblocked, before and after fork and vfork, and what /proc tells others of them.
 */
#define _GNU_SOURCE
#include "../check.h"
#include "status.h"
#include "../random.h"
#include <signal.h>

static const int signals[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGWINCH, SIGURG, SIGCONT, 35, 64 };
#define COUNT (int)(sizeof(signals) / sizeof(*signals))

static unsigned seed = 7;
static int depth;

/* Which of ours are blocked, as bits. */
static unsigned blocked(void)
{
	sigset_t set;
	unsigned bits = 0;

	MUST(sigprocmask(SIG_SETMASK, NULL, &set));
	for (int i = 0; i < COUNT; i++)
		bits |= (unsigned)sigismember(&set, signals[i]) << i;
	return bits;
}

static void plain(int signal)
{
	say("%*splain %d, blocked %x\n", 2 * ++depth, "", signal, blocked());
	depth--;
}

static void informed(int signal, siginfo_t *info, void *context)
{
	(void)context;
	say("%*sinformed %d of %d, blocked %x\n", 2 * ++depth, "", signal, info->si_signo, blocked());
	depth--;
}

/* While it runs another signal's disposition changes, and that signal comes. */
static void changes(int signal)
{
	say("%*schanges %d, blocked %x\n", 2 * ++depth, "", signal, blocked());
	if (depth < 3) {
		MUST(sigaction(SIGUSR2, &(struct sigaction){ .sa_handler = plain }, NULL));
		MUST(raise(SIGUSR2));
	}
	depth--;
}

static const char *name_of(const struct sigaction *a)
{
	return a->sa_handler == SIG_DFL ? "default" : a->sa_handler == SIG_IGN ? "ignored" :
	       a->sa_handler == plain	? "plain" :
	       a->sa_handler == changes ? "changes" : "informed";
}

static struct sigaction random_action(void)
{
	static const int flags[] = { 0, SA_RESTART, SA_NODEFER, SA_RESETHAND, SA_NODEFER | SA_RESETHAND, SA_NOCLDSTOP };
	struct sigaction a = { .sa_flags = flags[rnd(6)] };

	sigemptyset(&a.sa_mask);
	if (rnd(2))
		sigaddset(&a.sa_mask, signals[rnd(COUNT)]);
	switch (rnd(5)) {
	case 0: case 1:
		a.sa_handler = plain;
		break;
	case 2:
		a.sa_sigaction = informed;
		a.sa_flags |= SA_SIGINFO;
		break;
	case 3:
		a.sa_handler = changes;
		break;
	case 4:
		a.sa_handler = SIG_IGN;
		break;
	}
	return a;
}

/* Whether it can be sent: by default most would end us, and a handler may serve once. */
static int is_safe(int signal)
{
	struct sigaction a;
	sigset_t pending;

	MUST(sigpending(&pending));
	MUST(sigaction(signal, NULL, &a));
	if (sigismember(&pending, signal))
		return 0;
	return a.sa_handler != SIG_DFL || signal == SIGWINCH || signal == SIGURG || signal == SIGCONT;
}

static void show_proc(pid_t pid)
{
	show_status(pid, "SigIgn SigCgt");
}

static void wait_for(const char *what, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		;
	say_status(what, status);
}

/* What it has inherited, and what becomes of that; its parent's stays as it is. */
static void show_inherited(void)
{
	struct sigaction a;

	for (int i = 0; i < COUNT; i++) {
		MUST(sigaction(signals[i], NULL, &a));
		say("  %d is %s, flags %x\n", signals[i], name_of(&a), (unsigned)a.sa_flags & ~0x04000000u);
	}
	a = random_action();
	MUST(sigaction(SIGUSR1, &a, NULL));
	show_proc(getpid());
}

/* Nobody prints after the signal but who gets it. */
static void child_sends(int signal)
{
	static int children;
	int shows = ++children % 2;
	pid_t pid = MUST(fork());

	if (pid == 0) {
		show_proc(getppid());
		if (shows)
			show_inherited();
		if (!is_safe(signal))
			_exit(1);
		MUST(raise(signal));
		MUST(kill(getppid(), signal));
		_exit(0);
	}
	wait_for("child", pid);
}

static void vforked(void)
{
	struct sigaction a = { .sa_handler = plain };
	pid_t pid = vfork();

	if (pid == 0) {
		sigaction(SIGHUP, &a, NULL);
		raise(SIGHUP);
		signal(SIGTERM, SIG_IGN);
		raise(SIGTERM);
		_exit(3);
	}
	wait_for("vforked", (pid_t)MUST(pid));
}

static void step(void)
{
	int signal = signals[rnd(COUNT)];
	struct sigaction a = random_action(), old;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	switch (rnd(8)) {
	case 0: case 1: case 2:
		MUST(sigaction(signal, &a, &old));
		say("%d was %s, flags %x\n", signal, name_of(&old), (unsigned)old.sa_flags & ~0x04000000u);
		break;
	case 3:
		if (!is_safe(signal))
			break;
		say("raise %d\n", signal);
		MUST(raise(signal));
		break;
	case 4:
		MUST(sigprocmask(rnd(2) ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL));
		break;
	case 5:
		/* What becomes of one that is blocked and pending when its disposition changes. */
		if (!is_safe(signal))
			break;
		MUST(sigprocmask(SIG_BLOCK, &set, NULL));
		MUST(raise(signal));
		MUST(sigaction(signal, &a, NULL));
		MUST(sigpending(&set));
		say("pending %d\n", sigismember(&set, signal));
		break;
	case 6:
		if (is_safe(signal))
			child_sends(signal);
		break;
	case 7:
		vforked();
		break;
	}
	say("blocked %x\n", blocked());
}

int main(int argc, char **argv)
{
	(void)argv;
	seed += (unsigned)argc;
	show_proc(getpid());
	for (int i = 0; i < 600; i++)
		step();
	MUST(sigaction(SIGHUP, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL));
	MUST(sigaction(SIGTERM, &(struct sigaction){ .sa_handler = plain }, NULL));
	show_proc(getpid());
	if (argc < 3)
		execl("/proc/self/exe", argv[0], "1", argc > 1 ? "2" : NULL, NULL);
	return 0;
}
