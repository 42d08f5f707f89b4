/*
 * A pipe between this thread and one of another process (channel.ts): what it writes the other takes without anybody's help, and is
 * woken for it. Each has a page, or two, that the other can only read, and believes nothing that stands there.
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

/* Between the ring, from the byte `position` on, and the program's memory. */
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

static u64 put(void *slot)
{
	u32 tail = load(WRITER + C_TAIL), head = load(WRITER + C_HEAD), used = (tail - head) >> 1;
	u64 count = AT(u64, slot, S_CALL_ARGS + 16);

	if (!(tail & head & CHANNEL_OPEN) || used > RING_SIZE || count > RING_SIZE - used)
		return 0;
	if (copy_ring(WRITER + C_RING, tail >> 1, AT(u64, slot, S_CALL_ARGS + 8), count, 1) != 0)
		return 0;
	AT(u32, WRITER, C_CPU) = this_cpu();
	if (!exchange(WRITER + C_TAIL, tail, tail + 2 * (u32)count))
		return 0;
	if (AT(u32, WRITER, C_SLEEPS))
		futex_wake(WRITER + C_TAIL);
	return count;
}

/* Who writes on our own processor does so only if we sleep. Elsewhere it is looked for as long as that has paid. */
static void wait_for_more(u32 head, u32 tail)
{
	u32 most = AT(u32, STUB_GLOBAL, G_SPIN), looks = AT(u32, READER, C_PATIENCE), left;

	if (looks > most || looks == 0)
		looks = most;
	if (AT(u32, READER, C_CPU) != this_cpu()) {
		for (left = looks; left > 0; left--) {
			if (load(READER + C_TAIL) != tail) {
				AT(u32, READER, C_PATIENCE) = 2 * looks;
				return;
			}
			__builtin_ia32_pause();
		}
		AT(u32, READER, C_PATIENCE) = looks / 2 > LEAST_LOOKS ? looks / 2 : LEAST_LOOKS;
	}
	AT(u32, READER, C_SLEEPS) = 1;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (load(READER + C_TAIL) == tail && load(READER + C_HEAD) == head)
		futex_wait(READER + C_TAIL, tail);
	AT(u32, READER, C_SLEEPS) = 0;
}

/* The kernel takes the pipe back before it interrupts who waits here, and wakes us until we come: a writer that lies can lull us. */
static u64 take(void *slot)
{
	u64 to = AT(u64, slot, S_CALL_ARGS + 8), count = AT(u64, slot, S_CALL_ARGS + 16);
	u32 head, tail, have;

	/* Of a buffer all is looked at first, not only what is needed of it. */
	if (to > TASK_SIZE || count > TASK_SIZE - to || count == 0)
		return 0;
	for (;;) {
		head = load(READER + C_HEAD);
		tail = load(READER + C_TAIL);
		have = (tail - head) >> 1;
		if (!(head & tail & CHANNEL_OPEN) || have > RING_SIZE || AT(u32, slot, S_KICKED))
			return 0;
		if (have > 0)
			break;
		wait_for_more(head, tail);
	}
	if (count > have)
		count = have;
	if (copy_ring(READER + C_RING, head >> 1, to, count, 0) != 0)
		return 0;
	return exchange(READER + C_HEAD, head, head + 2 * (u32)count) ? count : 0;
}

/* Whether the call that the slot holds was answered. What it cannot do, and to write nothing, is the kernel's business. */
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
