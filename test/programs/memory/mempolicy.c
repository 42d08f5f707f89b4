/*
 * set_mempolicy(2), get_mempolicy(2), mbind(2), set_mempolicy_home_node(2), migrate_pages(2), move_pages(2), on one node.
 */
#include "../check.h"

#define PAGE 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define HOME_NODE 450

#define STATIC (1 << 15)
#define RELATIVE (1 << 14)
#define BALANCING (1 << 13)

static unsigned long masks[3][40] = { { 0 }, { 1 }, { 3 } };
static char *area;

static long set(int mode, void *mask, unsigned long count)
{
	return syscall(SYS_set_mempolicy, mode, mask, count);
}

static long get(int *mode, void *mask, unsigned long count, void *addr, unsigned long flags)
{
	return syscall(SYS_get_mempolicy, mode, mask, count, addr, flags);
}

static long bind_to(void *addr, unsigned long len, int mode, void *mask, unsigned long count, unsigned flags)
{
	return syscall(SYS_mbind, addr, len, mode, mask, count, flags);
}

static void told(const char *what, void *addr)
{
	unsigned long mask[2] = { ~0ul, ~0ul };
	int mode = -1;
	long r = get(&mode, mask, 128, addr, addr ? 2 : 0);

	say("  %s: %s %#x %lx %lx\n", what, r ? errno_name(errno) : "ok", mode, mask[0], mask[1]);
}

/* The policies of the area's pages, and where the kernel has cut it. */
static void areas(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	char line[1000];
	unsigned long from, to;

	while (fgets(line, sizeof line, file))
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from < (unsigned long)area + 8 * PAGE &&
		    to > (unsigned long)area)
			printf(" %ld-%ld", ((long)from - (long)area) / (long)PAGE, ((long)to - (long)area) / (long)PAGE);
	fclose(file);
	for (int i = 0; i < 8; i++) {
		int mode = -1;

		get(&mode, NULL, 0, area + i * PAGE, 2);
		printf(" %x", mode);
	}
	say("\n");
}

static void modes(void)
{
	static const int flags[] = { 0, STATIC, RELATIVE, STATIC | RELATIVE, BALANCING, BALANCING | STATIC };

	for (int mode = -1; mode < 9; mode++)
		for (unsigned f = 0; f < sizeof flags / sizeof *flags; f++)
			for (int m = 0; m < 3; m++) {
				long r = set(mode | flags[f], masks[m], 64);

				say("mode %d flags %x mask %d: %s\n", mode, flags[f], m, r ? errno_name(errno) : "ok");
				if (r == 0)
					told("is", NULL);
			}
	masks[0][0] = 2;
	R(set(2, masks[0], 64));
	R(set(2 | STATIC, masks[0], 64));
	R(set(2 | RELATIVE, masks[0], 64));
	told("relative", NULL);
	masks[0][0] = 0;
	masks[0][1] = 1;
	R(set(3, masks[0], 128));
	R(set(3, masks[0], 65));
	R(set(3, masks[0], 66));
	R(set(3 | RELATIVE, masks[0], 66));
	told("far", NULL);
	masks[0][1] = 0;
}

static void bounds(void)
{
	R(set(0, NULL, 0));
	R(set(0, masks[1], 0));
	R(set(0, masks[1], 1));
	R(set(2, masks[1], 1));
	R(set(2, masks[1], 2));
	R(set(2, masks[1], 1024));
	R(set(2, masks[1], 1025));
	R(set(2, masks[1], 2000));
	R(set(2, masks[1], PAGE * 8 + 2));
	R(set(2, (void *)8, 64));
	R(set(2, NULL, 64));
	R(set(1, NULL, 64));
	told("local", NULL);
	R(set(3, masks[1], 2));
	int mode = -1;
	unsigned long mask[3] = { 5, 5, 5 };
	R(get(NULL, NULL, 0, NULL, 0));
	R(get(&mode, NULL, 0, NULL, 1));
	R(mode);
	R(get(&mode, mask, 0, NULL, 0));
	R(get(&mode, mask, 1, NULL, 0));
	R(mask[0]);
	R(get(&mode, mask, 2, NULL, 0));
	R(mask[0]);
	R(mask[1]);
	R(get(&mode, mask, 66, NULL, 0));
	R(mask[1]);
	R(mask[2]);
	R(get(&mode, mask, PAGE * 8 + 2, NULL, 0));
	R(get((int *)8, NULL, 0, NULL, 0));
	R(get(NULL, (void *)8, 64, NULL, 0));
	R(get(&mode, NULL, 0, area, 0));
	R(get(&mode, NULL, 0, NULL, 2));
	R(get(&mode, NULL, 0, NULL, 8));
	R(get(&mode, mask, 64, NULL, 4));
	R(mask[0]);
	R(get(&mode, mask, 64, NULL, 6));
	R(get(&mode, mask, 64, area, 3));
	R(mode);
	R(set(2, masks[1], 2));
	R(get(&mode, NULL, 0, NULL, 1));
}

