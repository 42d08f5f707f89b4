/*
 * The signal mask, changed in all ways while signals come from the process itself, from others and from timers; what children,
 * new programs and threads have of it, and what others see of it in /proc.
 */
#include "../check.h"
#include "../random.h"
#include "status.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

static const int signals[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM, SIGWINCH, 35, 40, 64 };
#define COUNT (int)(sizeof(signals) / sizeof(*signals))
/* Bits of `bits_of`, in the order of `signals`. */
#define CHLD 8
#define ALRM 16

static int depth, alarms;
static sigjmp_buf jump;
/* The next handler jumps out. */
static volatile int jumps;

static unsigned bits_of(const sigset_t *set)
{
	unsigned bits = 0;

	for (int i = 0; i < COUNT; i++)
		bits |= (unsigned)sigismember(set, signals[i]) << i;
	return bits;
}

static sigset_t set_of(unsigned bits)
{
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < COUNT; i++)
		if (bits >> i & 1)
			sigaddset(&set, signals[i]);
	return set;
}

static unsigned blocked(void)
{
	sigset_t set;

	MUST(sigprocmask(SIG_SETMASK, NULL, &set));
	return bits_of(&set);
}

static unsigned pending(void)
{
	sigset_t set;

	MUST(sigpending(&set));
	return bits_of(&set);
}

/* As the kernel has it. */
static void show_proc(pid_t pid)
{
	show_status(pid, "SigPnd ShdPnd SigBlk");
}

static void handler(int signal, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	if (signal == SIGALRM) {
		alarms++;
		return;
	}
	if (signal == SIGCHLD && info->si_code > 0)
		return;
	say("%*s%d value %d, blocked %x, before %x\n", 2 * ++depth, "", signal,
	    info->si_code == SI_QUEUE ? info->si_value.sival_int : -1, blocked(), bits_of(&u->uc_sigmask));
	depth--;
	if (jumps) {
		jumps = 0;
		siglongjmp(jump, 1);
	}
}

static void handle_all(void)
{
	for (int i = 0; i < COUNT; i++) {
		struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };

		a.sa_mask = set_of(i % 3 == 0 ? 1u << (i + 1) % COUNT : 0);
		MUST(sigaction(signals[i], &a, NULL));
	}
}

static void wait_for(const char *what, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		;
	say_status(what, status);
}

static void change(void)
{
	static const int hows[] = { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };
	sigset_t set = set_of(rnd(1 << COUNT)), old;
	int how = hows[rnd(3)];

	if (rnd(8) == 0)
		sigfillset(&set);
	MUST(sigprocmask(how, &set, rnd(2) ? &old : NULL));
	say("how %d of %x\n", how, bits_of(&set));
}

/* Both sets in one place, as some programs have them. */
static void change_in_place(void)
{
	sigset_t set = set_of(rnd(1 << COUNT));

	MUST(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, &set, 8));
	say("in place, was %x\n", bits_of(&set));
}

static void send_self(void)
{
	int signal = signals[rnd(COUNT - 2)], value = (int)rnd(100);

	say("send %d\n", signal);
	switch (rnd(4)) {
	case 0:
		MUST(raise(signal));
		break;
	case 1:
		MUST(kill(getpid(), signal));
		break;
	case 2:
		MUST(syscall(SYS_tgkill, getpid(), getpid(), signal));
		break;
	case 3:
		MUST(sigqueue(getpid(), signal, (union sigval){ .sival_int = value }));
		break;
	}
}

/* Several come through at once, in their order. */
static void let_through(void)
{
	sigset_t all = set_of((1u << COUNT) - 1), old;

	MUST(sigprocmask(SIG_BLOCK, &all, &old));
	for (int i = 0; i < 4; i++)
		MUST(sigqueue(getpid(), signals[rnd(COUNT)], (union sigval){ .sival_int = i }));
	say("together %x\n", pending() & ~CHLD);
	MUST(sigprocmask(SIG_SETMASK, &old, NULL));
}

/* What it says comes before what its signal does: that is blocked meanwhile. */
static void child_sends(void)
{
	sigset_t set = set_of((1u << COUNT) - 1), old;
	int signal = signals[rnd(COUNT)];
	pid_t pid;

	MUST(sigprocmask(SIG_BLOCK, &set, &old));
	pid = MUST(fork());
	if (pid == 0) {
		say("child blocked %x, pending %x\n", blocked(), pending());
		show_proc(getppid());
		MUST(sigprocmask(SIG_SETMASK, &old, NULL));
		MUST(sigqueue(getppid(), signal, (union sigval){ .sival_int = 5 }));
		_exit(0);
	}
	wait_for("child", pid);
	MUST(sigprocmask(SIG_SETMASK, &old, NULL));
}

