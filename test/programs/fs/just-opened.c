/*
 * What follows an open of a file that never changes: attributes, reads, positions and close, in any order, by the program
 * itself, by its children and through other descriptors.
 */
#define _GNU_SOURCE
#include "../check.h"
#include "../random.h"
#include <pthread.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define SMALL "/etc/hostname"
#define MIDDLE "/etc/passwd"
#define LONG "/usr/include/stdio.h"
#define LARGE "/lib/x86_64-linux-gnu/libc.so.6"

static unsigned seed = 7;

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
	char *mapped;
	long r;

	switch (rnd(22)) {
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
		mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, *fd, 0);
		r = pread(*fd, bytes, 100, 0);
		printf("mapped %d\n", memcmp(mapped, bytes, (size_t)r));
		mapped[0] = 1;
		mprotect(mapped, 4096, PROT_READ);
		if (rnd(2))
			munmap(mapped, 4096);
		break;
	case 15:
		r = fstat(*fd, &st);
		show("read of all", read(*fd, bytes, rnd(2) && st.st_size < 60000 ? (size_t)st.st_size : sizeof(bytes)), bytes);
		break;
	case 16:
		show("fadvise", posix_fadvise(*fd, 0, rnd(2) ? 0 : -1, POSIX_FADV_SEQUENTIAL), NULL);
		break;
	case 17:
		show("lseek far", lseek(*fd, rnd(2) ? 0x7ffffff0L + rnd(20) : -5L, (int)rnd(2)), NULL);
		show("read there", read(*fd, bytes, 5), bytes);
		break;
	case 18:
		show("close", close(*fd), NULL);
		*fd = open(name, O_RDONLY);
		while ((r = read(*fd, bytes, 8192)) > 0)
			show("read on", r, bytes);
		break;
	case 19:
		printf("flags %x\n", fcntl(*fd, F_GETFL));
		if (rnd(4) == 0)
			fcntl(*fd, F_SETFL, rnd(2) ? O_NONBLOCK : 0);
		break;
	case 20:
		show("read too much", read(*fd, bytes, rnd(2) ? SIZE_MAX : 1UL << 46), NULL);
		show("read nothing nowhere", read(*fd, (void *)-16L, 0), NULL);
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

/* A first page of a file, as a loader maps it. */
static char *map(int fd)
{
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
}

static void close_and_open(void)
{
	struct rlimit limit, few;
	char link[100] = "";
	char path[40];
	int a = open(LARGE, O_RDONLY | O_CLOEXEC), b;
	struct stat st;

	read(a, link, 50);
	map(a);
	printf("fstat %d, %d\n", fstat(a, &st), st.st_size > 100000);
	close(a);
	b = open(LONG, O_RDONLY);
	printf("the same number again: %d\n", a == b);
	map(b);
	close(b);
	sprintf(path, "/proc/self/fd/%d", b);
	show("readlink", readlink(path, link, sizeof(link)), NULL);
	getrlimit(RLIMIT_NOFILE, &limit);
	few = limit;
	few.rlim_cur = (rlim_t)a + 1;
	setrlimit(RLIMIT_NOFILE, &few);
	a = open(MIDDLE, O_RDONLY);
	map(a);
	show("one too many", open(SMALL, O_RDONLY), NULL);
	close(a);
	printf("room again: %d\n", open(SMALL, O_RDONLY) == a);
	setrlimit(RLIMIT_NOFILE, &limit);
	close(a);
}

static void shared_positions(void)
{
	char bytes[100], command[100];
	int a = open(MIDDLE, O_RDONLY), b, status;

	read(a, bytes, 10);
	map(a);
	b = dup(a);
	show("read by a copy", read(b, bytes, 20), bytes);
	show("lseek", lseek(a, 0, SEEK_CUR), NULL);
	close(a);
	close(b);
	a = open(MIDDLE, O_RDONLY);
	read(a, bytes, 5);
	map(a);
	fflush(stdout);
	if (fork() == 0) {
		map(a);
		read(a, bytes, 7);
		close(a);
		_exit(0);
	}
	wait(&status);
	show("after a child's read", read(a, bytes, 10), bytes);
	close(a);
	fflush(stdout);
	if (fork() == 0) {
		a = open(MIDDLE, O_RDONLY);
		read(a, bytes, 10);
		map(a);
		sprintf(command, "head -c 15 <&%d | cksum", a);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	wait(&status);
}

static volatile int *turn;
/* The one byte that is locked: the file is everybody's. */
static off_t locked_byte;

/* Without a call. */
static void await(int n)
{
	while (*turn < n)
		;
}

static int lock_seen(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = locked_byte, .l_len = 1 };

	return fcntl(fd, F_GETLK, &lock) == 0 ? lock.l_type : -1;
}

