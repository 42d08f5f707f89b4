/*
 * What follows an open of a file that never changes: attributes, reads, positions and close, in any order, by the program
 * itself, by its children and through other descriptors.
 */
#define _GNU_SOURCE
#include "../check.h"
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#define SMALL "/etc/hostname"
#define MIDDLE "/etc/passwd"
#define LARGE "/lib/x86_64-linux-gnu/libc.so.6"

static unsigned seed = 7;

static unsigned rnd(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return seed / 65536 % n;
}

static unsigned sum(const char *bytes, long n)
{
	unsigned s = 17;

	for (long i = 0; i < n; i++)
		s = s * 31 + (unsigned char)bytes[i];
	return s;
}

static void show(const char *what, long r, const char *bytes)
{
	printf("%s %ld %s %u\n", what, r, r < 0 ? errno_name(errno) : "", r > 0 && bytes ? sum(bytes, r) : 0);
}

static void step(int *fd, const char *name)
{
	static char bytes[70000];
	struct stat st, other;
	struct iovec iov[2] = { { bytes, 10 }, { bytes + 10, rnd(3000) } };
	int dup_fd, status;
	long r;

	switch (rnd(16)) {
	case 0:
		r = fstat(*fd, &st);
		printf("fstat %ld %ld %o %ld\n", r, (long)st.st_size, st.st_mode, (long)st.st_mtime);
		break;
	case 1: case 2: case 3:
		r = read(*fd, bytes, rnd(4) ? rnd(1500) : sizeof(bytes));
		show("read", r, bytes);
		break;
	case 4:
		r = pread(*fd, bytes, rnd(1000), rnd(1200));
		show("pread", r, bytes);
		break;
	case 5:
		show("lseek", lseek(*fd, 0, SEEK_CUR), NULL);
		break;
	case 6:
		show("lseek", lseek(*fd, rnd(300), (int)rnd(3)), NULL);
		break;
	case 7:
		show("ioctl", ioctl(*fd, 0x5401, bytes), NULL);
		break;
	case 8:
		show("close", close(*fd), NULL);
		show("read", read(*fd, bytes, 10), bytes);
		*fd = open(name, O_RDONLY);
		break;
	case 9:
		show("close", close(*fd), NULL);
		*fd = open(name, O_RDONLY | O_CLOEXEC);
		break;
	case 10:
		dup_fd = dup(*fd);
		show("read by the other", read(dup_fd, bytes, 77), bytes);
		close(dup_fd);
		break;
	case 11:
		fflush(stdout);
		if (fork() == 0) {
			r = read(*fd, bytes, 50);
			_exit(r < 0 ? 99 : (int)(sum(bytes, r) & 63));
		}
		wait(&status);
		printf("a child read %d\n", WEXITSTATUS(status));
		break;
	case 12:
		show("readv", readv(*fd, iov, 2), bytes);
		break;
	case 13:
		r = fstatat(*fd, "", &st, AT_EMPTY_PATH);
		stat(name, &other);
		printf("fstatat %ld %d\n", r, st.st_ino == other.st_ino && st.st_size == other.st_size);
		break;
	case 14:
		show("read nowhere", read(*fd, (void *)16, 20), NULL);
		show("fstat nowhere", fstat(*fd, (void *)16), NULL);
		show("read nothing", read(*fd, bytes, 0), NULL);
		break;
	default:
		show("write", write(*fd, bytes, 5), NULL);
		show("fcntl", fcntl(*fd, F_GETFL) & O_ACCMODE, NULL);
		break;
	}
}

static void *closes(void *fd)
{
	close(*(int *)fd);
	return NULL;
}

static void descriptors(void)
{
	int a = open(SMALL, O_RDONLY), b, status;
	char bytes[10];
	pthread_t thread;

	close(a);
	b = open(MIDDLE, O_RDONLY);
	printf("the same number: %d\n", a == b);
	close(b);
	fflush(stdout);
	if (fork() == 0)
		_exit(fcntl(b, F_GETFD) < 0 ? 0 : 1);
	wait(&status);
	printf("a child has it: %d\n", WEXITSTATUS(status));
	b = open(MIDDLE, O_RDONLY);
	close(b);
	if (vfork() == 0) {
		execl("/bin/sh", "sh", "-c", "[ -e /proc/self/fd/3 ] && echo there || echo not there", NULL);
		_exit(127);
	}
	wait(&status);
	b = open(MIDDLE, O_RDONLY);
	pthread_create(&thread, NULL, closes, &b);
	pthread_join(thread, NULL);
	show("read of what another thread closed", read(b, bytes, 10), NULL);
}

int main(void)
{
	static const char *const files[] = { SMALL, MIDDLE, LARGE };

	for (int round = 0; round < 3; round++) {
		int fd = open(files[round], O_RDONLY);

		for (int i = 0; i < 1500; i++)
			step(&fd, files[round]);
		close(fd);
	}
	descriptors();
	return 0;
}
