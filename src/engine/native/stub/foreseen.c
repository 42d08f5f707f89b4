/*
 * Calls that the kernel foresees (answers.ts, `ForeseenCalls`), as a program mostly begins as it did the last time.
 * They are already made, in this order: a thread that makes the next one is answered here. The kernel looks at
 * S_FORESEEN_MADE.
 */
#include <asm/unistd.h>
#include "stub.h"

#define ARGS 6

static int is_same_string(void *slot, u64 call)
{
	u32 length = AT(u32, call, FC_NAME_LEN), i;
	u64 name = (u64)slot + AT(u32, call, FC_NAME);

	if (AT(u32, call, FC_NAME) == 0)
		return 1;
	if (AT(u32, slot, S_FETCHED0) != length || length > S_IN1 - S_IN0)
		return 0;
	for (i = 0; i < length; i++)
		if (AT(u8, slot, S_IN0 + i) != AT(u8, name, i))
			return 0;
	return 1;
}

static int is_same_call(void *slot, u64 call)
{
	u32 compared = AT(u32, call, FC_COMPARED), i;

	if (AT(u64, slot, S_CALL_NR) != AT(u32, call, FC_NR))
		return 0;
	for (i = 0; i < ARGS; i++) {
		u64 differs = AT(u64, slot, S_CALL_ARGS + 8 * i) ^ AT(u64, call, FC_ARGS + 8 * i);

		if ((compared >> i & 1 && differs) || (compared >> (8 + i) & 1 && (u32)differs))
			return 0;
	}
	return is_same_string(slot, call);
}

/* Whether a file that came along before is closed, if it has to be. */
static int is_closed_before(void *slot, u64 call)
{
	u32 use = AT(u32, slot, S_FILE_USE);

	if (use == 0 || use & FILE_CLOSED)
		return 1;
	return !AT(u32, call, FC_AFTER_CLOSE) && AT(u32, call, FC_ACT) != ACT_OPEN;
}

/* The opened file goes along. */
static void open_along(void *slot, u64 call)
{
	AT(u32, slot, S_FILE_USE) = 0;
	AT(u32, slot, S_FILE) = AT(u32, call, FC_RESULT);
	AT(u32, slot, S_FILE_RECORD) = AT(u32, call, FC_RECORD);
	AT(u32, slot, S_FILE_SIZE) = AT(u32, call, FC_SIZE);
	AT(u32, slot, S_FILE_WHOLE) = AT(u32, call, FC_WHOLE);
	AT(u32, slot, S_FILE_FLAGS) = AT(u32, call, FC_FLAGS);
	AT(u32, slot, S_FILE_MAY) = FILE_SEEKS | FILE_READS | FILE_CLOSES | FILE_STEADY;
	AT(u32, slot, S_FILE_USE) = 1;
}

/* Writes the call's output to where the program wants it. */
static int write_out(void *slot, u64 call)
{
	u32 out = AT(u32, call, FC_OUT), length = AT(u32, call, FC_OUT_LEN);

	if (out == 0)
		return 1;
	if (out > ARGS || length > SLOT_STRIDE)
		return 0;
	return copy_bytes((void *)AT(u64, slot, S_CALL_ARGS + 8 * (out - 1)), (char *)slot + AT(u32, call, FC_OUT_DATA), length) == 0;
}

static int do_call(void *slot, u64 call)
{
	switch (AT(u32, call, FC_ACT)) {
	case ACT_OPEN:
		open_along(slot, call);
		break;
	case ACT_OWN:
		return syscall3(AT(long, slot, S_CALL_NR), AT(long, slot, S_CALL_ARGS), AT(long, slot, S_CALL_ARGS + 8), AT(long, slot, S_CALL_ARGS + 16)) == 0;
	}
	return 1;
}

static int make_next(void *slot)
{
	u32 made = AT(u32, slot, S_FORESEEN_MADE);
	u64 call = (u64)slot + S_FORESEEN_CALLS + FORESEEN_CALL * made;

	if (made >= AT(u32, slot, S_FORESEEN) || made >= MOST_FORESEEN)
		return 0;
	if (!is_same_call(slot, call) || !is_closed_before(slot, call) || !write_out(slot, call) || !do_call(slot, call))
		return 0;
	AT(u32, slot, S_FORESEEN_MADE) = made + 1;
	AT(long, slot, S_RESULT) = AT(long, call, FC_RESULT);
	return 1;
}

/*
 * Whether the call in the slot, its name fetched, was foreseen and has been answered. The kernel may take the list away
 * at any time, and then sees whether the thread is busy here.
 */
int foreseen_call(void *slot)
{
	u32 *busy = (u32 *)((u64)slot + S_FORESEEN_BUSY);
	int answered;

	if (AT(u32, slot, S_FORESEEN) == 0)
		return 0;
	__atomic_store_n(busy, 1, __ATOMIC_SEQ_CST);
	answered = make_next(slot);
	__atomic_store_n(busy, 0, __ATOMIC_RELEASE);
	return answered;
}
