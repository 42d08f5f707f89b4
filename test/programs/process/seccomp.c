/*
 * seccomp(2): strict mode, filters and their actions, what is inherited, what is refused.
 * test: flags -pthread
 */
#include "../check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#define NR BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ARG_LOW(i) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (i))
#define ARG_HIGH(i) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (i) + 4)
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define RET(what) BPF_STMT(BPF_RET | BPF_K, what)
#define ALLOW RET(SECCOMP_RET_ALLOW)
/* One call is answered so, all others are allowed. */
#define ON(call, what) {NR, IF(SYS_##call, 0, 1), RET(what), ALLOW}

static int install(struct sock_filter *filter, int count, unsigned flags)
{
	struct sock_fprog program = {count, filter};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
#define INSTALL(...) \
	({ \
		struct sock_filter filter[] = __VA_ARGS__; \
		install(filter, sizeof filter / sizeof *filter, 0); \
	})

static void show_status(void)
{
	char line[200];
	FILE *f = fopen("/proc/self/status", "r");

	while (fgets(line, sizeof line, f))
		if (strncmp(line, "Seccomp", 7) == 0 || strncmp(line, "NoNewPrivs", 10) == 0)
			say("%s", line);
	fclose(f);
}

static void strict_ok(void)
{
	R(prctl(PR_GET_SECCOMP));
	R(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	MUST(write(1, "still writes\n", 13));
	syscall(SYS_exit, 7);
}

static void strict_not(void)
{
	syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
	syscall(SYS_getpid);
	MUST(write(1, "not reached\n", 12));
	syscall(SYS_exit, 0);
}

static void errnos(void)
{
	struct utsname name;

	R(INSTALL(ON(uname, SECCOMP_RET_ERRNO | EXDEV)));
	R(uname(&name));
	R(INSTALL(ON(uname, SECCOMP_RET_ERRNO | ENODEV)));
	R(uname(&name));
	R(INSTALL(ON(getppid, SECCOMP_RET_ERRNO | 0)));
	R(getppid());
	R(INSTALL(ON(getuid, SECCOMP_RET_ERRNO | 0xffff)));
	R(getuid());
	R(INSTALL(ON(getgid, SECCOMP_RET_TRACE)));
	R(getgid());
	R(INSTALL(ON(getegid, SECCOMP_RET_LOG)));
	R(getegid() == getgid());
	R(prctl(PR_GET_SECCOMP));
	show_status();
	R(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	in_child("inherits", ({ void f(void) { struct utsname n; R(uname(&n)); } f; }));
	R(access("/nonexistent", F_OK));
	R(INSTALL(ON(access, SECCOMP_RET_ERRNO | ENODEV)));
	R(access("/nonexistent", F_OK));
	R(INSTALL(ON(faccessat, SECCOMP_RET_ERRNO | ENODEV)));
	fflush(stdout);
	execl("/bin/sh", "sh", "-c", "uname 2>/dev/null; echo $?", NULL);
}

static void arguments(void)
{
	/* dup(fd) of 5: by the lower half; of what has a high half: by that. */
	R(INSTALL({NR, IF(SYS_dup, 0, 5), ARG_LOW(0), IF(5, 0, 1), RET(SECCOMP_RET_ERRNO | 50), ARG_HIGH(0),
		   IF(0, 0, 1), ALLOW, RET(SECCOMP_RET_ERRNO | 51)}));
	R(syscall(SYS_dup, 5));
	R(syscall(SYS_dup, 99));
	R(syscall(SYS_dup, 0x100000063));
	R(syscall(SYS_dup, -1l));
	/* The upper half of a length. */
	R(INSTALL({NR, IF(SYS_mmap, 0, 3), ARG_HIGH(1), IF(0x7ff, 0, 1), RET(SECCOMP_RET_ERRNO | 52), ALLOW}));
	R(syscall(SYS_mmap, 0, 0x7ff00000000, 0, 0x22, -1, 0));
	R(syscall(SYS_mmap, 0, 4096, 0, 0x22, -1, 0) != -1);
	/* Calls that do not exist. */
	R(INSTALL({NR, IF(5000, 0, 1), RET(SECCOMP_RET_ERRNO | 53), ALLOW}));
	R(syscall(5000));
	R(syscall(5001));
}

static volatile int trapped;

static void on_trap(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	trapped++;
	say("  signal %d code %d errno %d call %d arch %x at %d rax %lld\n", signal, info->si_code, info->si_errno,
	    info->si_syscall, info->si_arch, info->si_call_addr == (void *)uc->uc_mcontext.gregs[REG_RIP],
	    uc->uc_mcontext.gregs[REG_RAX]);
	uc->uc_mcontext.gregs[REG_RAX] = 1234;
}

static void traps(void)
{
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

	sigaction(SIGSYS, &action, NULL);
	R(INSTALL(ON(getppid, SECCOMP_RET_TRAP | 77)));
	R(syscall(SYS_getppid));
	R(trapped);
	signal(SIGSYS, SIG_IGN);
	syscall(SYS_getppid);
}

static void kills(void)
{
	R(INSTALL(ON(getppid, SECCOMP_RET_KILL_PROCESS)));
	getppid();
}

static void unknown(void)
{
	R(INSTALL(ON(getppid, 0x12340000)));
	getppid();
}

static volatile pid_t dying;

static void *dies(void *arg)
{
	dying = gettid();
	INSTALL(ON(getppid, SECCOMP_RET_KILL_THREAD));
	getppid();
	return arg;
}

static void kills_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, dies, NULL);
	until(dying != 0 && state_of(dying) == 0);
	R(getppid() > 0);
	R(INSTALL(ON(getppid, SECCOMP_RET_KILL_THREAD)));
	getppid();
}

static int pipes[2];

static void *waits(void *arg)
{
	char c;

	read(pipes[0], &c, 1);
	R(getppid());
	if (arg != NULL)
		read(pipes[0], &c, 1);
	return NULL;
}

static void synchronizes(void)
{
	struct sock_filter filter[] = ON(getppid, SECCOMP_RET_ERRNO | 33);
	struct sock_filter other[] = ON(getuid, SECCOMP_RET_ERRNO | 34);
	pthread_t thread;

	MUST(pipe(pipes));
	pthread_create(&thread, NULL, waits, NULL);
	R(install(filter, 4, SECCOMP_FILTER_FLAG_TSYNC));
	MUST(write(pipes[1], "x", 1));
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, waits, NULL);
	R(install(other, 4, 0));
	MUST(write(pipes[1], "x", 1));
	pthread_join(thread, NULL);
}

