/*
 * Jumps to every syscall instruction of the engine's text with registers of our own. What comes of it must be what
 * the machine's kernel makes of the same call, or a fault. Single steps (TF) bring us back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define TEXT 0x7e400000UL
/* Where the mapping thread's part of it ends: calls from there are the guest's, whatever they are. */
#define ENTRY 0x7e401000UL
#define TEXT_END 0x7e480000UL
#define OWN (MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE)
#define UNKNOWN 0x7777777777777777L
static sigjmp_buf out;
static volatile unsigned long site, sites[256];
static volatile int site_count, reached;
static volatile long result;
static char stack[65536] __attribute__((aligned(64)));

struct attack {
	const char *name;
	long nr, a, b, c, d, e, f;
};

static void stepped(int signal, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

	if (signal == SIGTRAP && (unsigned long)r[REG_RIP] == site && !reached) {
		reached = 1;
		return;
	}
	if (signal == SIGTRAP && !reached)
		return;
	if (reached)
		result = r[REG_RAX];
	siglongjmp(out, signal);
}

/* Where the text ends, and its syscall instructions, at any byte. */
static void find_sites(void)
{
	unsigned long at;

	if (sigsetjmp(out, 1) != 0)
		return;
	for (at = TEXT; at < TEXT_END - 1; at++) {
		const volatile unsigned char *p = (void *)at;

		if ((p[0] == 0x0f && p[1] == 0x05) || (p[0] == 0xcd && p[1] == 0x80) || (p[0] == 0x0f && p[1] == 0x34))
			sites[site_count++] = at;
	}
}

/* Whether the instruction gives eax another value: mov $n, xor %eax,%eax, mov from memory. */
static int hides_result(const unsigned char *next)
{
	if (*next == 0x48 || *next == 0x41)
		next++;
	return *next == 0xb8 || (next[0] == 0x31 && next[1] == 0xc0) || (next[0] == 0x8b && (next[1] & 0x38) == 0);
}

/* The call by way of the site: its result, if the next instruction lets us see it. */
static long jump(unsigned long to, const struct attack *t)
{
	long args[9] = { t->nr, t->a, t->b, t->c, t->d, t->e, t->f, (long)to, (long)stack + sizeof(stack) - 4096 };

	site = to;
	reached = 0;
	result = UNKNOWN;
	if (sigsetjmp(out, 1) == 0) {
		__asm__ volatile("movq %0, %%r15\n\t"
				 "movq 0(%%r15), %%rax\n\tmovq 8(%%r15), %%rdi\n\tmovq 16(%%r15), %%rsi\n\t"
				 "movq 24(%%r15), %%rdx\n\tmovq 32(%%r15), %%r10\n\tmovq 40(%%r15), %%r8\n\t"
				 "movq 48(%%r15), %%r9\n\tmovq 56(%%r15), %%rcx\n\t"
				 "movq 64(%%r15), %%rsp\n\t"
				 "pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
				 "jmp *%%rcx"
				 :: "r"(args) : "memory");
	}
	return hides_result((unsigned char *)to + 2) ? UNKNOWN : result;
}

/*
 * Memory that the machine's kernel knows nothing of: a thread may map it, but whoever has more than was given is killed.
 * By the site behind which the result shows.
 */
static int own_memory(long pause)
{
	long piece = 64L << 20, i;
	int n;

	for (n = 0; n < site_count; n++) {
		struct attack map = { "map", SYS_mmap, 0x300000000000, piece, 3, OWN, -1, 0 };

		if (sites[n] < ENTRY || jump(sites[n], &map) != map.a)
			continue;
		for (i = 0; i < 1024; i++) {
			map.a = 0x300000000000 + i * piece;
			if (jump(sites[n], &map) != map.a)
				return 2;
			memset((void *)map.a, 1, (size_t)piece);
			printf("%ld MiB\n", (i + 1) * 64);
			usleep((useconds_t)pause);
		}
		return 0;
	}
	return 3;
}

static long plain(const struct attack *t)
{
	long r = syscall(t->nr, t->a, t->b, t->c, t->d, t->e, t->f);

	return r == -1 ? -errno : r;
}

