/*
 * The reaper: the stub's first process. It makes the first, empty space, of which all others are copies, and is the
 * parent of all spaces: they die with it, as it dies with the kernel. It notes deaths, and wakes the kernel when one of
 * the kernel's descriptors has news.
 */
#include <asm/unistd.h>
#include "stub.h"

#define PR_SET_PDEATHSIG 1
#define PR_SET_NO_NEW_PRIVS 38
#define ECHILD 10
#define SIGKILL 9
#define SIGCHLD 17
#define SIGSYS 31
#define SA_SIGINFO 4
#define SA_RESTORER 0x04000000
#define SA_ONSTACK 0x08000000
#define SA_NODEFER 0x40000000
#define SIG_SETMASK 2
#define P_ALL 0
#define WNOHANG 1
#define WEXITED 4
#define WNOWAIT 0x01000000
#define WALL 0x40000000
/* Offsets in siginfo_t of waitid(2). */
#define SIGINFO_SIZE 128
#define SI_CODE 8
#define SI_PID 16
#define SI_STATUS 24
#define CLD_EXITED 1
#define POLLIN 1
#define FUTEX_WAKE 1
#define RLIMIT_CORE 4
#define MAP_SHARED 1
#define MAP_FIXED 0x10
#define AT_SYSINFO_EHDR 33
/* Deaths are noted together where programs come and go: after one, the next look is so many milliseconds later. */
#define DEATHS_PAUSE 4

static u8 *global; /* the global page, writable only here */
static u32 steps;

static void note(u32 kind, u32 value)
{
	u32 words[2] = { kind, value };

	syscall3(__NR_write, FD_NOTES, words, sizeof(words));
}

/* Every step of the start must succeed. The kernel is told the number of the one that failed, and the error. */
static long must(long result)
{
	steps++;
	if (result < 0 && result > -4096) {
		note(NOTE_FAILED, steps << 16 | (u32)-result);
		syscall3(__NR_exit_group, 1, 0, 0);
	}
	return result;
}

static void map_fixed(u64 address, u64 size, int protection, int fd, u64 offset)
{
	must(syscall6(__NR_mmap, (long)address, (long)size, protection, MAP_SHARED | MAP_FIXED, fd, (long)offset));
}

struct action {
	void (*handler)(int, void *, void *);
	u64 flags;
	void *restorer;
	u64 mask;
};

static void on_signal(int signal, void (*handler)(int, void *, void *))
{
	struct action action = { handler, SA_SIGINFO | SA_ONSTACK | SA_RESTORER | SA_NODEFER, signal_restorer,
				 1UL << (KICK_SIGNAL - 1) };

	must(syscall6(__NR_rt_sigaction, signal, (long)&action, 0, 8, 0, 0));
}

static u64 parse_hex(const char **text)
{
	u64 value = 0;

	for (;; (*text)++) {
		char c = **text;

		if (c >= '0' && c <= '9')
			value = value * 16 + (u64)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (u64)(c - 'a' + 10);
		else
			return value;
	}
}

/* The host's vdso and its data ("[vvar...", "[vdso]" in proc_pid_maps(5)) stay where they are. */
static void find_vdso(u64 header)
{
	static char maps[16384];
	long fd = must(syscall3(__NR_open, "/proc/self/maps", 0, 0));
	long size = 0, got;
	const char *at = maps;
	u64 from = 0, to = 0;

	while ((got = syscall3(__NR_read, fd, maps + size, sizeof(maps) - 1 - size)) > 0)
		size += got;
	syscall3(__NR_close, fd, 0, 0);
	while (*at) {
		u64 start = parse_hex(&at), stop;

		at++;
		stop = parse_hex(&at);
		for (; *at && *at != '\n' && *at != '['; at++)
			;
		if (*at == '[' && at[1] == 'v' && (at[2] == 'v' || at[2] == 'd')) {
			if (from == 0)
				from = start;
			to = stop;
		}
		while (*at && *at++ != '\n')
			;
	}
	AT(u64, global, G_VDSO_FROM) = from;
	AT(u64, global, G_VDSO_TO) = to;
	AT(u64, global, G_VDSO) = header;
}

/* The first space, with what all spaces share. The kernel's first orders unmap what they do not need. */
static void become_first_space(void)
{
	u64 all = ~0UL;

	must(syscall3(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0));
	/* Checks that the host supports what guest threads ask for. */
	must(syscall3(__NR_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0));
	must(syscall3(__NR_getppid, 0, 0, 0) == AT(u32, global, G_REAPER) ? 0 : -1);
	must(syscall6(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, 8, 0, 0));
	must(syscall3(__NR_close_range, FD_EPOLL, -1, 0));
	must(syscall3(__NR_close_range, 0, 2, 0));
	map_fixed(STUB_GLOBAL, GLOBAL_SIZE, 1, FD_MEMORY_RO, FILE_GLOBAL);
	map_fixed(STUB_TABLE, TABLE_SIZE, 1, FD_MEMORY_RO, FILE_TABLE);
	map_fixed(STUB_THUNKS, THUNKS_SIZE, 5, FD_MEMORY_RO, FILE_THUNKS);
	map_fixed(STUB_SPACE, SPACE_SIZE, 1, FD_MEMORY_RO, FILE_SPACES);
	map_fixed(STUB_KNOWN, KNOWN_SIZE, 1, FD_MEMORY_RO, FILE_KNOWN);
	map_fixed(STUB_ANSWERS, ANSWERS_SIZE, 3, FD_MEMORY, FILE_SPACES + SPACE_SIZE);
	on_signal(SIGSYS, handle_call);
	on_signal(4, handle_fault);
	on_signal(5, handle_fault);
	on_signal(7, handle_fault);
	on_signal(8, handle_fault);
	on_signal(11, handle_fault);
	on_signal(KICK_SIGNAL, handle_kick);
	must(syscall3(__NR_seccomp, 1, 0, &space_filter));
	__asm__ volatile("jmp mapper_start" ::: "memory");
	__builtin_unreachable();
}