static void ranges(void)
{
	areas();
	R(bind_to(area + 2 * PAGE, PAGE, 2, masks[1], 64, 0));
	areas();
	R(bind_to(area + 3 * PAGE, PAGE + 1, 2, masks[1], 64, 1));
	areas();
	R(bind_to(area + 4 * PAGE, PAGE, 3, masks[1], 64, 2));
	areas();
	R(bind_to(area + 5 * PAGE, PAGE, 1, NULL, 0, 3));
	areas();
	R(bind_to(area + 1, PAGE, 2, masks[1], 64, 0));
	R(bind_to(area, 0, 2, masks[1], 64, 0));
	R(bind_to(area, 0, 9, masks[1], 64, 0));
	R(bind_to(area, 0, 2, masks[0], 64, 0));
	R(bind_to(area, PAGE, 2, masks[0], 64, 0));
	R(bind_to(area, PAGE, 2, masks[1], 64, 8));
	R(bind_to(area, -PAGE, 2, masks[1], 64, 0));
	R(bind_to(area + 6 * PAGE, 4 * PAGE, 2, masks[1], 64, 0));
	R(bind_to(area + 6 * PAGE, 4 * PAGE, 0, NULL, 0, 0));
	R(bind_to(area + 8 * PAGE, PAGE, 0, NULL, 0, 0));
	areas();

	R(syscall(HOME_NODE, area, PAGE, 0, 0));
	R(syscall(HOME_NODE, area, 4 * PAGE, 0, 0));
	areas();
	R(syscall(HOME_NODE, area, 8 * PAGE, 0, 0));
	R(syscall(HOME_NODE, area + 2 * PAGE, PAGE, 0, 1));
	R(syscall(HOME_NODE, area + 2 * PAGE, PAGE, 5000, 0));
	R(syscall(HOME_NODE, area + 1, PAGE, 0, 0));
	R(syscall(HOME_NODE, area + 2 * PAGE, 0, 0, 0));

	/* They go along. */
	pid_t pid = MUST(fork());
	if (pid == 0) {
		told("child", area + 2 * PAGE);
		told("child's", NULL);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	char *moved = mremap(area + 2 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	told("moved", moved);
	told("moved", moved + PAGE);
	munmap(moved, 2 * PAGE);
	R(mmap(area + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == area + 2 * PAGE);
	areas();
	R(bind_to(area, 8 * PAGE, 0, NULL, 0, 0));
	areas();
}

static void pages(void)
{
	void *list[4] = { area, area + PAGE, (void *)8, area + 2 * PAGE };
	int nodes[4] = { 0, 0, 0, 0 }, status[4] = { 9, 9, 9, 9 };

	MUST(madvise(area, 8 * PAGE, MADV_DONTNEED));
	area[0] = area[2 * PAGE] = 1;
	R(syscall(SYS_move_pages, 0, 4, list, NULL, status, 0));
	say("%d %d %d %d\n", status[0], status[1], status[2], status[3]);
	R(syscall(SYS_move_pages, getpid(), 4, list, nodes, status, 2));
	say("%d %d %d %d\n", status[0], status[1], status[2], status[3]);
	R(syscall(SYS_move_pages, 0, 0, NULL, NULL, NULL, 0));
	R(syscall(SYS_move_pages, 0, 4, list, NULL, status, 1));
	R(syscall(SYS_move_pages, 0, 4, 8, NULL, status, 0));
	R(syscall(SYS_move_pages, 0, 4, list, NULL, 8, 0));
	R(syscall(SYS_move_pages, 0, 4, list, 8, status, 2));
	R(syscall(SYS_move_pages, 4000000, 4, list, NULL, status, 0));
	nodes[0] = 5000;
	R(syscall(SYS_move_pages, 0, 4, list, nodes, status, 2));
	nodes[0] = -1;
	R(syscall(SYS_move_pages, 0, 4, list, nodes, status, 2));

	R(syscall(SYS_migrate_pages, 0, 64, masks[1], masks[1]));
	R(syscall(SYS_migrate_pages, 0, 64, masks[1], masks[0]));
	R(syscall(SYS_migrate_pages, 0, 64, NULL, masks[1]));
	R(syscall(SYS_migrate_pages, 0, 64, masks[1], NULL));
	R(syscall(SYS_migrate_pages, 0, 64, 8, masks[1]));
	R(syscall(SYS_migrate_pages, 0, PAGE * 8 + 2, masks[1], masks[1]));
	R(syscall(SYS_migrate_pages, 4000000, 64, masks[1], masks[1]));
	R(syscall(SYS_migrate_pages, getpid(), 64, masks[1], masks[1]));
}

int main(void)
{
	/* A host without it, or with more nodes, answers otherwise. */
	if (get(NULL, NULL, 0, NULL, 0) == -1 || access("/sys/devices/system/node/node1", F_OK) == 0) {
		puts("the host has not one node");
		return 77;
	}
	area = MUST((long)mmap(NULL, 10 * PAGE, PROT_NONE, ANON, -1, 0)) + (char *)0;
	R(mmap(area, 8 * PAGE, RW, ANON | MAP_FIXED, -1, 0) == area);
	munmap(area + 8 * PAGE, 2 * PAGE);
	modes();
	bounds();
	ranges();
	pages();
	return 0;
}
