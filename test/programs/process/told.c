/*
 * What a program asks about itself over and over, and what it says of itself: dispositions of signals, limits, its break,
 * its thread pointer. By itself, by its threads and children, and after others have changed it.
 */
#define _GNU_SOURCE
#include "../check.h"
#include "../random.h"
#include <asm/prctl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define RESTORER 0x04000000UL
#define NOWHERE ((void *)16)

struct action {
	unsigned long handler, flags, restorer, mask;
};

static unsigned seed = 11;

static void handler(int signal)
{
	(void)signal;
}

static long action(int signal, const void *act, void *old, size_t size)
{
	return syscall(SYS_rt_sigaction, signal, act, old, size);
}

static unsigned long sum_of_actions(void)
{
	unsigned long sum = 0;

	for (int signal = 1; signal <= 64; signal++) {
		struct action a = { 1, 2, 3, 4 };

		MUST(action(signal, NULL, &a, 8));
		/* The library has handlers of its own. */
		if (a.handler > 1)
			a = (struct action){ 2, 0, 0, 0 };
		sum = sum * 31 + a.handler + a.flags * 7 + a.restorer * 5 + a.mask * 3;
	}
	return sum;
}

static struct action random_action(void)
{
	static const unsigned long flags[] = { 0, RESTORER, RESTORER | SA_RESTART, SA_NOCLDSTOP, SA_NOCLDWAIT | RESTORER,
					       SA_NODEFER, SA_SIGINFO | RESTORER, 0x400, 1UL << 40 };
	struct action a = { 0, flags[rnd(9)], rnd(2) ? 0x1234567890 : 0, rnd(2) ? ~0UL : rnd(60000) };

	if (rnd(3) == 0)
		a.handler = rnd(2) ? 1 : (unsigned long)handler;
	/* A handler needs its way back. */
	if (a.handler > 1)
		a.restorer = 0x7777, a.flags |= RESTORER;
	return a;
}

static void *other_thread(void *unused)
{
	struct action a = { 1, 0, 0, 0 };
	struct rlimit limit;

	say("thread sees %lx\n", sum_of_actions());
	MUST(action(SIGUSR2, &a, NULL, 8));
	MUST(getrlimit(RLIMIT_CORE, &limit));
	limit.rlim_cur = limit.rlim_cur == 0 ? 4096 : 0;
	MUST(setrlimit(RLIMIT_CORE, &limit));
	MUST(brk((char *)sbrk(0) + 4096));
	return unused;
}

static void vforked(void)
{
	struct action a = { 0, RESTORER, 0x99, 0xff00 };
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		for (int signal = 1; signal <= 64; signal++) {
			struct action old;

			action(signal, NULL, &old, 8);
			if (old.handler != 1)
				action(signal, &a, NULL, 8);
		}
		syscall(SYS_brk, (char *)syscall(SYS_brk, 0) + 4096);
		_exit((int)(sum_of_actions() & 0x7f));
	}
	MUST(pid);
	MUST(waitpid(pid, &status, 0));
	say_status("vforked", status);
}

static void changes_parent(void)
{
	struct rlimit limit = { 9000000 + rnd(100), RLIM_INFINITY };

	R(prlimit(getppid(), RLIMIT_STACK, &limit, NULL));
	say("child sees %lx\n", sum_of_actions());
}

static long filtered(int nr, int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, code };

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static void under_filters(void)
{
	struct rlimit limit;
	struct action a;

	R(action(SIGHUP, NULL, &a, 8));
	R(filtered(SYS_rt_sigaction, ENOTTY));
	R(action(SIGHUP, NULL, &a, 8));
	R(filtered(SYS_prlimit64, EDOM));
	R(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &limit));
	R(filtered(SYS_brk, EPIPE));
	R(syscall(SYS_brk, 0));
	R(filtered(SYS_getuid, EXDEV));
	R(filtered(SYS_gettid, ENODEV));
	if (fork() == 0) {
		R(getuid());
		R(syscall(SYS_gettid));
		R(action(SIGHUP, NULL, &a, 8));
		_exit(0);
	}
	MUST(wait(NULL));
}

/* What nobody has asked about yet. */
static void inherits(void)
{
	struct action a = { 0, RESTORER | SA_RESTART, 0x1234567890, 0xf0 };
	char *end = (char *)syscall(SYS_brk, 0);
	int status;

	say("all %lx\n", sum_of_actions());
	R(action(50, &a, NULL, 8));
	if (fork() == 0) {
		say("child sees %lx\n", sum_of_actions());
		_exit(0);
	}
	MUST(wait(&status));
	R(action(51, &a, NULL, 8));
	vforked();
	say("all %lx, break moved by %ld\n", sum_of_actions(), syscall(SYS_brk, 0) - (long)end);
}