static int ending(void)
{
	return __atomic_load_n((u32 *)(global + G_END), __ATOMIC_SEQ_CST) != 0;
}

static void wake_kernel(void)
{
	__atomic_store_n((u32 *)(global + G_HOST_EVENTS), 1, __ATOMIC_SEQ_CST);
	syscall3(__NR_futex, global + G_HOST_EVENTS, FUTEX_WAKE, 0x7fffffff);
	while (__atomic_load_n((u32 *)(global + G_HOST_EVENTS), __ATOMIC_SEQ_CST) && !ending())
		syscall6(__NR_futex, (long)(global + G_HOST_EVENTS), 0, 1, 0, 0, 0);
}

/*
 * Returns whether a process died that the kernel has not killed or told to end, which is urgent. The note comes before
 * the host may reuse the process's number: until there is a note, the number can be used.
 */
static int note_deaths(void)
{
	static u8 info[SIGINFO_SIZE];
	int urgent = 0;

	for (;;) {
		u32 pid;

		AT(u32, info, SI_PID) = 0;
		if (syscall6(__NR_waitid, P_ALL, 0, (long)info, WEXITED | WNOHANG | WNOWAIT | WALL, 0, 0) != 0)
			return urgent;
		pid = AT(u32, info, SI_PID);
		if (pid == 0)
			return urgent;
		note(NOTE_DEAD, pid);
		syscall6(__NR_wait4, pid, 0, WNOHANG | WALL, 0, 0, 0);
		urgent |= AT(int, info, SI_STATUS) != (AT(int, info, SI_CODE) == CLD_EXITED ? EXIT_TOLD : SIGKILL);
	}
}

/* The kernel has killed all spaces, or is about to. Waits until none is left. */
static void end(void)
{
	while (syscall6(__NR_wait4, -1, 0, WALL, 0, 0, 0) != -ECHILD)
		;
	syscall3(__NR_exit_group, 0, 0, 0);
}

static void reap(int deaths)
{
	struct {
		int fd;
		short events, revents;
	} polls[2] = { { FD_EPOLL, POLLIN, 0 }, { deaths, POLLIN, 0 } };
	char discarded[1024];
	int pause = -1;

	for (;;) {
		polls[1].fd = pause < 0 ? deaths : -1;
		syscall3(__NR_poll, polls, 2, pause);
		pause = -1;
		if (ending())
			end();
		if (polls[1].revents) {
			syscall3(__NR_read, deaths, discarded, sizeof(discarded));
			if (note_deaths())
				wake_kernel();
			pause = DEATHS_PAUSE;
		}
		if (polls[0].revents)
			wake_kernel();
	}
}

void reaper_main(u64 *stack)
{
	u64 children = 1UL << (SIGCHLD - 1);
	u64 nothing[2] = { 0, 0 };
	u64 *at = stack + 1 + stack[0] + 1;
	u64 header = 0;
	long deaths, first;

	while (*at++)
		;
	for (; at[0]; at += 2)
		if (at[0] == AT_SYSINFO_EHDR)
			header = at[1];
	must(syscall3(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0));
	must(syscall3(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0));
	must(syscall6(__NR_prlimit64, 0, RLIMIT_CORE, (long)nothing, 0, 0, 0));
	/* Anything else that the kernel's process was given is not for us. */
	must(syscall3(__NR_close_range, FD_EPOLL + 1, -1, 0));
	global = (u8 *)must(syscall6(__NR_mmap, 0, GLOBAL_SIZE, 3, MAP_SHARED, FD_MEMORY, 0));
	must(syscall3(__NR_getppid, 0, 0, 0) == AT(u32, global, G_KERNEL) ? 0 : -1);
	/*
	 * Out of reach of the terminal's signals, but in the kernel's session: hosts schedule a session's processes
	 * against those of others (sched(7), autogroup), whatever their priorities.
	 */
	syscall3(__NR_setpgid, 0, 0, 0);
	find_vdso(header);
	AT(u32, global, G_REAPER) = (u32)syscall3(__NR_getpid, 0, 0, 0);
	must(syscall6(__NR_rt_sigprocmask, SIG_SETMASK, (long)&children, 0, 8, 0, 0));
	deaths = must(syscall6(__NR_signalfd4, -1, (long)&children, 8, 0, 0, 0));
	first = must(syscall6(__NR_clone, SIGCHLD, 0, 0, 0, 0, 0));
	if (first == 0)
		become_first_space();
	AT(u32, global, G_FIRST) = (u32)first;
	must(syscall3(__NR_seccomp, 1, 0, &reaper_filter));
	note(NOTE_READY, (u32)first);
	reap((int)deaths);
}

__asm__(".globl _start\n_start:\n\tmovq %rsp, %rdi\n\tandq $-16, %rsp\n\tcall reaper_main\n\thlt\n");
