/* More memory than there is: what vm.overcommit_memory 0 refuses, RLIMIT_AS, RLIMIT_DATA. */
#include "../check.h"
#include <sys/resource.h>

#define PAGE 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static unsigned long all(void)
{
	FILE *info = fopen("/proc/meminfo", "r");
	unsigned long kib, total = 0;
	char line[256];

	while (fgets(line, sizeof(line), info))
		if (sscanf(line, "MemTotal: %lu", &kib) == 1 || sscanf(line, "SwapTotal: %lu", &kib) == 1)
			total += kib * 1024;
	fclose(info);
	return total;
}

static char *try(const char *what, unsigned long size, int prot, int flags)
{
	char *p = mmap(NULL, size, prot, flags, -1, 0);

	say("%s: %s\n", what, p == MAP_FAILED ? errno_name(errno) : "ok");
	return p;
}

static void limits(void)
{
	struct rlimit limit = {64 << 20, 64 << 20};

	MUST(setrlimit(RLIMIT_DATA, &limit));
	char *p = try("read-only", 96 << 20, PROT_READ, ANON);
	R(mprotect(p, 96 << 20, RW));
	R(mprotect(p, 32 << 20, RW));
	R(mprotect(p + (32 << 20), 60 << 20, RW));
	try("writable", 60 << 20, RW, ANON);
	try("shared", 96 << 20, RW, MAP_SHARED | MAP_ANONYMOUS);
	R(sbrk(60 << 20) == (void *)-1);
	char *q = try("a little", 1 << 20, RW, ANON);
	R(mremap(q, 1 << 20, 60 << 20, MREMAP_MAYMOVE) == MAP_FAILED);
	limit.rlim_cur = limit.rlim_max = 256 << 20;
	MUST(setrlimit(RLIMIT_AS, &limit));
	try("beyond RLIMIT_AS", 200 << 20, PROT_NONE, ANON);
	R(mremap(p + (95 << 20), 1 << 20, 200 << 20, MREMAP_MAYMOVE) == MAP_FAILED);
}

int main(void)
{
	unsigned long size = (all() + (all() >> 3)) & -PAGE;

	try("private", size, RW, ANON);
	char *p = try("without reserve", size, RW, ANON | MAP_NORESERVE);
	p[size / 2] = 1;
	R(mprotect(p, size, PROT_READ));
	R(mprotect(p, size, RW));
	munmap(p, size);
	try("shared", size, RW, MAP_SHARED | MAP_ANONYMOUS);
	p = try("shared, without reserve", size, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE);
	p[size / 2] = 1;
	munmap(p, size);
	p = try("read-only", size, PROT_READ, ANON);
	R(mprotect(p, size, RW));
	R(mprotect(p, size / 4, RW));
	munmap(p, size);
	p = try("no access", size, PROT_NONE, ANON);
	R(mprotect(p + size / 2, size / 4, RW));
	munmap(p, size);
	p = try("a part", size / 4, RW, ANON);
	R(mremap(p, size / 4, size + size / 4, MREMAP_MAYMOVE) == MAP_FAILED);
	munmap(p, size / 4);
	char *end = sbrk(0);
	R(sbrk(size) == (void *)-1);
	R(sbrk(0) == end);
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	R(mmap(NULL, size, RW, MAP_PRIVATE, fd, 0) == MAP_FAILED);
	R(mmap(NULL, size, RW, MAP_SHARED, fd, 0) == MAP_FAILED);
	R(mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
	in_child("limits", limits);
	return 0;
}
