/* mremap(2), mprotect(2), madvise(2), mincore(2), brk(2), mlock(2). */
#include "../check.h"
#include <setjmp.h>

static sigjmp_buf back;

static void fault(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static int readable(volatile char *p)
{
	if (sigsetjmp(back, 1))
		return 0;
	(void)*p;
	return 1;
}

static int writable(volatile char *p)
{
	if (sigsetjmp(back, 1))
		return 0;
	*p = *p;
	return 1;
}

static char *anonymous(size_t pages)
{
	return mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int main(void)
{
	signal(SIGSEGV, fault);
	signal(SIGBUS, fault);
	char *a = anonymous(8);
	a[0] = 'x';
	a[4096] = 'y';
	R(mremap(a, 8 * 4096, 4096, 0) == a);
	R(readable(a + 4096));
	char *b = mremap(a, 4096, 64 * 4096, MREMAP_MAYMOVE);
	R(b != MAP_FAILED);
	R(b[0]);
	R(b[63 * 4096]);
	char *wall = anonymous(3);
	R(mremap(wall, 4096, 8192, 0) == MAP_FAILED && errno == ENOMEM);
	char *target = anonymous(4);
	R(mremap(b, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
	R(target[0]);
	R(readable(b));
	R(readable(b + 8192));
	R(mremap(target + 1, 4096, 4096, 0) == MAP_FAILED && errno == EINVAL);
	R(mremap(target, 4096, 0, 0) == MAP_FAILED && errno == EINVAL);
	R(mremap((void *)4096, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);

	char *p = anonymous(6);
	memset(p, 1, 6 * 4096);
	R(mprotect(p + 4096, 4096, PROT_NONE));
	R(mprotect(p + 8192, 4096, PROT_READ));
	R(readable(p + 4096));
	R(readable(p + 8192));
	R(writable(p + 8192));
	R(writable(p + 3 * 4096));
	R(mprotect(p + 1, 4096, PROT_READ));
	R(mprotect(p, 4096, 77777));
	R(munmap(p + 5 * 4096, 4096));
	R(mprotect(p, 6 * 4096, PROT_READ));
	R(writable(p + 3 * 4096));
	R(mprotect(p, 5 * 4096, PROT_READ | PROT_WRITE));
	R(p[4096]);
	int fd = MUST(open("/dev/zero", O_RDONLY));
	mprotect(p, 4096, PROT_READ);
	R(read(fd, p, 10));

	char *m = anonymous(4);
	memset(m, 7, 4 * 4096);
	R(madvise(m, 8192, MADV_DONTNEED));
	R(m[0]);
	R(m[8192]);
	R(madvise(m + 1, 4096, MADV_DONTNEED));
	R(madvise(m, 4096, 7777));
	R(madvise(m, 4096, MADV_WILLNEED));
	R(madvise(m, 4096, MADV_FREE));
	R(madvise(m, 4 * 4096, MADV_HUGEPAGE) == 0 || errno == EINVAL);
	int file = MUST(open("f", O_CREAT | O_RDWR, 0600));
	MUST(ftruncate(file, 8192));
	pwrite(file, "file", 4, 0);
	char *private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	private[0] = 'P';
	R(madvise(private, 4096, MADV_DONTNEED));
	say("%.4s\n", private);
	R(madvise(m, 4096, MADV_DONTFORK));
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(readable(m) * 2 + readable(m + 4096));
	int status;
	waitpid(pid, &status, 0);
	say_status("dontfork", status);
	R(madvise(m + 4096, 4096, MADV_WIPEONFORK));
	pid = fork();
	if (pid == 0)
		_exit(m[4096]);
	waitpid(pid, &status, 0);
	say_status("wipeonfork", status);

	unsigned char in[4];
	char *c = anonymous(4);
	c[4096] = 1;
	R(mincore(c, 4 * 4096, in));
	say("%d %d\n", in[0] & 1, in[1] & 1);
	R(mincore(c + 1, 4096, in));
	R(mlock(c, 4096));
	R(munlock(c, 4096));
	R(mincore((void *)4096, 4096, in));

	char *end = sbrk(0);
	R(sbrk(100000) == end);
	end[99999] = 1;
	R(end[50000]);
	R(brk(end) == 0);
	R(sbrk(0) == end);
	R(readable((char *)(((unsigned long)end + 8191) & ~4095ul)));
	R(sbrk(4096) == end);
	R(((volatile char *)end)[4095]);
	R(brk((void *)1));
	return 0;
}
