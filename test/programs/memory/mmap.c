/* mmap(2): anonymous and file mappings, private and shared, across fork; errors. */
#include "../check.h"

static char *shared, *private, *file_shared, *file_private;

static void child(void)
{
	shared[0]++;
	private[0]++;
	file_shared[0]++;
	file_private[0]++;
	say("child %d %d %c %c\n", shared[0], private[0], file_shared[0], file_private[0]);
}

static int moves_access_time(int fd, int map)
{
	struct timespec times[2] = {{1000, 0}, {2000, 0}};
	struct stat st;
	char byte;

	MUST(futimens(fd, times));
	if (!map)
		MUST(pread(fd, &byte, 1, 0));
	else if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		exit(99);
	MUST(fstat(fd, &st));
	return st.st_atime != 1000;
}

int main(void)
{
	char buf[16] = "";
	int fd = MUST(open("f", O_CREAT | O_RDWR, 0600)), ro = MUST(open("f", O_RDONLY)), wo = MUST(open("f", O_WRONLY));

	write(fd, "abcdefgh", 8);
	shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	file_shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	file_private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0);
	shared[0] = private[0] = 1;
	R(file_private[0]);
	in_child("child", child);
	say("parent %d %d %c %c\n", shared[0], private[0], file_shared[0], file_private[0]);
	file_private[1] = 'P';
	file_shared[2] = 'S';
	R(pread(fd, buf, 8, 0));
	say("%s private sees %.4s\n", buf, file_private);
	R(pwrite(fd, "XY", 2, 6));
	say("shared %.8s private %.8s\n", file_shared, file_private);
	R(file_shared[8]);
	file_shared[8] = 'z';
	R(msync(file_shared, 4096, MS_SYNC));
	R(msync(file_shared + 1, 4096, MS_SYNC));
	R(msync(file_shared, 4096, MS_SYNC | MS_ASYNC));
	struct stat st;
	fstat(fd, &st);
	R(st.st_size);
	R(moves_access_time(fd, 0) == moves_access_time(fd, 1));

	R(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
	R(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 1) == MAP_FAILED && errno == EINVAL);
	R(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED && errno == EBADF);
	R(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0) == MAP_FAILED && errno == EACCES);
	R(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, wo, 0) == MAP_FAILED && errno == EACCES);
	R(mmap(NULL, 4096, PROT_READ, 0, fd, 0) == MAP_FAILED && errno == EINVAL);
	R(mmap((void *)4097, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL);
	R(mmap(NULL, 1ul << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
	R(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, MUST(open(".", O_RDONLY)), 0) == MAP_FAILED && errno == ENODEV);
	char *ro_map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, ro, 0);
	R(mprotect(ro_map, 4096, PROT_READ | PROT_WRITE));

	char *area = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(area, 'a', 5 * 4096);
	R(munmap(area + 4096, 4096));
	R(munmap(area + 4096, 4096));
	R(munmap(area + 1, 4096));
	R(munmap(area, 0));
	R(mmap(area + 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == area + 4096);
	R(area[4096]);
	R(area[8192]);
	R(mmap(area + 8192, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
	R(mmap(area + 3 * 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == area + 3 * 4096);
	say("%.4s\n", area + 3 * 4096);
	R(write(fd, area + 4096 - 5, 5));
	R(munmap(area + 4096, 4096));
	R(pwrite(fd, area + 4096 - 5, 10, 0));
	R(pread(fd, area + 4096 - 3, 10, 0));
	int memfd = MUST(memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	R(ftruncate(memfd, 8192));
	char *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	m[5000] = 'q';
	R(pread(memfd, buf, 1, 5000));
	say("%c\n", buf[0]);
	R(fcntl(memfd, F_GET_SEALS));
	R(fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(m, 8192);
	R(fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW));
	R(write(memfd, "x", 1));
	R(ftruncate(memfd, 10000));

	size_t big = 1ul << 33;
	char *sparse = mmap(NULL, big, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	R(sparse != MAP_FAILED);
	sparse[big - 1] = 1;
	sparse[big / 2] = 2;
	R(sparse[big - 1] + sparse[big / 2] + sparse[0]);
	R(munmap(sparse, big));
	R((long)mmap((void *)0x50000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0));
	R((long)mmap((void *)0x50000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0) < 1l << 31);
	R((long)mmap((void *)0x700000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0) < 1l << 31);
	char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(code, "\xb8\x2a\0\0\0\xc3", 6);
	R(mprotect(code, 4096, PROT_READ | PROT_EXEC));
	R(((int (*)(void))code)());
	MUST(mprotect(code, 4096, PROT_READ | PROT_WRITE));
	code[1] = 43;
	MUST(mprotect(code, 4096, PROT_READ | PROT_EXEC));
	R(((int (*)(void))code)());
	return 0;
}