static void show_position(pid_t pid, int fd)
{
	char path[60], text[200];
	int info;

	sprintf(path, "/proc/%d/fdinfo/%d", pid, fd);
	info = open(path, O_RDONLY);
	if (info < 0) {
		show("fdinfo", -1, NULL);
	} else {
		text[read(info, text, sizeof(text) - 1)] = 0;
		*strchr(text, '\n') = 0;
		puts(text);
		close(info);
	}
}

/* What others see of a program that makes no calls. */
static void watcher(pid_t parent, int fd, int locked)
{
	char bytes[20];
	int pidfd = (int)syscall(SYS_pidfd_open, parent, 0), taken, result;

	await(1);
	show_position(parent, fd);
	*turn = 2;
	await(3);
	taken = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	show("read by another process", read(taken, bytes, 11), bytes);
	*turn = 4;
	await(5);
	show_position(parent, fd);
	show("lseek of another process", lseek(taken, 0, SEEK_CUR), NULL);
	printf("a lock: %d\n", lock_seen(locked) == F_UNLCK);
	*turn = 6;
	await(7);
	printf("a lock: %d\n", lock_seen(locked) == F_UNLCK);
	until((result = flock(locked, LOCK_EX | LOCK_NB)) == 0 || errno != EWOULDBLOCK);
	show("flock", result, NULL);
	fflush(stdout);
	*turn = 8;
}

static void watched(void)
{
	char bytes[20];
	struct flock lock = { .l_type = F_RDLCK, .l_start = getpid(), .l_len = 1 };
	int locked = open(MIDDLE, O_RDONLY), a, status;
	pid_t child;

	locked_byte = lock.l_start;
	turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		close(locked);
		watcher(getppid(), locked + 1, open(MIDDLE, O_RDONLY));
		_exit(0);
	}
	prctl(PR_SET_PTRACER, child);
	a = open(SMALL, O_RDONLY);
	close(a);
	a = open(LONG, O_RDONLY);
	map(a);
	read(a, bytes, 5);
	*turn = 1;
	await(2);
	read(a, bytes, 3);
	*turn = 3;
	await(4);
	show("read after another process", read(a, bytes, 6), bytes);
	close(a);
	fcntl(locked, F_SETLK, &lock);
	a = open(LARGE, O_RDONLY);
	map(a);
	close(a);
	*turn = 5;
	await(6);
	a = open(MIDDLE, O_RDONLY);
	map(a);
	close(a);
	*turn = 7;
	await(8);
	wait(&status);
	close(locked);
}

static int faulty;
static char *read_only;

static void on_fault(int signal)
{
	char bytes[10];

	(void)signal;
	show("read by a handler", read(faulty, bytes, 10), bytes);
	mprotect(read_only, 4096, PROT_READ | PROT_WRITE);
}

static void faults(void)
{
	char bytes[20];

	signal(SIGSEGV, on_fault);
	faulty = open(MIDDLE, O_RDONLY);
	read(faulty, bytes, 4);
	read_only = map(faulty);
	*read_only = 1;
	show("read after a handler", read(faulty, bytes, 10), bytes);
	close(faulty);
}

static void *closes(void *fd)
{
	close(*(int *)fd);
	return NULL;
}

/* Opened while there is another thread, which closes it. */
static void *closes_later(void *fd)
{
	await(1);
	close(*(int *)fd);
	*turn = 2;
	return NULL;
}

static void threads(void)
{
	struct stat st;
	pthread_t thread;
	int fd;

	*turn = 0;
	pthread_create(&thread, NULL, closes_later, &fd);
	fd = open(MIDDLE, O_RDONLY);
	*turn = 1;
	await(2);
	show("fstat of what another thread closed", fstat(fd, &st), NULL);
	pthread_join(thread, NULL);
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
	b = open(MIDDLE, O_RDONLY);
	map(b);
	pthread_create(&thread, NULL, closes, &b);
	pthread_join(thread, NULL);
	show("read of what was mapped and closed", read(b, bytes, 10), NULL);
}

int main(void)
{
	static const char *const files[] = { SMALL, MIDDLE, LONG, LARGE };

	for (int round = 0; round < 4; round++) {
		int fd = open(files[round], O_RDONLY);

		for (int i = 0; i < 1500; i++)
			step(&fd, files[round]);
		close(fd);
	}
	close_and_open();
	shared_positions();
	watched();
	faults();
	threads();
	descriptors();
	return 0;
}
