/* mmap(2) and shmat(2) without a wish: memory comes from the top, not from what the heap has just given back. */
#include "../check.h"
#include <sys/shm.h>

#define ROOM (1l << 30)

static int is_high(void *place)
{
	return place != MAP_FAILED && (char *)place > (char *)sbrk(0) + ROOM;
}

static void shrink(void)
{
	int id = MUST(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600));
	char *end;

	T(sbrk(16 * 4096));
	T(sbrk(-8 * 4096));
	R(is_high(shmat(id, NULL, 0)));
	R(shmctl(id, IPC_RMID, NULL));
	T(sbrk(-4096));
	R(is_high(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
	end = sbrk(0);
	T(sbrk(64 * 4096));
	R((char *)sbrk(0) - end);
}

static void low(void)
{
	void *place = mmap((void *)0x10000000, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	R(munmap(place, 65536));
	R(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) > (void *)0x20000000);
}

/* What was mapped, by its address, where the stack is to grow, is no place for others once it is gone. */
static void near_stack(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *here = (char *)((uintptr_t)__builtin_frame_address(0) & -(1ul << 20)) - (32l << 20);

	R(mmap(NULL, 65536, PROT_READ, flags, -1, 0) < (void *)here);
	R(mmap(here, 65536, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0) == here);
	R(mmap(NULL, 4096, PROT_READ, flags, -1, 0) < (void *)here);
	R(munmap(here, 65536));
	for (int i = 0; i < 3; i++)
		R(mmap(NULL, 4096 << i, PROT_READ, flags, -1, 0) < (void *)here);
}

int main(void)
{
	shrink();
	in_child("child", shrink);
	in_child("child", low);
	in_child("child", near_stack);
	return 0;
}