static void vforked(void)
{
	sigset_t set = set_of(rnd(1 << COUNT)), now;
	pid_t pid = vfork();

	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &set, NULL);
		sigprocmask(SIG_SETMASK, NULL, &now);
		_exit(bits_of(&now) == bits_of(&set) ? 3 : 4);
	}
	wait_for("vforked", (pid_t)MUST(pid));
}

static void spawned(void)
{
	char *words[] = { "grep", "SigBlk", "/proc/self/status", NULL }, *no[] = { NULL };
	sigset_t set = set_of(rnd(1 << COUNT));
	posix_spawnattr_t how;
	pid_t pid;

	posix_spawnattr_init(&how);
	if (rnd(2)) {
		posix_spawnattr_setsigmask(&how, &set);
		posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
	}
	errno = posix_spawn(&pid, "/bin/grep", NULL, &how, words, no);
	wait_for("spawned", errno ? -1 : pid);
	posix_spawnattr_destroy(&how);
}

static int is_armed(void)
{
	struct itimerval left;

	MUST(getitimer(ITIMER_REAL, &left));
	return left.it_value.tv_sec || left.it_value.tv_usec;
}

static void timer(void)
{
	static const struct itimerval soon = { .it_value = { .tv_usec = 300 } };
	sigset_t set = set_of(ALRM), old;
	int before = alarms;

	MUST(sigprocmask(SIG_BLOCK, &set, &old));
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
	until((pending() & ALRM) && !is_armed());
	say("alarms %d\n", alarms - before);
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	say("alarms %d\n", alarms - before);
	MUST(sigprocmask(SIG_SETMASK, &old, NULL));
}

/* A mask that holds during a call only. */
static void during_call(void)
{
	sigset_t set = set_of((1u << COUNT) - 1), old, none = set_of(CHLD);
	struct timespec no_time = { 0 };
	int signal = signals[rnd(COUNT - 2)];

	if (signal == SIGCHLD || signal == SIGALRM)
		return;
	MUST(sigprocmask(SIG_BLOCK, &set, &old));
	MUST(raise(signal));
	switch (rnd(3)) {
	case 0:
		R(sigsuspend(&none));
		break;
	case 1:
		R(ppoll(NULL, 0, &no_time, &none));
		break;
	case 2:
		R(pselect(0, NULL, NULL, NULL, &no_time, &none));
		break;
	}
	say("blocked %x, pending %x\n", blocked(), pending() & ~CHLD);
	MUST(sigprocmask(SIG_SETMASK, &old, NULL));
}

