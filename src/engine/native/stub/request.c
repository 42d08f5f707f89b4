/*
 * How a guest thread asks the kernel: it fetches what the call will read, makes its request, looks for the answer for a
 * while, sleeps, and carries the answer out. All of this runs as the guest: the kernel trusts none of it.
 */
#include "stub.h"

#define EXECVE_LOOKS 8
/* For a kernel that has to wake up first, which takes 20 us or more on another processor. */
#define WAKING_LOOKS 3
/* How often a thread that waits for another program yields first. Two programs that take turns are there soon. */
#define RESTS 60
/* After so many looks the answer is not one of those that come at once. */
#define LATE_LOOKS 8

/* The kinds of a prefetch plan: bits 0-3 kind, 4-7 argument, 8-11 argument with length, 12 PLAN_SMALL, 16-31 size. */
#define PLAN_STRING 1
#define PLAN_BUFFER 2
#define PLAN_STRUCT 3
#define PLAN_STRINGS 4
#define PLAN_USAGE 5
#define PLAN_SMALL 0x1000
#define RUSAGE_SIZE 144
#define AUDIT_ARCH_X86_64 0xc000003e
#define PATH_MAX 4096

/* Two arrays of strings: how many each has, then all strings. -1: they could not all be fetched, or are too long. */
static int fetch_strings(void *slot, u32 first, u64 window, u64 room)
{
	u64 out = 8;
	u32 i;

	for (i = 0; i < 2; i++) {
		u64 at = AT(u64, slot, S_CALL_ARGS + 8 * (first + i));
		u32 count = 0;

		for (; at; at += 8, count++) {
			u64 pointer;
			long left;

			if (copy_bytes(&pointer, (void *)at, 8) != 0)
				return -1;
			if (pointer == 0)
				break;
			left = copy_string((void *)(window + out), (void *)pointer, (long)(room - out));
			if (left <= 0)
				return -1;
			out = room - (u64)left;
		}
		AT(u32, window, 4 * i) = count;
	}
	return (int)out;
}

static int fetch(void *slot, u32 plan, u32 window, u64 room)
{
	u64 from = AT(u64, slot, S_CALL_ARGS + 8 * ((plan >> 4) & 7));
	u64 len = plan >> 16;
	long left;

	if ((plan & 15) == PLAN_STRINGS)
		return fetch_strings(slot, (plan >> 4) & 7, (u64)slot + window, room);
	if ((plan & 15) == PLAN_USAGE)
		return syscall3(__NR_getrusage, AT(int, slot, S_USAGE_OF), (char *)slot + window, 0) == 0 ? RUSAGE_SIZE : -1;
	if (from == 0)
		return -1;
	if ((plan & 15) == PLAN_STRING) {
		left = copy_string((char *)slot + window, (void *)from, PATH_MAX);
		return left < 0 ? -1 : PATH_MAX - (int)left;
	}
	if ((plan & 15) == PLAN_BUFFER)
		len = AT(u64, slot, S_CALL_ARGS + 8 * ((plan >> 8) & 7));
	if (len > room)
		len = room;
	if (plan & PLAN_SMALL && len <= SMALL)
		window = S_FETCHED;
	left = copy_bytes((char *)slot + window, (void *)from, (long)len);
	return left < 0 ? -1 : (int)len;
}

/* Whether what the call brings is small enough to go along with the arguments. */
static int brings_little(void *slot, u64 plans)
{
	return plans & PLAN_SMALL && AT(u32, slot, S_FETCHED0) <= SMALL;
}

/* The same of a call that comes again with a frame: what was fetched for it is still here. */
static int brought_little(void *slot)
{
	u64 nr = AT(u64, slot, S_CALL_NR);

	return nr < MAX_PLANS && brings_little(slot, AT(u64, STUB_GLOBAL, G_PLANS + 8 * nr));
}

