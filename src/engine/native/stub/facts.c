/*
 * What the kernel has told a thread of its own process (engine.ts, `ThreadFacts`), and what the kernel need not hear of at
 * once. Nothing here is worth a lie: a guest that writes to these fields deceives itself.
 */
#include <asm/unistd.h>
#include "stub.h"

#define ARCH_SET_FS 0x1002
#define ENOSYS 38
#define SIGACTION_SIZE 32
#define SIGSET_SIZE 8
#define SIGNALS 64
#define SIG_DFL 0
#define SA_RESTORER 0x04000000
#define SA_RESTART 0x10000000
/* SIGKILL and SIGSTOP, whose actions do not change; SIGCHLD, SIGCONT, SIGURG, SIGWINCH, which are ignored by default. */
#define UNMASKABLE (1UL << 8 | 1UL << 18)
#define NOT_SO_SIMPLE (UNMASKABLE | 1UL << 16 | 1UL << 17 | 1UL << 22 | 1UL << 27)
#define RLIMIT_SIZE 16
#define ROBUST_HEAD_SIZE 24

static const u8 default_action[SIGACTION_SIZE];

/* Whether `size` bytes are where the program wants them, if it wants them. */
static int put(u64 to, const void *from, long size)
{
	return to == 0 || copy_bytes((void *)to, from, size) == 0;
}

/* Of a signal with its default action, told or said. */
static int old_action(void *slot, u32 signal, u64 to)
{
	const void *action = default_action;

	if (AT(u64, slot, S_SAID_ACTIONS) >> (signal - 1) & 1)
		action = (char *)slot + S_ACTIONS + SIGACTION_SIZE * (signal - 1);
	return put(to, action, SIGACTION_SIZE);
}

/*
 * posix_spawn(3) gives every signal its default action, which most have. What differs then is seen by nobody but who asks:
 * the flags must be such as mean something to handlers only, and the signal one that does not stop being pending by this.
 */
static int set_default(void *slot, u32 signal, u64 from)
{
	u64 action[SIGACTION_SIZE / 8];

	if (NOT_SO_SIMPLE >> (signal - 1) & 1 || copy_bytes(action, (void *)from, SIGACTION_SIZE) != 0)
		return 0;
	if (action[0] != SIG_DFL || action[1] & ~(u64)(SA_RESTORER | SA_RESTART))
		return 0;
	action[3] &= ~UNMASKABLE;
	__builtin_memcpy((char *)slot + S_ACTIONS + SIGACTION_SIZE * (signal - 1), action, SIGACTION_SIZE);
	AT(u64, slot, S_SAID_ACTIONS) |= 1UL << (signal - 1);
	return 1;
}

/* The old action is written last, as the kernel does it; a set that cannot say what was before is not made here. */
static int action_of(void *slot, u32 signal, u64 from, u64 to)
{
	if (signal - 1 >= SIGNALS || !(AT(u64, slot, S_DEFAULTS) >> (signal - 1) & 1) || (from != 0 && to != 0))
		return 0;
	return from != 0 ? set_default(slot, signal, from) : old_action(slot, signal, to);
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

/* Whether the call that the slot holds was answered. */
int answered_by_facts(void *slot)
{
	u64 first = AT(u64, slot, S_ARGS), second = AT(u64, slot, S_ARGS + 8);
	u64 third = AT(u64, slot, S_ARGS + 16), fourth = AT(u64, slot, S_ARGS + 24);
	u32 self = AT(u32, slot, S_SELF);
	long result = 0;

	switch (AT(u64, slot, S_NR)) {
	case __NR_rt_sigaction:
		if (fourth != SIGSET_SIZE || !action_of(slot, (u32)first, second, third))
			return 0;
		break;
	case __NR_prlimit64:
		if ((u32)first != 0 || third != 0 || !limit_of(slot, (u32)second, fourth))
			return 0;
		break;
	case __NR_brk:
		result = AT(long, slot, S_BREAK);
		if (first != 0 || result == 0)
			return 0;
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
	case __NR_rseq:
		if (self == 0)
			return 0;
		result = -ENOSYS;
		break;
	default:
		return 0;
	}
	AT(long, slot, S_RET) = result;
	return 1;
}