static void out_of_handler(void)
{
	sigset_t set = set_of(1u << 1);

	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	if (sigsetjmp(jump, (int)rnd(2)) == 0) {
		jumps = 1;
		MUST(raise(signals[1]));
	}
	jumps = 0;
	say("out of it, blocked %x\n", blocked());
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

static void read_as_file(void)
{
	sigset_t set = set_of((1u << COUNT) - 1), old, wanted = set_of(1u << 6);
	struct signalfd_siginfo info;
	int fd;

	MUST(sigprocmask(SIG_BLOCK, &set, &old));
	fd = (int)MUST(signalfd(-1, &wanted, SFD_NONBLOCK));
	MUST(sigqueue(getpid(), signals[6], (union sigval){ .sival_int = 1 }));
	MUST(sigqueue(getpid(), signals[6], (union sigval){ .sival_int = 2 }));
	while (read(fd, &info, sizeof(info)) == sizeof(info))
		say("read %u value %d\n", info.ssi_signo, info.ssi_int);
	MUST(sigqueue(getpid(), signals[6], (union sigval){ .sival_int = 3 }));
	R(sigtimedwait(&wanted, NULL, &(struct timespec){ 0 }));
	close(fd);
	MUST(sigprocmask(SIG_SETMASK, &old, NULL));
}

/* What the main thread blocks the other one gets; then the main thread is alone again. */
static void *other(void *wanted)
{
	sigset_t set = set_of(1u << 1);
	struct timespec enough = { .tv_sec = 60 };

	say("thread blocked %x\n", blocked());
	say("thread got %d\n", sigtimedwait(&set, NULL, &enough));
	MUST(pthread_sigmask(SIG_SETMASK, wanted, NULL));
	say("thread blocked %x\n", blocked());
	return NULL;
}

static void with_thread(void)
{
	sigset_t set = set_of(1u << 1 | rnd(1 << COUNT)), old, wanted = set_of(rnd(1 << COUNT));
	pthread_t thread;

	MUST(sigprocmask(SIG_BLOCK, &set, &old));
	while (pending() & 2)
		sigtimedwait(&set, NULL, &(struct timespec){ 0 });
	errno = pthread_create(&thread, NULL, other, &wanted);
	MUST(errno == 0 ? 0 : -1);
	MUST(kill(getpid(), signals[1]));
	pthread_join(thread, NULL);
	say("main blocked %x, pending %x\n", blocked(), pending() & ~CHLD);
	MUST(sigprocmask(SIG_SETMASK, &old, NULL));
}

static void (*const steps[])(void) = { change, change, change, change, change_in_place, change_in_place,
				       send_self, send_self, send_self, send_self, let_through, child_sends,
				       vforked, timer, during_call, during_call, out_of_handler, read_as_file };

static void errors(void)
{
	uint64_t sets[3] = { ~0ul, 7, 7 };
	uint64_t *no_write = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#define MASK(how, set, old, size) R(syscall(SYS_rt_sigprocmask, how, set, old, size))

	MASK(SIG_SETMASK, sets, NULL, 8);
	MASK(77, NULL, sets + 1, 8);
	say("KILL and STOP are not blocked: %lx\n", (unsigned long)sets[1]);
	MASK(SIG_UNBLOCK, sets, no_write, 8);
	MASK(SIG_BLOCK, NULL, sets + 1, 8);
	say("it changed: %lx\n", (unsigned long)sets[1]);
	MASK(77, sets, sets + 1, 8);
	MASK(-1, sets, sets + 1, 8);
	MASK(1L << 32, sets, sets + 1, 8);
	MASK(77, (void *)8, NULL, 8);
	MASK(SIG_BLOCK, (void *)-8L, NULL, 8);
	MASK(SIG_BLOCK, sets, (void *)-8L, 8);
	MASK(SIG_BLOCK, sets, NULL, 4);
	MASK(SIG_BLOCK, sets, NULL, 16);
	MASK(SIG_BLOCK, NULL, NULL, 0);
	MASK(SIG_UNBLOCK, (char *)sets + 4, (char *)sets + 9, 8);
	MASK(SIG_SETMASK, sets, sets, 8);
	MASK(SIG_BLOCK, NULL, NULL, 8);
	say("%lx %lx %lx\n", (unsigned long)sets[0], (unsigned long)sets[1], (unsigned long)sets[2]);
	sets[0] = 0;
	MASK(SIG_SETMASK, sets, NULL, 8);
}

/* Nobody blocks these, and what is blocked does not keep a process from being stopped. */
static void stopped(void)
{
	int status;
	volatile int *ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = MUST(fork());

	if (pid == 0) {
		sigset_t all, now;

		for (sigfillset(&all);; *ready = 1) {
			sigprocmask(SIG_SETMASK, &all, NULL);
			sigprocmask(SIG_SETMASK, NULL, &now);
			if (sigismember(&now, SIGKILL) || sigismember(&now, SIGSTOP))
				_exit(1);
		}
	}
	until(*ready);
	MUST(kill(pid, SIGTERM));
	MUST(kill(pid, SIGSTOP));
	MUST(waitpid(pid, &status, WUNTRACED));
	say_status("it", status);
	show_proc(pid);
	MUST(kill(pid, SIGCONT));
	MUST(kill(pid, SIGKILL));
	wait_for("it", pid);
}

/* A filter is asked each time, in children too. */
static void filtered(void)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigprocmask, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(steps) / sizeof(*steps), steps };
	sigset_t set = set_of(3);
	pid_t pid;

	MUST(sigprocmask(SIG_SETMASK, &set, NULL));
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
	R(sigprocmask(SIG_BLOCK, NULL, &set));
	pid = (pid_t)MUST(syscall(SYS_fork));
	if (pid != 0)
		wait_for("child", pid);
	R(sigprocmask(SIG_UNBLOCK, &set, NULL));
	show_proc(getpid());
}

int main(int argc, char **argv)
{
	(void)argv;
	seed = 11 + (unsigned)argc;
	say("began blocked %x, pending %x\n", blocked(), pending() & ~CHLD);
	show_proc(getpid());
	handle_all();
	for (int i = 0; i < 1000; i++) {
		steps[rnd(sizeof(steps) / sizeof(*steps))]();
		if (i % 100 == 50)
			spawned();
		if (i % 100 == 0)
			with_thread();
		if (rnd(20) == 0)
			show_proc(getpid());
		say("blocked %x, pending %x\n", blocked(), pending() & ~CHLD);
	}
	if (argc < 3) {
		sigset_t set = set_of(0x1a7);

		MUST(sigprocmask(SIG_SETMASK, &set, NULL));
		MUST(raise(SIGUSR1));
		MUST(kill(getpid(), SIGHUP));
		execl("/proc/self/exe", argv[0], "1", argc > 1 ? "2" : NULL, NULL);
	}
	errors();
	stopped();
	in_child("filtered", filtered);
	return 0;
}
