/*
 * A file that nobody changes, read again and again in pieces: at random, by its descriptor and others of the same open file,
 * by a child that moves its position, by a thread, with buffers that are not there, and closed behind the back of it all.
 */
#define _GNU_SOURCE
#include "../check.h"
#include "../random.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

static unsigned seed = 77;
static unsigned char buffer[20000];

static unsigned sum(long n)
{
	unsigned all = 1;

	for (long i = 0; i < n; i++)
		all = all * 31 + buffer[i];
	return all;
}

static void *reads(void *fd)
{
	say("thread %zd\n", read(*(int *)fd, buffer, 10));
	return NULL;
}

static void child_reads(int fd)
{
	pid_t child = fork();

	if (child == 0) {
		for (int i = 0; i < 5; i++)
			MUST(read(fd, buffer, 50));
		_exit(0);
	}
	MUST(waitpid(child, NULL, 0));
}

/* Parent and child read by turns, of which they ask nobody; they have one position. */
static void by_turns(int fd)
{
	volatile int *turn = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned all = 0;
	pid_t child;
	int status;

	MUST(lseek(fd, 0, SEEK_SET));
	child = fork();
	for (int i = 0; i < 60; i++) {
		while (*turn != 2 * i + (child == 0))
			;
		MUST(read(fd, buffer, 100));
		all = all * 17 + sum(100);
		*turn += 1;
	}
	if (child == 0)
		_exit((int)(all % 251));
	MUST(waitpid(child, &status, 0));
	say("by turns: %u and %d, at %ld\n", all, WEXITSTATUS(status), (long)lseek(fd, 0, SEEK_CUR));
}

static long step(int fd, int other)
{
	struct stat stat;
	int copy;
	long n;

	switch (rnd(24)) {
	case 0:
		return lseek(fd, rnd(18000), SEEK_SET);
	case 1:
		return lseek(other, rnd(300), SEEK_CUR);
	case 2:
		MUST(fstat(fd, &stat));
		return stat.st_size > 10000;
	case 3:
		child_reads(fd);
		return lseek(fd, 0, SEEK_CUR);
	case 4:
		copy = dup(fd);
		n = read(copy, buffer, rnd(300));
		close(copy);
		return n;
	case 5:
		return read(fd, (void *)8, 1 + rnd(100));
	case 6:
		return pread(fd, buffer, 100, 30000000);
	case 7:
		return write(fd, buffer, 1);
	case 8:
	case 9:
		return read(other, buffer, rnd(2000));
	case 10:
	case 11:
	case 12:
		return pread(fd, buffer, rnd(5000), rnd(10000));
	default:
		return read(fd, buffer, rnd(400));
	}
}

int main(void)
{
	int fd = open("/proc/self/exe", O_RDONLY), other = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	unsigned all = 0;
	pthread_t thread;

	for (int i = 0; i < 4000; i++) {
		long n = step(fd, other);

		all = all * 17 + (unsigned)n + sum(n > 0 && n < 5000 ? n : 0);
		if (lseek(fd, 0, SEEK_CUR) > 10000)
			lseek(fd, 0, SEEK_SET);
		if (i % 331 == 0) {
			int again = dup(fd);

			close(fd);
			R(read(fd, buffer, 10) < 0);
			MUST(dup2(again, fd));
			close(again);
		}
		if (i % 400 == 0)
			say("%d: %u at %ld\n", i, all, (long)lseek(fd, 0, SEEK_CUR));
	}
	by_turns(fd);
	for (int i = 0; i < 40; i++)
		MUST(pread(fd, buffer, 100, 0));
	pthread_create(&thread, NULL, reads, &fd);
	pthread_join(thread, NULL);
	for (int i = 0; i < 40; i++)
		MUST(read(fd, buffer, 10));
	close_range(3, ~0U, 0);
	R(pread(fd, buffer, 10, 0));
	return 0;
}
