/* Addresses and lengths at the edges of what there is: which error each call gives, and what it did all the same. */
#include "../check.h"

#define PAGE 4096ul
#define TOP 0x7ffffffff000ul

/* Glibc's wrappers round and look; the calls themselves are what is asked. */
#define CALL(name, ...) print_result(#name "(" #__VA_ARGS__ ")", syscall(SYS_##name, __VA_ARGS__), 1)

static const unsigned long addresses[] = {
	0, 1, PAGE, PAGE + 1, TOP, TOP + PAGE, 1ul << 47, 1ul << 52, (1ul << 53) + 1,
	(1ul << 62) + 1, (1ul << 63) - PAGE, (1ul << 63) - 1, 1ul << 63, (1ul << 63) + 1, 0xffff800000000000ul,
	-2 * PAGE, -2 * PAGE + 1, -PAGE,
};

static const unsigned long lengths[] = {
	0, 1, PAGE, PAGE + 1, TOP, TOP + 1, 1ul << 47, (1ul << 53) + 1, (1ul << 63) - 1, 1ul << 63, -TOP,
	-2 * PAGE, -2 * PAGE + 1, -PAGE, -PAGE + 1, -1ul,
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *answer(long result)
{
	return result == -1 ? errno_name(errno) : result == 0 ? "0" : "ok";
}

static char vector[16];

static void each(const char *what, unsigned long a, unsigned long len)
{
	printf("%s %lx %lx:", what, a, len);
	printf(" mprotect %s", answer(syscall(SYS_mprotect, a, len, PROT_READ)));
	printf(" bad mprotect %s", answer(syscall(SYS_mprotect, a, len, 77777)));
	printf(" msync %s", answer(syscall(SYS_msync, a, len, MS_ASYNC)));
	if (a % PAGE == 0 || len % PAGE == 0) {
		printf(" mlock %s", answer(syscall(SYS_mlock, a, len)));
		printf(" munlock %s", answer(syscall(SYS_munlock, a, len)));
	}
	printf(" madvise %s", answer(syscall(SYS_madvise, a, len, MADV_NORMAL)));
	printf(" bad madvise %s", answer(syscall(SYS_madvise, a, len, 7777)));
	if (len <= 2 * PAGE || len > TOP)
		printf(" mincore %s", answer(syscall(SYS_mincore, a, len, vector)));
	printf(" munmap %s", a < PAGE && len > PAGE ? "-" : answer(syscall(SYS_munmap, a, len)));
	printf("\n");
}

static void remaps(unsigned long a, unsigned long len)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	printf("mremap %lx %lx:", a, len);
	printf(" from %s", answer(syscall(SYS_mremap, a, PAGE, PAGE, 0)));
	printf(" longer %s", answer(syscall(SYS_mremap, a, PAGE, len, MREMAP_MAYMOVE)));
	/* Root may have pages below vm.mmap_min_addr. */
	if (a >= TOP || a % PAGE)
		printf(" to %s", answer(syscall(SYS_mremap, p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, a)));
	printf(" new %s", len > TOP || len == 0 ? answer(syscall(SYS_mremap, p, PAGE, len, MREMAP_MAYMOVE)) : "-");
	printf(" old %s", len > TOP ? answer(syscall(SYS_mremap, p, len, 2 * PAGE, MREMAP_MAYMOVE)) : "-");
	printf("\n");
	munmap(p, 2 * PAGE);
}

static void maps(unsigned long a, unsigned long len)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	/* What lies where differs from run to run, and what root may do at 0. */
	int fixed = a >= TOP || (a % PAGE && a > PAGE);
	void *p;

	printf("mmap %lx %lx:", a, len);
	p = mmap((void *)a, len, PROT_NONE, flags, -1, 0);
	printf(" hint %s", answer((long)p));
	if (p != MAP_FAILED)
		munmap(p, len);
	if (!fixed)
		printf("\n");
	else {
		printf(" fixed %s", answer((long)mmap((void *)a, len, PROT_NONE, flags | MAP_FIXED, -1, 0)));
		printf(" noreplace %s\n",
		       answer((long)mmap((void *)a, len, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0)));
	}
}

int main(void)
{
	/* With a hole behind it: what is mapped up to the first hole changes although the call fails. */
	char *p = mmap(NULL, 64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (unsigned i = 0; i < COUNT(addresses); i++)
		for (unsigned j = 0; j < COUNT(lengths); j++) {
			/* Nearly all of the address space: that would be all of us. */
			if (addresses[i] < TOP - PAGE && lengths[j] > PAGE + 1 && lengths[j] <= TOP)
				continue;
			each("at", addresses[i], lengths[j]);
			remaps(addresses[i], lengths[j]);
			maps(addresses[i], lengths[j]);
		}
	for (unsigned j = 0; j < COUNT(lengths); j++) {
		unsigned long len = lengths[j];

		munmap(p, 64 * PAGE);
		p = mmap(p, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		printf("mine %lx:", len);
		printf(" mlock %s", answer(syscall(SYS_mlock, p, len)));
		printf(" munlock %s", answer(syscall(SYS_munlock, p, len)));
		printf(" odd mlock %s", answer(syscall(SYS_mlock, p + 1, len)));
		printf(" odd munlock %s", answer(syscall(SYS_munlock, p + 1, len)));
		printf(" madvise %s", answer(syscall(SYS_madvise, p, len, MADV_NORMAL)));
		if (len <= 2 * PAGE || len > TOP) {
			printf(" msync %s", answer(syscall(SYS_msync, p, len, MS_ASYNC)));
			printf(" mprotect %s", answer(syscall(SYS_mprotect, p, len, PROT_READ)));
			printf(" mincore %s", answer(syscall(SYS_mincore, p, len, vector)));
			printf(" munmap %s", answer(syscall(SYS_munmap, p, len)));
		}
		printf("\n");
	}
	CALL(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1);
	CALL(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, 99, 1);
	CALL(mmap, 0, 0, PROT_READ, MAP_PRIVATE, 99, 0);
	CALL(mmap, 0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CALL(mmap, 0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0);
	CALL(mmap, 0, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0);
	CALL(mmap, 0, PAGE, PROT_READ, 4 | MAP_ANONYMOUS, -1, 0);
	int fd = MUST(open("f", O_CREAT | O_RDWR, 0600));
	CALL(mmap, 0, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x200000, fd, 0);
	CALL(mmap, 0, PAGE, PROT_READ, MAP_SHARED | MAP_GROWSDOWN, fd, 0);
	CALL(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_GROWSDOWN, fd, 0);
	CALL(mmap, 0, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
	CALL(mmap, 0, PAGE, PROT_READ, 0, fd, 0);
	CALL(mmap, 0, PAGE, PROT_READ, MAP_SHARED, fd, -PAGE);
	CALL(mmap, 0, PAGE, PROT_READ, MAP_SHARED, fd, 0x8000000000000000ul);
	CALL(mmap, 0, PAGE, PROT_READ, MAP_SHARED, fd, 0x7ffffffffffff800ul);
	return 0;
}
