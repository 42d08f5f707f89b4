/*
 * What is mostly asked about an opened file came along with an answer (answers.ts, `OpenedFile`): its attributes and
 * its first bytes, or less. The kernel sees in S_FILE_USE what was done, and takes the word away whenever it likes.
 */
#include <asm/unistd.h>
#include "stub.h"

#define AT_EMPTY_PATH 0x1000
#define F_GETFL 3
#define SEEK_CUR 1
#define POSIX_FADV_SEQUENTIAL 2
#define TCGETS 0x5401
#define ENOTTY 25
#define STAT_SIZE 144
/* Leaves the call to the kernel. */
#define ASK -4096L

static char *record(void *slot)
{
	return (char *)slot + (AT(u32, slot, S_FILE_RECORD) & (SLOT_STRIDE - 1));
}

static long put_stat(void *slot, u64 to)
{
	return copy_bytes((void *)to, record(slot), STAT_SIZE) == 0 ? 0 : ASK;
}

static long stat_unnamed(void *slot)
{
	char name;

	if (AT(u32, slot, S_CALL_ARGS + 24) != AT_EMPTY_PATH || copy_bytes(&name, (void *)AT(u64, slot, S_CALL_ARGS + 8), 1) != 0 || name)
		return ASK;
	return put_stat(slot, AT(u64, slot, S_CALL_ARGS + 16));
}

/* How many bytes were read at `from`, if all that the call wants came along. */
static long read_along(void *slot, u64 from)
{
	u64 to = AT(u64, slot, S_CALL_ARGS + 8), count = AT(u64, slot, S_CALL_ARGS + 16), size = AT(u32, slot, S_FILE_SIZE);

	/* The whole buffer is checked first, not only the part that is used. */
	if (to > TASK_SIZE || count > TASK_SIZE - to)
		return ASK;
	if (size > SLOT_STRIDE || from > size || (count > size - from && !AT(u32, slot, S_FILE_WHOLE)))
		return ASK;
	if (count > size - from)
		count = size - from;
	if (copy_bytes((void *)to, record(slot) + FILE_HEAD + from, (long)count) != 0)
		return ASK;
	return (long)count;
}

static long seek(void *slot, u32 position)
{
	long offset = AT(long, slot, S_CALL_ARGS + 8);
	u32 whence = AT(u32, slot, S_CALL_ARGS + 16);

	if (whence > SEEK_CUR || offset < -(long)FILE_CLOSED || offset > (long)FILE_CLOSED)
		return ASK;
	if (whence == SEEK_CUR)
		offset += position;
	return offset < 0 || offset > (long)FILE_CLOSED - 2 ? ASK : offset;
}

/* For a file that does not change. */
static long answer_steady(void *slot)
{
	u64 second = AT(u64, slot, S_CALL_ARGS + 8);

	switch (AT(u64, slot, S_CALL_NR)) {
	case __NR_fstat:
		return put_stat(slot, second);
	case __NR_newfstatat:
		return stat_unnamed(slot);
	case __NR_pread64:
		return read_along(slot, AT(u64, slot, S_CALL_ARGS + 24));
	case __NR_fadvise64:
		return AT(long, slot, S_CALL_ARGS + 16) >= 0 && AT(u32, slot, S_CALL_ARGS + 24) == POSIX_FADV_SEQUENTIAL ? 0 : ASK;
	case __NR_ioctl:
		return (u32)second == TCGETS ? -ENOTTY : ASK;
	}
	return ASK;
}

/* The call's result. `next` becomes the new S_FILE_USE. */
static long answer(void *slot, u32 use, u32 *next)
{
	u32 may = AT(u32, slot, S_FILE_MAY);
	long result;

	switch (AT(u64, slot, S_CALL_NR)) {
	case __NR_lseek:
		result = may & FILE_SEEKS ? seek(slot, use - 1) : ASK;
		*next = (u32)result + 1;
		return result;
	case __NR_fcntl:
		return AT(u32, slot, S_CALL_ARGS + 8) == F_GETFL ? AT(int, slot, S_FILE_FLAGS) : ASK;
	case __NR_read:
		result = may & FILE_READS ? read_along(slot, use - 1) : ASK;
		*next = use + (u32)result;
		return result;
	case __NR_close:
		/* A window on the file's pages has to be closed too. */
		if (AT(u32, slot, S_WINDOW_USE) & WINDOW_OPEN && AT(u32, slot, S_WINDOW_FD) == AT(u32, slot, S_FILE))
			return ASK;
		*next = use | FILE_CLOSED;
		return may & FILE_CLOSES ? 0 : ASK;
	}
	return may & FILE_STEADY ? answer_steady(slot) : ASK;
}

/* Whether the call in the slot was answered. */
int answered_along(void *slot)
{
	u32 *word = (u32 *)((u64)slot + S_FILE_USE);
	u32 use = AT(u32, slot, S_FILE_USE), next = use;
	long result;

	if (use == 0 || use & FILE_CLOSED || AT(u32, slot, S_CALL_ARGS) != AT(u32, slot, S_FILE))
		return 0;
	result = answer(slot, use, &next);
	if (result == ASK)
		return 0;
	if (next != use && !__atomic_compare_exchange_n(word, &use, next, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return 0;
	AT(long, slot, S_RESULT) = result;
	return 1;
}
