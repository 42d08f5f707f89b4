/*
 * The bytes of a pipe that goes along (pipe-along.ts). The thread takes from them and puts more behind them. S_PIPE_USE
 * says which there are. The kernel takes that word away when anything else has to do with the pipe.
 */
#include <asm/unistd.h>
#include "stub.h"

#define SEEK_END 2
#define TCGETS 0x5401
#define ESPIPE 29
#define ENOTTY 25
#define POSITION ((1u << PIPE_TAIL) - 1)

/* How many bytes were put; 0 leaves the call to the kernel. `next` becomes the new S_PIPE_USE. */
static u64 put(void *slot, u32 use, u32 *next)
{
	u32 head = use & POSITION, tail = use >> PIPE_TAIL & POSITION, gone = use & PIPE_GONE;
	u64 count = AT(u64, slot, S_CALL_ARGS + 16);

	/* Everything there was taken, so it begins at the start again. */
	if (head == tail && tail) {
		head = tail = 0;
		gone = PIPE_GONE;
	}
	if (tail > PIPE_SIZE || count > PIPE_SIZE - tail)
		return 0;
	if (copy_bytes((char *)slot + S_PIPE + tail, (void *)AT(u64, slot, S_CALL_ARGS + 8), (long)count) != 0)
		return 0;
	*next = PIPE_OPEN | (use & PIPE_WHOLE) | gone | (u32)(tail + count) << PIPE_TAIL | head;
	return count;
}

static u64 take(void *slot, u32 use, u32 *next)
{
	u32 head = use & POSITION, tail = use >> PIPE_TAIL & POSITION;
	u64 to = AT(u64, slot, S_CALL_ARGS + 8), count = AT(u64, slot, S_CALL_ARGS + 16);

	/* The whole buffer is checked first, not only the part that is used. */
	if (to > TASK_SIZE || count > TASK_SIZE - to || head > tail || tail > PIPE_SIZE)
		return 0;
	if (count > tail - head) {
		if (!(use & PIPE_WHOLE))
			return 0;
		count = tail - head;
	}
	if (copy_bytes((void *)to, (char *)slot + S_PIPE + head, (long)count) != 0)
		return 0;
	*next = use + (u32)count;
	return count;
}

/* What shells ask before they read: whether it is a terminal, and its position. */
static long refusal(void *slot)
{
	u64 nr = AT(u64, slot, S_CALL_NR);

	if (nr == __NR_lseek && AT(u32, slot, S_CALL_ARGS + 16) <= SEEK_END)
		return -ESPIPE;
	return nr == __NR_ioctl && AT(u32, slot, S_CALL_ARGS + 8) == TCGETS ? -ENOTTY : 0;
}

/* Whether the call in the slot was answered. Reading or writing nothing, and waiting, is left to the kernel. */
int answered_by_pipe(void *slot)
{
	u32 use = AT(u32, slot, S_PIPE_USE), fd = AT(u32, slot, S_CALL_ARGS), next;
	u64 nr = AT(u64, slot, S_CALL_NR), count = 0;
	int reads = fd == AT(u32, slot, S_PIPE_READ), writes = fd == AT(u32, slot, S_PIPE_WRITE);

	if (!(use & PIPE_OPEN) || !(reads || writes))
		return 0;
	if (nr == __NR_write && writes)
		count = put(slot, use, &next);
	else if (nr == __NR_read && reads)
		count = take(slot, use, &next);
	else
		return (AT(long, slot, S_RESULT) = refusal(slot)) != 0;
	if (count == 0 || !__atomic_compare_exchange_n((u32 *)((u64)slot + S_PIPE_USE), &use, next, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return 0;
	AT(u64, slot, S_RESULT) = count;
	return 1;
}
