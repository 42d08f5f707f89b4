/*
 * What the kernel has told a thread of its own process (answers.ts, `ThreadFacts`), and what the kernel need not hear
 * of at once. There is nothing to gain by lying here: a guest that writes to these fields deceives itself.
 */
#include <asm/unistd.h>
#include "stub.h"

#define ARCH_SET_FS 0x1002
#define ENOSYS 38
#define FUTEX_WAKE_PRIVATE 129
#define SIGACTION_SIZE 32
#define SIGSET_SIZE 8
#define SIGNALS 64
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define SIG_DFL 0
#define SIG_IGN 1
/* SA_NOCLDSTOP, SA_NOCLDWAIT, SA_SIGINFO, SA_RESTORER, SA_ONSTACK, SA_RESTART, SA_NODEFER, SA_RESETHAND */
#define SA_KNOWN 0xdc000007UL
/* SIGKILL and SIGSTOP */
#define UNMASKABLE (1UL << 8 | 1UL << 18)
/* SIGCHLD, SIGCONT, SIGURG, SIGWINCH */
#define IGNORED_BY_DEFAULT (1UL << 16 | 1UL << 17 | 1UL << 22 | 1UL << 27)
#define RLIMIT_SIZE 16
#define ROBUST_HEAD_SIZE 24
#define PAGE 4096UL
#define PROT_READ_WRITE 3

static const u8 default_action[SIGACTION_SIZE];

/* Whether `size` bytes could be put where the program wants them, if it wants them. */
static int put(u64 to, const void *from, long size)
{
	return to == 0 || copy_bytes((void *)to, from, size) == 0;
}

static void *own_action(void *slot, u32 signal)
{
	return (char *)slot + S_ACTIONS + SIGACTION_SIZE * (signal - 1);
}

/* The kernel may look at any time (sighand.ts). It takes what is there between two equal even counts. */
static void set_action(void *slot, u32 signal, const u64 *action, int own)
{
	u32 *count = (u32 *)((u64)slot + S_ACTIONS_SET);
	u64 bit = 1UL << (signal - 1);

	__atomic_fetch_add(count, 1, __ATOMIC_SEQ_CST);
	__builtin_memcpy(own_action(slot, signal), action, SIGACTION_SIZE);
	AT(u64, slot, S_OWN_ACTIONS) = own ? AT(u64, slot, S_OWN_ACTIONS) | bit : AT(u64, slot, S_OWN_ACTIONS) & ~bit;
	__atomic_fetch_add(count, 1, __ATOMIC_SEQ_CST);
}

static int is_pending(void *slot, u64 bit)
{
	return (__atomic_load_n((u64 *)((u64)slot + S_PENDING), __ATOMIC_SEQ_CST) & bit) != 0;
}

/*
 * No signal that is ignored from now on may stay pending. If one is pending, or comes while we set the action, the
 * kernel has to handle that. It sends no ignored signal, and says what is pending first.
 */
static int set_here(void *slot, u32 signal, const u64 *action, const u64 *old, int own)
{
	u64 bit = 1UL << (signal - 1);
	int ignores = action[0] == SIG_IGN || (action[0] == SIG_DFL && IGNORED_BY_DEFAULT & bit);

	if (UNMASKABLE & bit || (ignores && (!AT(u32, slot, S_MASK_TOLD) || is_pending(slot, bit))))
		return 0;
	set_action(slot, signal, action, 1);
	if (!ignores || !is_pending(slot, bit))
		return 1;
	set_action(slot, signal, old, own);
	return 0;
}

/* Nothing is written before all else is done: if the kernel is asked after all, it finds everything unchanged. */
static int action_of(void *slot, u32 signal, u64 from, u64 to)
{
	u64 action[SIGACTION_SIZE / 8], old[SIGACTION_SIZE / 8];
	int own;

	if (signal - 1 >= SIGNALS || !AT(u32, slot, S_ACTIONS_TOLD))
		return 0;
	own = AT(u64, slot, S_OWN_ACTIONS) >> (signal - 1) & 1;
	__builtin_memcpy(old, own ? own_action(slot, signal) : default_action, SIGACTION_SIZE);
	if (from != 0) {
		if (copy_bytes(action, (void *)from, SIGACTION_SIZE) != 0)
			return 0;
		action[1] &= SA_KNOWN;
		action[3] &= ~UNMASKABLE;
		if (!set_here(slot, signal, action, old, own))
			return 0;
	}
	if (put(to, old, SIGACTION_SIZE))
		return 1;
	if (from != 0)
		set_action(slot, signal, old, own);
	return 0;
}

/*
 * The kernel says what is pending before it looks at the mask, and we look at that after setting the mask, so one of
 * the two sees what the other did. If a pending signal gets through, or got through before, the mask is restored and
 * the kernel is asked: we may be dying of that signal.
 */
static int set_mask(void *slot, u64 mask)
{
	u64 *own = (u64 *)((u64)slot + S_MASK);
	u64 old = __atomic_exchange_n(own, mask, __ATOMIC_SEQ_CST);

	if (!(__atomic_load_n((u64 *)((u64)slot + S_PENDING), __ATOMIC_SEQ_CST) & ~(mask & old)))
		return 1;
	__atomic_store_n(own, old, __ATOMIC_SEQ_CST);
	return 0;
}

static u64 combine(u32 how, u64 old, u64 set)
{
	return (how == SIG_BLOCK ? old | set : how == SIG_UNBLOCK ? old & ~set : set) & ~UNMASKABLE;
}

