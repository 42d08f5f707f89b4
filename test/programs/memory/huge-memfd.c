/* memfd_create(2) with MFD_HUGETLB where no huge page is to be had: the file is there, its pages are not. */
#include "../check.h"

#define HUGE (2ul << 20)
#define HUGETLB 4u
#define SIZE(log) ((unsigned)(log) << 26)

static void file(const char *what, unsigned flags)
{
	char buffer[64] = "x";
	struct stat st;
	int fd = memfd_create("huge", HUGETLB | flags);

	if (fd == -1) {
		say("%s: %s\n", what, errno_name(errno));
		return;
	}
	say("%s\n", what);
	R(fstat(fd, &st));
	say("size %ld blocks %ld mode %o\n", (long)st.st_size, (long)st.st_blocks, st.st_mode);
	R(write(fd, buffer, 1));
	R(pwrite(fd, buffer, 1, 5));
	R(read(fd, buffer, 1));
	R(ftruncate(fd, 4096));
	R(ftruncate(fd, HUGE));
	R(read(fd, buffer, 1));
	R(buffer[0]);
	R(lseek(fd, 0, SEEK_END));
	R(mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	R(mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) == MAP_FAILED);
	R(mmap(NULL, HUGE, PROT_READ, MAP_SHARED, fd, 4096) == MAP_FAILED);
	R(fcntl(fd, F_GET_SEALS));
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	R(ftruncate(fd, 2 * HUGE));
	R(ftruncate(fd, 0));
	R(fsync(fd));
	close(fd);
}

int main(void)
{
	FILE *pages = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "r");
	int count = -1;

	if (pages == NULL || fscanf(pages, "%d", &count) != 1 || count != 0) {
		puts("the host has huge pages, or does not know them");
		return 77;
	}
	fclose(pages);
	file("usual", 0);
	file("2 MiB", SIZE(21));
	file("sealable", SIZE(21) | MFD_ALLOW_SEALING);
	file("64 KiB", SIZE(16));
	file("8 MiB", SIZE(23));
	file("16 GiB", SIZE(34));
	file("stranger", 0x100);
	say("size alone: ");
	R(memfd_create("x", SIZE(21)));
	return 0;
}
