/*
 * A pipe between this thread and one of another process (channel.ts). What one writes, the other takes without help,
 * and is woken for it. Each has pages that the other can only read, and neither believes what the other's say.
 */
#include <asm/unistd.h>
#include "stub.h"

#define WRITER CHANNEL_BASE
#define READER (CHANNEL_BASE + CHANNEL_STRIDE)
#define LEAST_LOOKS 16

static u32 load(u64 address)
{
	return __atomic_load_n((u32 *)address, __ATOMIC_ACQUIRE);
}

static int exchange(u64 address, u32 was, u32 is)
{
	return __atomic_compare_exchange_n((u32 *)address, &was, is, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Copies between the ring, from byte `position` on, and the program's memory. */
static int copy_ring(u64 ring, u32 position, u64 address, u64 count, int writes)
{
	u64 from = position & (RING_SIZE - 1), first = RING_SIZE - from < count ? RING_SIZE - from : count;
	char *here = (char *)ring + from;

	if (copy_bytes(writes ? here : (char *)address, writes ? (char *)address : here, (long)first) != 0)
		return -1;
	here = (char *)ring;
	address += first;
	return copy_bytes(writes ? here : (char *)address, writes ? (char *)address : here, (long)(count - first)) != 0 ? -1 : 0;
}

/*
 * Waits until the other's position is no longer `seen`, or the pipe is closed. If the other thread is on our processor,
 * it goes on only if we sleep. If it is elsewhere, we look for as long as that has paid. The kernel takes the pipe back
 * before it interrupts a thread that waits here, and wakes it until it comes. A lying peer can only lull us.
 */
static void wait_for(u64 theirs, u32 seen, u64 ours, u32 own, u64 other_cpu)
{
	u64 asleep = ours + C_FULL - C_TAIL, patience = ours + C_WRITER_LOOKS - C_TAIL;
	u32 most = AT(u32, STUB_GLOBAL, G_SPIN), looks = AT(u32, patience, 0), left;

	if (looks > most || looks == 0)
		looks = most;
	if (AT(u32, other_cpu, 0) != this_cpu()) {
		for (left = looks; left > 0; left--) {
			if (load(theirs) != seen) {
				AT(u32, patience, 0) = 2 * looks;
				return;
			}
			__builtin_ia32_pause();
		}
		AT(u32, patience, 0) = looks / 2 > LEAST_LOOKS ? looks / 2 : LEAST_LOOKS;
	}
	AT(u32, asleep, 0) = 1;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (load(theirs) == seen && load(ours) == own)
		futex_wait(theirs, seen);
	AT(u32, asleep, 0) = 0;
}

static u64 put(void *slot)
{
	u64 count = AT(u64, slot, S_CALL_ARGS + 16);
	u32 head, tail, used;

	if (count == 0 || count > LARGEST_PUT)
		return 0;
	AT(u32, WRITER, C_WRITER) = this_cpu();
	for (;;) {
		tail = load(WRITER + C_TAIL);
		head = load(WRITER + C_HEAD);
		used = (tail - head) >> 1;
		if (!(tail & head & CHANNEL_OPEN) || used > RING_SIZE || AT(u32, slot, S_KICKED))
			return 0;
		if (count <= RING_SIZE - used)
			break;
		wait_for(WRITER + C_HEAD, head, WRITER + C_TAIL, tail, WRITER + C_READER);
	}
	if (copy_ring(WRITER + C_RING, tail >> 1, AT(u64, slot, S_CALL_ARGS + 8), count, 1) != 0)
		return 0;
	if (!exchange(WRITER + C_TAIL, tail, tail + 2 * (u32)count))
		return 0;
	if (AT(u32, WRITER, C_EMPTY))
		futex_wake(WRITER + C_TAIL);
	return count;
}

static u64 take(void *slot)
{
	u64 to = AT(u64, slot, S_CALL_ARGS + 8), count = AT(u64, slot, S_CALL_ARGS + 16);
	u32 head, tail, have;

	/* The whole buffer is checked first, not only the part that is used. */
	if (to > TASK_SIZE || count > TASK_SIZE - to || count == 0)
		return 0;
	AT(u32, READER, C_READER) = this_cpu();
	for (;;) {
		head = load(READER + C_HEAD);
		tail = load(READER + C_TAIL);
		have = (tail - head) >> 1;
		if (!(head & tail & CHANNEL_OPEN) || have > RING_SIZE || AT(u32, slot, S_KICKED))
			return 0;
		if (have > 0)
			break;
		wait_for(READER + C_TAIL, tail, READER + C_HEAD, head, READER + C_WRITER);
	}
	if (count > have)
		count = have;
	if (copy_ring(READER + C_RING, head >> 1, to, count, 0) != 0)
		return 0;
	if (!exchange(READER + C_HEAD, head, head + 2 * (u32)count))
		return 0;
	/* Wakes the writer once there is room for anything that it may want to put. */
	if (AT(u32, READER, C_FULL) && RING_SIZE - have + count >= LARGEST_PUT)
		futex_wake(READER + C_HEAD);
	return count;
}

/* Whether the call in the slot was answered. Writes of nothing, and what this code cannot do, go to the kernel. */
int answered_by_channel(void *slot)
{
	u32 ends = AT(u32, slot, S_CHANNELS), fd = AT(u32, slot, S_CALL_ARGS);
	u64 nr = AT(u64, slot, S_CALL_NR), count = 0;

	if (ends == 0)
		return 0;
	if (nr == __NR_write && ends & CHANNEL_WRITES && fd == AT(u32, slot, S_CHANNEL_WRITE))
		count = put(slot);
	else if (nr == __NR_read && ends & CHANNEL_READS && fd == AT(u32, slot, S_CHANNEL_READ))
		count = take(slot);
	AT(u64, slot, S_RESULT) = count;
	return count > 0;
}