static void errors(void)
{
	struct sock_filter many[4097];
	struct sock_filter one[] = {ALLOW};
	unsigned actions[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
			      SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW, 0x12340000, 1};

	for (int i = 0; i < 4097; i++)
		many[i] = (struct sock_filter)ALLOW;
	R(syscall(SYS_seccomp, 99, 0, NULL));
	R(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL));
	R(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, "x"));
	R(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
	R(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1 << 20, NULL));
	R(prctl(PR_SET_SECCOMP, 5, NULL));
	R(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL));
	for (int i = 0; i < 9; i++)
		R(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &actions[i]));
	R(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &actions[0]));
	R(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL));
	R(install(one, 0, 0));
	R(install(many, 4097, 0));
	R(install((void *)8, 1, 0));
	R(INSTALL({NR}));
	R(INSTALL({NR, IF(1, 0, 1), ALLOW}));
	R(INSTALL({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), ALLOW}));
	R(INSTALL({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), ALLOW}));
	R(INSTALL({BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), ALLOW}));
	R(INSTALL({BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ALLOW}));
	R(INSTALL({BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 2), ALLOW}));
	R(INSTALL({BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), ALLOW}));
	R(INSTALL({BPF_STMT(BPF_LD | BPF_MEM, 0), ALLOW}));
	R(INSTALL({BPF_STMT(BPF_ST, 16), ALLOW}));
	R(INSTALL({NR, IF(1, 0, 1), BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW}));
	R(INSTALL({BPF_STMT(BPF_JMP | BPF_JA, 1), ALLOW}));
	R(INSTALL({BPF_STMT(BPF_JMP | BPF_JA, -1), ALLOW}));
	R(INSTALL({BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3), ALLOW}));
	R(install(many, 4096, 0));
	R(install(many, 4096, 0));
}