/* In a child of its own: the result comes by shared memory, and the status by wait. */
static int in_child(long *shared, unsigned long to, const struct attack *t)
{
	int status = 0, waited;
	pid_t pid;

	*shared = UNKNOWN;
	pid = fork();
	if (pid == 0) {
		*shared = to ? jump(to, t) : plain(t);
		_exit(100);
	}
	for (waited = 0; waitpid(pid, &status, WNOHANG) == 0; waited++) {
		if (waited == 30000)
			kill(pid, SIGKILL);
		usleep(1000);
	}
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	return status;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = stepped, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
	stack_t other = { .ss_sp = malloc(65536), .ss_size = 65536 };
	long *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long victim = atol(argv[1]), reaper = atol(argv[2]);
	static long words[8], action_words[4];
	static char path[] = "/tmp/uml-attack-made-this", name[] = "attacked", truth[] = "/bin/true";
	static char *arguments[] = { truth, NULL };
	static struct sock_filter allow[] = { { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW } };
	static struct sock_fprog program = { 1, allow };
	struct attack attacks[] = {
		{ "open", SYS_open, (long)path, O_CREAT | O_WRONLY, 0644 },
		{ "write 3", SYS_write, 3, (long)words, 8 },
		{ "write 5", SYS_write, 5, (long)words, 8 },
		{ "mmap", SYS_mmap, 0x10000000, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0 },
		{ "mmap over the text", SYS_mmap, 0x7e400000, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0 },
		{ "mmap of the memory file", SYS_mmap, 0x10000000, 4096, 3, MAP_SHARED | MAP_FIXED, 3, 0 },
		{ "munmap of answers", SYS_munmap, 0x7e720000, 8192 },
		{ "mprotect of orders", SYS_mprotect, 0x7e700000, 4096, 7 },
		{ "madvise", SYS_madvise, 0x7e8000000000, 4096, 11 },
		{ "mremap", SYS_mremap, 0x7e500000, 4096, 4096, 3, 0x10000000 },
		{ "clone as a fork", SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0 },
		{ "prctl", SYS_prctl, 15, (long)name },
		{ "kill the kernel", SYS_kill, victim, SIGKILL },
		{ "kill the reaper", SYS_kill, reaper, SIGKILL },
		{ "tgkill", SYS_tgkill, reaper, reaper, SIGKILL },
		{ "socket", SYS_socket, 2, 1, 0 },
		{ "execve", SYS_execve, (long)truth, (long)arguments, 0 },
		{ "exit", SYS_exit, 78 },
		{ "map over the orders", SYS_mmap, 0x7e700000, 4096, 3, OWN, -1, 0 },
		{ "map over the slot", SYS_mmap, 0x7e8000000000, 4096, 3, OWN, -1, 0 },
		{ "map across the slot", SYS_mmap, 0x7e7ffffff000, 0x2000, 3, OWN, -1, 0 },
		{ "map around the slots", SYS_mmap, 0x600000000000, 0x100000000000, 3, OWN, -1, 0 },
		{ "unmap the answers", SYS_munmap, 0x7e720000, 4096 },
		{ "unmap across the slot", SYS_munmap, 0x7e7ffffff000, 0x2000 },
		{ "unmap with a length that wraps", SYS_munmap, 0x700000000000, -0x80000000000 },
		{ "slot read-only", SYS_mprotect, 0x7e8000000000, 4096, 1 },
		{ "orders writable", SYS_mprotect, 0x7e700000, 4096, 3 },
		{ "table writable", SYS_mprotect, 0x7e600000, 4096, 3 },
		{ "slot dropped", SYS_madvise, 0x7e8000000000, 4096, 4 },
		{ "slot punched", SYS_madvise, 0x7e8000000000, 4096, 9 },
		{ "ptrace", SYS_ptrace, 16, reaper, 0, 0 },
		{ "process_vm_readv", SYS_process_vm_readv, victim, (long)words, 1, (long)words, 1, 0 },
		{ "io_uring_setup", 425, 8, (long)words },
		{ "seccomp", SYS_seccomp, 1, 0, (long)&program },
		{ "rt_sigaction", SYS_rt_sigaction, SIGSYS, (long)action_words, 0, 8 },
		{ "close_range", 436, 100, 200, 0 },
		{ "sched_setaffinity", SYS_sched_setaffinity, 0, 8, (long)&words[4] },
		{ "arch_prctl", SYS_arch_prctl, 0x1001, 0 },
		{ "futex elsewhere", SYS_futex, (long)words, 1, 1, 0, 0, 0 },
		{ "x32 getpid", 0x40000000 | SYS_getpid },
		{ "no such call", 5000 },
		{ "negative", -1 },
	};
	int i, n, compared = 0, reaches = 0, different = 0, count = sizeof(attacks) / sizeof(attacks[0]);

	setbuf(stdout, NULL);
	words[4] = 1;
	sigaltstack(&other, NULL);
	sigaction(SIGTRAP, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	sigaction(SIGFPE, &action, NULL);
	find_sites();
	if (argc > 1 && strcmp(argv[1], "own") == 0)
		return own_memory(reaper);
	printf("%d sites\n", site_count);
	for (n = 0; n < count; n++) {
		struct attack *t = &attacks[n];
		long expected, got;
		int status;

		status = in_child(shared, 0, t);
		expected = *shared;
		unlink(path);
		for (i = 0; i < site_count; i++) {
			int s = in_child(shared, sites[i], t);

			got = *shared;
			if (((unsigned char *)sites[i])[0] != 0x0f || ((unsigned char *)sites[i])[1] != 0x05)
				continue;
			if (got == UNKNOWN && !(t->nr == SYS_exit || t->nr == SYS_execve))
				continue;
			compared++;
			if (t->nr == SYS_open || strncmp(t->name, "clone", 5) == 0) {
				if ((got < 0) != (expected < 0))
					different++, printf("%s at %lx: %ld instead of %ld\n", t->name, sites[i], got, expected);
			} else if (got != expected || s != status)
				different++, printf("%s at %lx: %ld (%x) instead of %ld (%x)\n", t->name, sites[i], got, s, expected, status);
		}
		if (t->nr == SYS_open)
			printf("made: %d\n", access(path, F_OK));
	}
	/* Its own end is what a thread may order of the host, apart from the mapping thread's text: the kernel finds the process killed. */
	for (i = 0; i < site_count; i++) {
		struct attack end = { "exit_group", SYS_exit_group, 77 };
		int expected = sites[i] < ENTRY ? 77 << 8 : SIGKILL;

		if (((unsigned char *)sites[i])[0] != 0x0f || ((unsigned char *)sites[i])[1] != 0x05)
			continue;
		if ((n = in_child(shared, sites[i], &end)) != expected)
			different++, printf("exit_group at %lx: %x\n", sites[i], n);
	}
	for (i = 0; i < 8; i++) {
		long r = 0;

		/* The 32-bit ways in: 20 is getpid there. */
		__asm__ volatile("int $0x80" : "=a"(r) : "a"(20) : "memory");
		if (r != -ENOSYS)
			different++, printf("int 0x80: %ld\n", r);
	}
	printf("compared %d, different %d\n", compared, different);
	printf("READY\n");
	read(0, words, 1);
	return different != 0;
}
