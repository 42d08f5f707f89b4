/*
 * What is mostly asked about a file that was just opened came along with the answer (engine.ts, `OpenedFile`): its
 * attributes and its first bytes. The kernel is told with the next call what was done.
 */
#include <asm/unistd.h>
#include "stub.h"

#define AT_EMPTY_PATH 0x1000
#define SEEK_CUR 1
#define TCGETS 0x5401
#define ENOTTY 25
#define STAT_SIZE 144

static int put_stat(void *slot, u64 to)
{
	return copy_bytes((void *)to, (char *)slot + S_FILE_STAT, STAT_SIZE) == 0 ? STAT_SIZE : -1;
}

/* How many bytes were read at `from`; -1: not all of them came along, or they have no place to go to. */
static long read_along(void *slot, u64 from)
{
	u64 count = AT(u64, slot, S_ARGS + 16), size = AT(u32, slot, S_FILE_SIZE);

	if (size > FILE_DATA_SIZE || from > size || (count > size - from && !AT(u32, slot, S_FILE_WHOLE)))
		return -1;
	if (count > size - from)
		count = size - from;
	if (copy_bytes((void *)AT(u64, slot, S_ARGS + 8), (char *)slot + S_FILE_DATA + from, (long)count) != 0)
		return -1;
	return (long)count;
}

/* Whether the call that the slot holds was answered. */
int answered_along(void *slot)
{
	u64 second = AT(u64, slot, S_ARGS + 8);
	u32 position = AT(u32, slot, S_FILE_POS);
	long result;
	char name;

	if (AT(u32, slot, S_FILE) == 0 || AT(u32, slot, S_ARGS) + 1 != AT(u32, slot, S_FILE))
		return 0;
	switch (AT(u64, slot, S_NR)) {
	case __NR_fstat:
		if (put_stat(slot, second) < 0)
			return 0;
		result = 0;
		break;
	case __NR_newfstatat:
		if (AT(u32, slot, S_ARGS + 24) != AT_EMPTY_PATH || copy_bytes(&name, (void *)second, 1) != 0 || name ||
		    put_stat(slot, AT(u64, slot, S_ARGS + 16)) < 0)
			return 0;
		result = 0;
		break;
	case __NR_read:
		result = read_along(slot, position);
		if (result < 0)
			return 0;
		AT(u32, slot, S_FILE_POS) = position + (u32)result;
		break;
	case __NR_pread64:
		result = read_along(slot, AT(u64, slot, S_ARGS + 24));
		if (result < 0)
			return 0;
		break;
	case __NR_lseek:
		if (second != 0 || AT(u32, slot, S_ARGS + 16) != SEEK_CUR)
			return 0;
		result = position;
		break;
	case __NR_ioctl:
		if ((u32)second != TCGETS)
			return 0;
		result = -ENOTTY;
		break;
	case __NR_close:
		AT(u32, slot, S_FILE_CLOSED) = 1;
		AT(u32, slot, S_FILE) = 0;
		result = 0;
		break;
	default:
		return 0;
	}
	AT(long, slot, S_RET) = result;
	return 1;
}