/* The arithmetic: what a program computes is the error that getppid answers. */
static void computes(struct sock_filter *middle, int count)
{
	struct sock_filter filter[40] = {NR, IF(SYS_getppid, 1, 0), ALLOW};

	memcpy(filter + 3, middle, count * sizeof *middle);
	filter[count + 3] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff);
	filter[count + 4] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO);
	filter[count + 5] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	if (fork() == 0) {
		MUST(install(filter, count + 6, 0));
		say("%ld\n", syscall(SYS_getppid) == -1 ? (long)errno : 0);
		_exit(0);
	}
	wait(NULL);
}
#define COMPUTES(...) \
	do { \
		struct sock_filter middle[] = {__VA_ARGS__}; \
		computes(middle, sizeof middle / sizeof *middle); \
	} while (0)
#define A(value) BPF_STMT(BPF_LD | BPF_IMM, value)
#define X(value) BPF_STMT(BPF_LDX | BPF_IMM, value)
#define K(op, value) BPF_STMT(BPF_ALU | op | BPF_K, value)
#define BY_X(op) BPF_STMT(BPF_ALU | op | BPF_X, 0)

static void arithmetic(void)
{
	COMPUTES(A(100), K(BPF_ADD, 23));
	COMPUTES(A(100), K(BPF_SUB, 101), K(BPF_RSH, 30));
	COMPUTES(A(0x12345678), K(BPF_MUL, 0x9abcdef), K(BPF_RSH, 20));
	COMPUTES(A(-7), K(BPF_DIV, 3), K(BPF_RSH, 16));
	COMPUTES(A(0xf0f), K(BPF_XOR, 0xff));
	COMPUTES(A(1), K(BPF_LSH, 31), K(BPF_RSH, 28));
	COMPUTES(A(5), BPF_STMT(BPF_ALU | BPF_NEG, 0), K(BPF_RSH, 24));
	COMPUTES(A(6), X(7), BY_X(BPF_MUL));
	COMPUTES(A(6), X(33), BY_X(BPF_LSH));
	COMPUTES(A(600), X(7), BY_X(BPF_DIV));
	COMPUTES(A(600), BPF_STMT(BPF_MISC | BPF_TAX, 0), A(1), BPF_STMT(BPF_MISC | BPF_TXA, 0));
	COMPUTES(A(77), BPF_STMT(BPF_ST, 5), X(9), BPF_STMT(BPF_STX, 15), BPF_STMT(BPF_LD | BPF_MEM, 15),
		 BPF_STMT(BPF_LDX | BPF_MEM, 5), BY_X(BPF_ADD));
	COMPUTES(BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0));
	COMPUTES(BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_MISC | BPF_TXA, 0), K(BPF_ADD, 1));
	COMPUTES(A(-1), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1, 0, 1), A(11), K(BPF_ADD, 1));
	COMPUTES(A(5), X(5), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_X, 0, 0, 1), A(21), K(BPF_ADD, 1));
	COMPUTES(A(8), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 7, 0, 1), A(31), K(BPF_ADD, 1));
	COMPUTES(A(1), BPF_STMT(BPF_JMP | BPF_JA, 1), A(2), K(BPF_ADD, 40));
	COMPUTES(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4), K(BPF_RSH, 28));
}

static void unprivileged(void)
{
	MUST(setuid(65534));
	R(INSTALL({ALLOW}));
	R(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	R(INSTALL({ALLOW}));
	show_status();
}

int main(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	if (getuid() != 0)
		MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	in_child("strict", strict_ok);
	in_child("strict, broken", strict_not);
	in_child("errnos", errnos);
	in_child("arguments", arguments);
	in_child("traps", traps);
	in_child("kills", kills);
	in_child("unknown", unknown);
	in_child("kills a thread", kills_thread);
	in_child("synchronizes", synchronizes);
	in_child("errors", errors);
	arithmetic();
	if (getuid() == 0)
		in_child("unprivileged", unprivileged);
	return 0;
}