/* Fetches what the call will read. Returns whether that is small enough to go along with the arguments. */
static int prefetch(void *slot)
{
	u64 nr = AT(u64, slot, S_CALL_NR);
	u64 plans;

	if (nr >= MAX_PLANS)
		return 0;
	plans = AT(u64, STUB_GLOBAL, G_PLANS + 8 * nr);
	if (plans == 0)
		return 0;
	AT(int, slot, S_FETCHED0) = fetch(slot, (u32)plans, S_IN0, S_IN1 - S_IN0);
	if (plans >> 32)
		AT(int, slot, S_FETCHED1) = fetch(slot, (u32)(plans >> 32), S_IN1, S_STAGE_IN - S_IN1);
	return brings_little(slot, plans);
}

/* Returns when there is an answer, or something to prepare. */
static void sleep_for_answer(void *slot)
{
	u32 *state = (u32 *)((u64)slot + S_STATE);
	u32 seen;

	for (;;) {
		seen = __atomic_load_n(state, __ATOMIC_ACQUIRE);
		if (seen == ST_ANSWER || seen == ST_PREPARE)
			return;
		if (seen == ST_SLEEPING)
			futex_wait((u64)state, seen);
		else
			__atomic_compare_exchange_n(state, &seen, ST_SLEEPING, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
}

/* Waits for mappings that the kernel posted for this space. They must be there before the guest goes on. */
static void wait_mapped(u32 target)
{
	u32 done = AT(u32, STUB_ANSWERS, W_DONE);

	if (done == target)
		return;
	futex_wake(STUB_SPACE + P_POSTED);
	while ((int)((done = AT(u32, STUB_ANSWERS, W_DONE)) - target) < 0)
		futex_wait(STUB_ANSWERS + W_DONE, done);
}

/* Mappings of private memory, which a thread may make itself. A failure becomes the call's result. */
static void map_own(void *slot)
{
	u32 count = AT(u32, slot, S_OWN);
	u32 i;

	AT(u32, slot, S_OWN) = 0;
	for (i = 0; i < count && i < MAX_OWN; i++) {
		u64 op = (u64)slot + S_OWN_OPS + OWN_OP_SIZE * i;
		long result = syscall6(AT(long, op, 0), AT(long, op, 8), AT(long, op, 16), AT(long, op, 24), OWN_MAP_FLAGS, -1, 0);

		if (result < 0 && result > -4096)
			AT(long, slot, S_RESULT) = result;
	}
}

/*
 * How often to look before sleeping. Not at all where looking keeps the kernel from answering. More often for execve,
 * which takes long and gives the thread something to prepare.
 */
static u32 patience(void *slot, u32 cpu)
{
	u32 spin = AT(u32, STUB_GLOBAL, G_SPIN);

	if (cpu == AT(u32, STUB_GLOBAL, G_KERNEL_CPU))
		return 0;
	return AT(u64, slot, S_CALL_NR) == __NR_execve ? EXECVE_LOOKS * spin : spin;
}

/* None while waiting for a child, which needs the processor, or for time to pass. */
static u32 patience_for_others(void *slot)
{
	switch (AT(u64, slot, S_CALL_NR)) {
	case __NR_read:
	case __NR_write:
	case __NR_recvfrom:
	case __NR_recvmsg:
	case __NR_futex:
		return RESTS;
	}
	return 0;
}

/* Whether the kernel was asleep, and has been woken. */
static int ring(u32 *state)
{
	if (!AT(u32, STUB_GLOBAL, G_DOORBELL))
		return 0;
	futex_wake((u64)state);
	return 1;
}

/*
 * If the kernel is just about to sleep, it may miss the request, and we the doorbell, unless the request is visible
 * before we look at the doorbell. A barrier takes longer than many an answer, so there is none until an answer is late.
 */
static void wait_answer(void *slot, u32 cpu, u32 yields)
{
	u32 *state = (u32 *)((u64)slot + S_STATE);
	u32 left = patience(slot, cpu);
	u32 gives = left > 0 ? yields : 0;
	u32 rests = gives > 0 ? patience_for_others(slot) : 0;
	u32 late = left > LATE_LOOKS ? left - LATE_LOOKS : left;
	int rung = ring(state);
	u32 seen;

	if (rung)
		left *= WAKING_LOOKS;
	for (;;) {
		seen = __atomic_load_n(state, __ATOMIC_ACQUIRE);
		if (seen == ST_ANSWER)
			break;
		if (seen == ST_PREPARE) {
			wait_mapped(AT(u32, slot, S_TARGET));
			__atomic_compare_exchange_n(state, &seen, ST_REQUEST, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
			continue;
		}
		if (!rung && left <= late) {
			rung = 1;
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			if (ring(state))
				left *= WAKING_LOOKS;
		}
		if (left > 0 && seen != ST_WAIT) {
			left--;
			__builtin_ia32_pause();
		} else if (seen == ST_WAIT ? rests > 0 : gives > 0) {
			if (seen == ST_WAIT)
				rests--;
			else
				gives--;
			syscall3(__NR_sched_yield, 0, 0, 0);
		} else {
			sleep_for_answer(slot);
		}
	}
	if (AT(u16, slot, S_ACTION) == A_EXIT)
		syscall3(__NR_exit_group, EXIT_TOLD, 0, 0);
	AT(u64, slot, S_RESULT) = AT(u64, slot, S_RET);
	wait_mapped(AT(u32, slot, S_TARGET));
	if (AT(u32, slot, S_OWN))
		map_own(slot);
}

/*
 * Copies between the program's memory and a file's pages, through a window (file-windows.ts). The kernel closes windows
 * whenever it likes, and says so before anything happens to the pages. What was copied before that is good; otherwise
 * the thread asks again.
 */
static int copy_through(void *slot, u64 address, int back)
{
	u32 place = AT(u32, slot, S_ARGS), was = AT(u32, slot, S_ARGS + 4);
	u64 closed = STUB_SPACE + P_WINDOWS + 4 * (place / WINDOW_STRIDE % MAX_WINDOWS);
	u64 window = WINDOW_BASE + place;

	if (copy_bytes((void *)(back ? window : address), (void *)(back ? address : window), AT(long, slot, S_RESULT)) != 0)
		return -1;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return AT(u32, closed, 0) == was ? 0 : -1;
}

static int copy_list(void *slot, u32 count)
{
	u32 i;

	for (i = 0; i < count && i < MAX_COPIES; i++) {
		u64 entry = (u64)slot + S_COPY + 16 * i;
		u32 from = AT(u32, entry, 8) & (SLOT_STRIDE - 1);

		if (copy_bytes((void *)AT(u64, entry, 0), (char *)slot + from, AT(u32, entry, 12)) != 0)
			return -1;
	}
	return 0;
}

/* Makes the answer's copies. 0, or -1 if the guest has no memory there. */
static int copy_out(void *slot)
{
	u32 copies = AT(u16, slot, S_COPIES);
	u64 address = AT(u64, slot, S_CALL_ARGS + 8 * (copies >> COPY_ARG & 7));

	if (copies & COPY_HERE)
		return copy_bytes((void *)address, (char *)slot + S_ARGS, copies & 0xff) == 0 ? 0 : -1;
	return copies & COPY_THROUGH ? copy_through(slot, address, copies & COPY_BACK) : copy_list(slot, copies);
}

/* A new thread's first answer. */
void first_answer(void *slot)
{
	u32 cpu = this_cpu();

	AT(u16, slot, S_CPU) = (u16)cpu;
	wait_answer(slot, cpu, 0);
	if (copy_out(slot) != 0)
		request(slot, K_BADCOPY);
}

/* Whether this is a native 64-bit call that came by SIGSYS, of those that programs make once. */
static int is_made_once(void *slot, int kind)
{
	if (kind != K_CALL || AT(u32, slot, S_SIGCODE) != AUDIT_ARCH_X86_64)
		return 0;
	switch (AT(u64, slot, S_CALL_NR)) {
	case __NR_arch_prctl:
	case __NR_set_tid_address:
	case __NR_set_robust_list:
	case __NR_rseq:
	case __NR_prlimit64:
		return 1;
	}
	return 0;
}

/* The kernel would ask for all registers, so it gets them at once. */
static int needs_frame(void *slot)
{
	switch (AT(u64, slot, S_CALL_NR)) {
	case __NR_fork:
	case __NR_vfork:
	case __NR_clone:
	case __NR_clone3:
	case __NR_rt_sigreturn:
		return 1;
	}
	return 0;
}

/* Whether the call ends the process and the kernel needs nothing more of it than its usage, which comes along. */
static int is_last(void *slot)
{
	return AT(u64, slot, S_CALL_NR) == __NR_exit_group && AT(u32, slot, S_MAY_END) && AT(u32, slot, S_FETCHED0) == RUSAGE_SIZE;
}

/* All at once: while the kernel looks at what the thread writes, each further write has to fetch the line back. */
static void say(void *slot, int kind, u32 cpu, int is_small)
{
	u32 i;

	AT(u32, slot, S_IN1_LEN) = AT(u32, slot, S_FETCHED1);
	AT(u16, slot, S_KIND) = (u16)kind;
	AT(u16, slot, S_CPU) = (u16)cpu;
	AT(u32, slot, S_NR) = AT(u32, slot, S_CALL_NR);
	AT(u32, slot, S_IN0_LEN) = AT(u32, slot, S_FETCHED0);
	for (i = 0; i < 6; i++)
		AT(u64, slot, S_ARGS + 8 * i) = AT(u64, slot, S_CALL_ARGS + 8 * i);
	if (is_small)
		AT(u64, slot, S_SMALL) = AT(u64, slot, S_FETCHED);
	__atomic_store_n((u32 *)((u64)slot + S_STATE), ST_REQUEST, __ATOMIC_RELEASE);
}

/* The host takes the process apart while the kernel hears of its end. */
static void leave(void *slot)
{
	say(slot, K_LAST, this_cpu(), 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ring((u32 *)((u64)slot + S_STATE));
	syscall3(__NR_exit_group, EXIT_TOLD, 0, 0);
}

/* The kernel has to see calls from unpatched sites, or it never learns of the sites; except calls made once. */
int request(void *slot, int kind)
{
	int is_small = 0;

	if (kind == K_FAST && (answered_along(slot) || answered_by_pipe(slot) || answered_by_channel(slot) || answered_by_window(slot)))
		return A_RETURN;
	if ((kind == K_FAST || is_made_once(slot, kind)) && answered_by_facts(slot))
		return A_RETURN;
	if (kind == K_FAST || kind == K_CALL)
		is_small = prefetch(slot);
	if (kind == K_FRAME || kind == K_FRAMED)
		is_small = brought_little(slot);
	if (kind == K_FAST && (foreseen_call(slot) || known_answer(slot)))
		return A_RETURN;
	if (kind == K_FAST && is_last(slot))
		leave(slot);
	if (kind == K_FAST && needs_frame(slot)) {
		AT(u64, slot, S_RESULT) = AT(u64, slot, S_CALL_NR);
		AT(u32, slot, S_FRAMED) = 1;
		return A_SHOW_FRAME;
	}
	for (;;) {
		u32 cpu = this_cpu();

		say(slot, kind, cpu, is_small);
		wait_answer(slot, cpu, AT(u32, STUB_GLOBAL, G_YIELDS));
		if (copy_out(slot) == 0)
			return AT(u16, slot, S_ACTION);
		kind = K_BADCOPY;
	}
}
