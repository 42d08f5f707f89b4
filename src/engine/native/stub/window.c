/*
 * Reads and writes at a position of a file seen through a window (window-along.ts), without asking. The window is this
 * program's own, and what it shows may be read, or overwritten.
 */
#include <asm/unistd.h>
#include "stub.h"

/* Notes what is about to be done, once for each look by the kernel. */
static int note(void *slot, u32 use, u32 what)
{
	u32 *word = (u32 *)((u64)slot + S_WINDOW_USE);

	return use & what || __atomic_compare_exchange_n(word, &use, use | what, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/*
 * Whether everything copied is good: the window was open until then, and the kernel will see the note, or has not taken
 * the window back. If not, the kernel is asked to do it again.
 */
static int holds(void *slot, u32 what)
{
	u32 use;
	u64 closed = STUB_SPACE + P_WINDOWS + 4 * (AT(u32, slot, S_WINDOW_PLACE) / WINDOW_STRIDE % MAX_WINDOWS);

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	use = AT(u32, slot, S_WINDOW_USE);
	return AT(u32, closed, 0) == AT(u32, slot, S_WINDOW_WAS) && use & WINDOW_OPEN && note(slot, use, what);
}

/* Whether the call in the slot was answered. */
int answered_by_window(void *slot)
{
	u32 use = AT(u32, slot, S_WINDOW_USE);
	u64 nr = AT(u64, slot, S_CALL_NR), address = AT(u64, slot, S_CALL_ARGS + 8), count = AT(u64, slot, S_CALL_ARGS + 16);
	u64 from = AT(u64, slot, S_WINDOW_FROM), to = AT(u64, slot, S_WINDOW_TO), at = AT(u64, slot, S_CALL_ARGS + 24);
	char *window = (char *)WINDOW_BASE + AT(u32, slot, S_WINDOW_PLACE) + (at - from);
	int writes = nr == __NR_pwrite64;
	u32 what = writes ? WINDOW_WRITTEN : WINDOW_READ;

	if (!(use & WINDOW_OPEN) || AT(u32, slot, S_CALL_ARGS) != AT(u32, slot, S_WINDOW_FD) || !(writes || nr == __NR_pread64))
		return 0;
	if (count == 0 || at < from || at >= to || count > to - at || address > TASK_SIZE || count > TASK_SIZE - address)
		return 0;
	if ((writes && !(use & WINDOW_MAY_WRITE)) || !note(slot, use, what))
		return 0;
	if (copy_bytes(writes ? window : (char *)address, writes ? (char *)address : window, (long)count) != 0 || !holds(slot, what))
		return 0;
	AT(u64, slot, S_RESULT) = count;
	return 1;
}
