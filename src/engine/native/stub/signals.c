/*
 * The host's signals in a guest thread: a call (SIGSYS), a fault, a kick. The host has put all registers into a frame
 * on the slot's alternate stack, where the kernel reads and changes them.
 */
#include "stub.h"

#define SIGTRAP 5
#define SYS_SECCOMP 1
#define SYS_USER_DISPATCH 2

/* Offsets in siginfo_t and ucontext_t (asm/siginfo.h, asm/ucontext.h, x86-64). */
#define SI_CODE 8
#define SI_ADDR 16
#define SI_ARCH 28
#define UC_GREGS 40
#define R10 2
#define R8 0
#define R9 1
#define RDI 8
#define RSI 9
#define RDX 12
#define RAX 13
#define RIP 16
#define EFLAGS 17
#define CARRY 1
#define ZERO 0x40

#define GREG(context, index) AT(u64, context, UC_GREGS + 8 * (index))

static void *slot_of(void *context)
{
	return (void *)((u64)context & ~(u64)(SLOT_STRIDE - 1));
}

/* Returns only for A_RETURN. The thread's own base register is not part of a frame, so it is saved apart. */
static void ask_with_frame(void *slot, void *context, int kind)
{
	AT(u32, slot, S_FRAME) = (u32)((u64)context - (u64)slot);
	AT(u64, slot, S_FS) = __builtin_ia32_rdfsbase64();
	if (request(slot, kind) != A_FRAME)
		return;
	__builtin_ia32_wrfsbase64(AT(u64, slot, S_FS));
	resume_frame((char *)slot + AT(u32, slot, S_FRAME));
}

/* As in fast_exit, the flags are those of a comparison with -4096. */
static void set_result(void *context, u64 result)
{
	u64 flags = GREG(context, EFLAGS) & ~(u64)(CARRY | ZERO);

	GREG(context, RAX) = result;
	GREG(context, EFLAGS) = result > (u64)-4096 ? flags : flags | CARRY;
}

void handle_call(int signal, void *info, void *context)
{
	void *slot = slot_of(context);
	int code = AT(int, info, SI_CODE);

	(void)signal;
	if (code != SYS_SECCOMP && code != SYS_USER_DISPATCH)
		return;
	AT(u64, slot, S_CALL_NR) = GREG(context, RAX);
	AT(u64, slot, S_CALL_ARGS) = GREG(context, RDI);
	AT(u64, slot, S_CALL_ARGS + 8) = GREG(context, RSI);
	AT(u64, slot, S_CALL_ARGS + 16) = GREG(context, RDX);
	AT(u64, slot, S_CALL_ARGS + 24) = GREG(context, R10);
	AT(u64, slot, S_CALL_ARGS + 32) = GREG(context, R8);
	AT(u64, slot, S_CALL_ARGS + 40) = GREG(context, R9);
	AT(u64, slot, S_RIP) = GREG(context, RIP);
	AT(u32, slot, S_SIGCODE) = AT(u32, info, SI_ARCH);
	ask_with_frame(slot, context, K_CALL);
	GREG(context, RAX) = AT(u64, slot, S_RESULT);
}

void handle_fault(int signal, void *info, void *context)
{
	void *slot = slot_of(context);
	u64 rip = GREG(context, RIP);
	int kind;

	if (rip >= (u64)copy_guest && rip < (u64)copy_guest_end) {
		GREG(context, RIP) = (u64)copy_guest_fault;
		return;
	}
	if (signal == SIGTRAP && rip == (u64)fast_trap) {
		GREG(context, RIP) = AT(u64, slot, S_RIP);
		kind = AT(u32, slot, S_FRAMED) ? K_FRAMED : K_FRAME;
		AT(u32, slot, S_FRAMED) = 0;
		ask_with_frame(slot, context, kind);
		set_result(context, AT(u64, slot, S_RESULT));
		return;
	}
	AT(u32, slot, S_SIGNO) = (u32)signal;
	AT(u32, slot, S_SIGCODE) = AT(u32, info, SI_CODE);
	AT(u64, slot, S_SIGADDR) = AT(u64, info, SI_ADDR);
	ask_with_frame(slot, context, K_FAULT);
	/* Back here, it was the middle of a patched site, and so a call after all. */
	GREG(context, RAX) = AT(u64, slot, S_RESULT);
}

void handle_kick(int signal, void *info, void *context)
{
	void *slot = slot_of(context);
	u64 rip = GREG(context, RIP);

	(void)signal;
	(void)info;
	if (rip < STUB_TEXT || rip >= STUB_END) {
		ask_with_frame(slot, context, K_KICK);
		return;
	}
	AT(u32, slot, S_KICKED) = 1;
	if (rip >= (u64)fast_exit && rip < (u64)fast_exit_end)
		GREG(context, RIP) = (u64)fast_exit;
}