/*
 * Both sets may be the same memory, and what is read must still be there if the kernel is asked after all. So nothing
 * is written before all else is done, and it is written whole or not at all.
 */
static int mask_of(void *slot, u32 how, u64 from, u64 to)
{
	u64 old = AT(u64, slot, S_MASK);
	u64 set;

	if (!AT(u32, slot, S_MASK_TOLD) || (from | to) & (SIGSET_SIZE - 1))
		return 0;
	if (from != 0) {
		if (how > SIG_SETMASK || copy_bytes(&set, (void *)from, SIGSET_SIZE) != 0)
			return 0;
		if (!set_mask(slot, combine(how, old, set)))
			return 0;
	}
	if (put(to, &old, SIGSET_SIZE))
		return 1;
	__atomic_store_n((u64 *)((u64)slot + S_MASK), old, __ATOMIC_SEQ_CST);
	return 0;
}

static int limit_of(void *slot, u32 resource, u64 to)
{
	return resource < LIMITS && AT(u32, slot, S_LIMITS_TOLD) &&
	       put(to, (char *)slot + S_LIMITS + RLIMIT_SIZE * resource, RLIMIT_SIZE);
}

static void say(void *slot, u32 what, u32 field, u64 value)
{
	AT(u64, slot, field) = value;
	AT(u32, slot, S_SAID) |= what;
}

/* In the order of S_IDS. */
static int id_of(void *slot, u64 nr, long *id)
{
	u32 which = nr == __NR_getuid ? 0 : nr == __NR_geteuid ? 1 : nr == __NR_getgid ? 2 : 3;

	*id = AT(u32, slot, S_IDS + 4 * which);
	return AT(int, slot, S_IDS_TOLD);
}

static u64 page_up(u64 address)
{
	return (address + PAGE - 1) & ~(PAGE - 1);
}

/* Only the heap lies within the bounds that the kernel told. It hears of a move when it looks (mm/own-break.ts). */
static int move_break(void *slot, u64 to)
{
	u64 from = page_up(AT(u64, slot, S_BREAK)), end = page_up(to);
	long failed = 0;

	if (!AT(u32, slot, S_BREAK_MOVES) || to < AT(u64, slot, S_BREAK_LOWEST) || to > AT(u64, slot, S_BREAK_HIGHEST))
		return 0;
	if (end > from)
		failed = syscall6(__NR_mmap, (long)from, (long)(end - from), PROT_READ_WRITE, OWN_MAP_FLAGS, -1, 0) != (long)from;
	else if (end < from)
		failed = syscall3(__NR_munmap, end, from - end, 0);
	if (failed)
		return 0;
	if (to > AT(u64, slot, S_BREAK_TOP))
		AT(u64, slot, S_BREAK_TOP) = to;
	AT(u64, slot, S_BREAK) = to;
	return 1;
}

/* Whether the call in the slot was answered. */
int answered_by_facts(void *slot)
{
	u64 first = AT(u64, slot, S_CALL_ARGS), second = AT(u64, slot, S_CALL_ARGS + 8);
	u64 third = AT(u64, slot, S_CALL_ARGS + 16), fourth = AT(u64, slot, S_CALL_ARGS + 24);
	u32 self = AT(u32, slot, S_SELF);
	long result = 0;

	switch (AT(u64, slot, S_CALL_NR)) {
	case __NR_rt_sigaction:
		if (fourth != SIGSET_SIZE || !action_of(slot, (u32)first, second, third))
			return 0;
		break;
	case __NR_rt_sigprocmask:
		if (fourth != SIGSET_SIZE || !mask_of(slot, (u32)first, second, third))
			return 0;
		break;
	case __NR_prlimit64:
		if ((u32)first != 0 || third != 0 || !limit_of(slot, (u32)second, fourth))
			return 0;
		break;
	case __NR_brk:
		if (AT(long, slot, S_BREAK) == 0 || (first != 0 && !move_break(slot, first)))
			return 0;
		result = AT(long, slot, S_BREAK);
		break;
	case __NR_getuid:
	case __NR_geteuid:
	case __NR_getgid:
	case __NR_getegid:
		if (!id_of(slot, AT(u64, slot, S_CALL_NR), &result))
			return 0;
		break;
	case __NR_getpid:
	case __NR_gettid:
		if (self == 0)
			return 0;
		result = self;
		break;
	case __NR_getppid:
		if (self == 0)
			return 0;
		result = AT(u32, slot, S_PARENT);
		break;
	case __NR_set_tid_address:
		if (self == 0)
			return 0;
		say(slot, SAID_CLEAR_TID, S_CLEAR_TID, first);
		result = self;
		break;
	case __NR_set_robust_list:
		if (self == 0 || second != ROBUST_HEAD_SIZE)
			return 0;
		say(slot, SAID_ROBUST_LIST, S_ROBUST_LIST, first);
		break;
	case __NR_arch_prctl:
		if (self == 0 || (u32)first != ARCH_SET_FS || second >= TASK_SIZE)
			return 0;
		__builtin_ia32_wrfsbase64(second);
		break;
	case __NR_futex:
		if (self == 0 || (u32)second != FUTEX_WAKE_PRIVATE || first >= TASK_SIZE || first & 3)
			return 0;
		break;
	case __NR_rseq:
		if (self == 0)
			return 0;
		result = -ENOSYS;
		break;
	default:
		return 0;
	}
	AT(long, slot, S_RESULT) = result;
	return 1;
}