static void step(void)
{
	static const int signals[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGWINCH, SIGKILL, SIGSTOP, SIGTERM, 40, 64, 0, 65, -1 };
	int signal = signals[rnd(13)];
	static const int limits[] = { RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RTPRIO, 16 };
	struct action a = random_action(), old = { 0, 0, 0, 0 };
	struct rlimit limit = { 0, 0 };
	static char *first;
	pthread_t thread;
	long r;

	/* Children are waited for, and no handler is ever to run. */
	if (signal == SIGCHLD)
		a = (struct action){ 0, a.flags & ~(unsigned long)SA_NOCLDWAIT, 0, a.mask };
	if (!first)
		first = sbrk(0);
	switch (rnd(16)) {
	case 0: case 1: case 2: case 3:
		r = action(signal, NULL, &old, 8);
		say("query %d %ld %lx %lx %lx %lx\n", signal, r, old.handler > 1 ? 2 : old.handler, old.flags, old.restorer, old.mask);
		break;
	case 4: case 5: case 6:
		r = action(signal, &a, NULL, 8);
		say("set %d %ld\n", signal, r);
		break;
	case 7:
		r = action(signal, &a, &old, 8);
		say("change %d %ld %lx %lx %lx\n", signal, r, old.flags, old.restorer, old.mask);
		break;
	case 8:
		R(action(signal, rnd(2) ? NOWHERE : NULL, rnd(2) ? NOWHERE : NULL, rnd(2) ? 8 : 16));
		break;
	case 9:
		say("all %lx\n", sum_of_actions());
		break;
	case 10:
		r = syscall(SYS_prlimit64, 0, limits[rnd(4)], NULL, &limit);
		say("limit %ld %lx %lx\n", r, limit.rlim_cur, limit.rlim_max);
		break;
	case 11:
		MUST(getrlimit(RLIMIT_STACK, &limit));
		limit.rlim_cur = 8000000 + rnd(100000);
		R(setrlimit(RLIMIT_STACK, &limit));
		break;
	case 12:
		r = syscall(SYS_brk, rnd(2) ? 0 : (char *)syscall(SYS_brk, 0) + rnd(10000));
		say("brk %ld\n", r - (long)first);
		break;
	case 13:
		in_child("child", changes_parent);
		break;
	case 14:
		vforked();
		break;
	case 15:
		MUST(pthread_create(&thread, NULL, other_thread, NULL));
		MUST(pthread_join(thread, NULL));
		break;
	}
}

static int cleared = 1;

static void *clears_another_word(void *unused)
{
	say("own number %d\n", syscall(SYS_set_tid_address, &cleared) == syscall(SYS_gettid));
	syscall(SYS_exit, 0);
	return unused;
}

/* A thread that names another word to be cleared is not to be joined: its stack stays. */
static void says_where_to_clear(void)
{
	static char stack[65536];
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, stack, sizeof(stack));
	MUST(pthread_create(&thread, &attributes, clears_another_word, NULL));
	while (__atomic_load_n(&cleared, __ATOMIC_SEQ_CST) != 0)
		syscall(SYS_futex, &cleared, FUTEX_WAIT, 1, NULL, NULL, 0);
	say("cleared\n");
}

static void asks_for_its_list(void)
{
	static long head[3] = { (long)head, 0, 0 };
	void *list;
	size_t size;

	R(syscall(SYS_set_robust_list, head, 24));
	R(syscall(SYS_set_robust_list, head, 25));
	R(syscall(SYS_get_robust_list, 0, &list, &size));
	say("own list %d %zu\n", list == head, size);
}

static void sets_its_pointer(void)
{
	unsigned long base, again;

	MUST(syscall(SYS_arch_prctl, ARCH_GET_FS, &base));
	R(syscall(SYS_arch_prctl, ARCH_SET_FS, base));
	R(syscall(SYS_arch_prctl, ARCH_SET_FS, 0x7ffffffff000));
	R(syscall(SYS_arch_prctl, ARCH_SET_FS, -4096L));
	MUST(syscall(SYS_arch_prctl, ARCH_GET_FS, &again));
	say("pointer kept %d\n", base == again);
}

int main(int argc, char **argv)
{
	int steps = argc > 1 ? atoi(argv[1]) : 0;
	char more[16];

	say("begins with %lx\n", sum_of_actions());
	if (argc == 1) {
		says_where_to_clear();
		asks_for_its_list();
		sets_its_pointer();
		in_child("filtered", under_filters);
		inherits();
	}
	seed += (unsigned)steps;
	for (int i = 0; i < 120; i++)
		step();
	if (steps == 3)
		return 0;
	snprintf(more, sizeof(more), "%d", steps + 1);
	execl("/proc/self/exe", argv[0], more, NULL);
	return 1;
}
