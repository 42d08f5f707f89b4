/* mmap(2) with MAP_HUGETLB where no huge page is to be had: what is wrong with the flags is told first. */
#include "../check.h"

#define HUGE (2ul << 20)
#define SIZE(log) ((log) << 26)

static void map(const char *what, unsigned long at, unsigned flags, int fd)
{
	void *place = mmap((void *)at, HUGE, PROT_READ | PROT_WRITE, (int)flags, fd, 0);

	say("%s: %s\n", what, place == MAP_FAILED ? errno_name(errno) : "mapped");
}

int main(void)
{
	FILE *pages = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "r");
	unsigned huge = MAP_HUGETLB | MAP_ANONYMOUS;
	int count = -1, fd = MUST(open("f", O_CREAT | O_RDWR, 0600));

	if (pages == NULL || fscanf(pages, "%d", &count) != 1 || count != 0) {
		puts("the host has huge pages, or does not know them");
		return 77;
	}
	fclose(pages);
	map("private", 0, huge | MAP_PRIVATE, -1);
	map("shared", 0, huge | MAP_SHARED, -1);
	map("validated", 0, huge | MAP_SHARED_VALIDATE, -1);
	map("neither", 0, huge, -1);
	map("both and more", 0, huge | MAP_TYPE, -1);
	map("2 MiB", 0, huge | MAP_PRIVATE | SIZE(21u), -1);
	map("64 KiB", 0, huge | MAP_PRIVATE | SIZE(16u), -1);
	map("2^63", 0, huge | MAP_SHARED | SIZE(63u), -1);
	map("growing", 0, huge | MAP_PRIVATE | MAP_GROWSDOWN, -1);
	map("between pages", 0x10001000, huge | MAP_PRIVATE | MAP_FIXED, -1);
	map("a file", 0, MAP_HUGETLB | MAP_PRIVATE, fd);
	map("no file", 0, MAP_HUGETLB | MAP_PRIVATE, 99);
	map("size alone", 0, MAP_ANONYMOUS | MAP_PRIVATE | SIZE(63u), -1);
	map("all", 0, ~0u, fd);
	return 0;
}
