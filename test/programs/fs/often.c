/*
 * Files that are read and written over and over, in large pieces: at random, cut and grown meanwhile, closed and opened again,
 * with buffers that are not there, by children, and while others change how long they are.
 */
#define _GNU_SOURCE
#include "../check.h"
#include "../random.h"
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define PAGE 4096
#define MOST (64 * PAGE)

static unsigned seed = 5;
static unsigned char buffer[MOST];

static unsigned sum(const unsigned char *bytes, long n)
{
	unsigned all = 1;

	for (long i = 0; i < n; i++)
		all = all * 31 + bytes[i];
	return all;
}

static void fill(unsigned long n)
{
	unsigned char first = (unsigned char)rnd(256);

	for (unsigned long i = 0; i < n; i++)
		buffer[i] = (unsigned char)(first + i * 7 + i / 1000);
}

static int open_new(const char *name)
{
	int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0600);

	MUST(fd);
	return fd;
}

static long one_of(int fd, unsigned long n, long at)
{
	switch (rnd(6)) {
	case 0:
	case 1:
		return pread(fd, buffer, n, at);
	case 2:
		fill(n);
		return pwrite(fd, buffer, n, at);
	case 3:
		lseek(fd, at, SEEK_SET);
		return read(fd, buffer, n);
	case 4:
		fill(n);
		lseek(fd, at, SEEK_SET);
		return write(fd, buffer, n);
	}
	return lseek(fd, 0, SEEK_CUR);
}

static void at_random(void)
{
	int fd = open_new("random");
	unsigned all = 0;

	for (int i = 0; i < 6000; i++) {
		unsigned long n = rnd(8) ? 1000 + rnd(9 * PAGE) : rnd(60 * PAGE);
		long got = one_of(fd, n, rnd(80 * PAGE));

		all = all * 17 + (unsigned)got + sum(buffer, got > 0 && got < 3000 ? got : 100);
		if (i % 97 == 0)
			MUST(ftruncate(fd, rnd(100 * PAGE)));
		if (i % 131 == 0)
			MUST(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, rnd(50 * PAGE), 1 + rnd(20 * PAGE)));
		if (i % 701 == 0) {
			close(fd);
			fd = open("random", O_RDWR);
		}
		if (i % 500 == 0)
			say("%d: %u\n", i, all);
	}
	close(fd);
}

/* The buffer ends where nothing is, cannot be written, or is a file's. */
static void bad_buffers(void)
{
	int fd = open_new("bad"), other = open_new("other");
	char *area = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *shared;

	fill(4 * PAGE);
	MUST(pwrite(fd, buffer, 4 * PAGE, 0));
	for (int i = 0; i < 40; i++)
		MUST(pread(fd, area, 2 * PAGE, 0));
	mprotect(area + PAGE, PAGE, PROT_READ);
	R(pread(fd, area + PAGE, PAGE, 0));
	lseek(fd, 0, SEEK_SET);
	R(read(fd, area + PAGE, PAGE));
	R(lseek(fd, 0, SEEK_CUR));
	R(pwrite(fd, area + PAGE, PAGE, 0));
	munmap(area + PAGE, PAGE);
	R(pread(fd, area + PAGE, PAGE, 0));
	R(pwrite(fd, area + PAGE, PAGE, 0));
	R(pread(fd, (void *)-4096L, PAGE, 0));
	MUST(ftruncate(other, PAGE));
	shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
	/* Never touched before. */
	R(pread(fd, shared, PAGE, PAGE));
	say("%u\n", sum((unsigned char *)shared, PAGE));
	R(pread(fd, shared + PAGE, PAGE, PAGE));
	for (int i = 0; i < 40; i++)
		MUST(pwrite(fd, buffer, PAGE, 0));
	R(pwrite(fd, shared + PAGE, PAGE, 0));
	MUST(pread(fd, buffer, 4 * PAGE, 0));
	say("%u\n", sum(buffer, 4 * PAGE));
	close(fd);
	close(other);
}

static void by_children(void)
{
	int fd = open_new("children"), status;

	fill(8 * PAGE);
	MUST(write(fd, buffer, 8 * PAGE));
	for (int i = 0; i < 40; i++)
		MUST(pwrite(fd, buffer, 2 * PAGE, 0));
	for (int k = 0; k < 3; k++) {
		pid_t child = fork();

		if (child == 0) {
			fill(PAGE);
			for (int i = 0; i < 40; i++)
				MUST(pwrite(fd, buffer, PAGE, (k + 1) * PAGE));
			MUST(pread(fd, buffer, 8 * PAGE, 0));
			_exit((int)(sum(buffer, 8 * PAGE) % 251));
		}
		rnd(9);
		MUST(waitpid(child, &status, 0));
		say("child %d: %d\n", k, WEXITSTATUS(status));
		MUST(pread(fd, buffer, 8 * PAGE, 0));
		say("%u\n", sum(buffer, 8 * PAGE));
	}
	close(fd);
}

/* What is read is there all the while, wherever the file has moved to. */
static void while_it_grows(void)
{
	int fd = open_new("grows"), wrong = 0, status;
	pid_t child;

	memset(buffer, 'x', MOST);
	MUST(write(fd, buffer, 16 * PAGE));
	child = fork();
	if (child == 0) {
		char word[PAGE];

		memset(word, 'x', PAGE);
		for (int i = 0; i < 400; i++) {
			MUST(ftruncate(fd, 16 * PAGE));
			for (int at = 16; at < 20 + i % 200; at++)
				MUST(pwrite(fd, word, PAGE, at * PAGE));
		}
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		for (int i = 0; i < 50; i++) {
			if (pread(fd, buffer, 16 * PAGE, 0) != 16 * PAGE)
				wrong++;
			for (int at = 0; at < 16 * PAGE; at += 64)
				wrong += buffer[at] != 'x';
		}
	}
	say("wrong %d, %d\n", wrong, status);
	close(fd);
}

/* Nothing is lost of what is written over, wherever the file has moved to. */
static void written_while_it_grows(void)
{
	int fd = open_new("written"), lost = 0, status;
	pid_t child;

	memset(buffer, 0, MOST);
	MUST(write(fd, buffer, 8 * PAGE));
	child = fork();
	if (child == 0) {
		char word[PAGE] = { 0 };

		for (int i = 0; i < 300; i++) {
			MUST(ftruncate(fd, 8 * PAGE));
			for (int at = 8; at < 20 + i % 300; at++)
				MUST(pwrite(fd, word, PAGE, at * PAGE));
		}
		_exit(0);
	}
	for (int i = 1; waitpid(child, &status, WNOHANG) == 0; i++) {
		int back[2];

		memset(buffer, i, 4 * PAGE);
		MUST(pwrite(fd, buffer, 4 * PAGE, PAGE));
		MUST(pread(fd, &back[0], 4, PAGE));
		MUST(pread(fd, &back[1], 4, 5 * PAGE - 4));
		lost += back[0] != back[1] || (back[0] & 255) != (i & 255);
	}
	say("lost %d, %d\n", lost, status);
	close(fd);
}

static void sealed(void)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING);

	MUST(fd);
	fill(4 * PAGE);
	MUST(write(fd, buffer, 4 * PAGE));
	for (int i = 0; i < 40; i++)
		MUST(pwrite(fd, buffer, 2 * PAGE, PAGE));
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	R(pwrite(fd, buffer, 2 * PAGE, PAGE));
	for (int i = 0; i < 40; i++)
		MUST(pread(fd, buffer, 2 * PAGE, PAGE));
	say("%u\n", sum(buffer, 2 * PAGE));
	close(fd);
}

/* Times change, set-user-ID bits go, limits hold. */
static void besides(void)
{
	int fd = open_new("besides");
	struct stat before, after;
	struct iovec two[2] = { { buffer, 2 * PAGE }, { buffer + 4 * PAGE, 2 * PAGE } };

	fill(8 * PAGE);
	MUST(write(fd, buffer, 8 * PAGE));
	for (int i = 0; i < 40; i++)
		MUST(pwrite(fd, buffer, 2 * PAGE, 0));
	MUST(fchmod(fd, 04755));
	MUST(fstat(fd, &before));
	sleep_ms(20);
	R(pwrite(fd, buffer, 2 * PAGE, 0));
	MUST(fstat(fd, &after));
	say("mode %o later %d\n", after.st_mode, after.st_mtim.tv_nsec != before.st_mtim.tv_nsec);
	R(preadv(fd, two, 2, PAGE));
	say("%u\n", sum(buffer, 6 * PAGE));
	R(pread(fd, buffer, 4 * PAGE, 7 * PAGE));
	R(pread(fd, buffer, 4 * PAGE, 8 * PAGE));
	R(pwrite(fd, buffer, 4 * PAGE, 7 * PAGE));
	R(lseek(fd, 0, SEEK_END));
	MUST(fcntl(fd, F_SETFL, O_APPEND));
	R(pwrite(fd, buffer, 2 * PAGE, 0));
	R(lseek(fd, 0, SEEK_END));
	close(fd);
}

static volatile int handled;

static void handler(int signal)
{
	(void)signal;
	handled++;
}

/* From a site that is not like a library's, so that nobody takes it for one. */
static long raw(long nr, long a, void *b, long c, long d)
{
	long result;
	register long r10 __asm__("r10") = d;

	__asm__ volatile("syscall\n\tnop" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return result;
}

/* Signals come all the while, and are handled when the calls return. */
static void while_disturbed(void)
{
	int fd = open_new("disturbed"), wrong = 0, status;
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	pid_t self = getpid(), child;

	sigaction(SIGUSR1, &action, NULL);
	memset(buffer, 'y', MOST);
	MUST(write(fd, buffer, 4 * PAGE));
	child = fork();
	if (child == 0) {
		for (;;)
			kill(self, SIGUSR1);
	}
	for (int i = 0; i < 6000 || handled < 200; i++) {
		memset(buffer, 0, PAGE);
		if (i % 2)
			wrong += raw(SYS_pread64, fd, buffer, PAGE, 0) != PAGE;
		else
			wrong += pread(fd, buffer, PAGE, 0) != PAGE;
		wrong += buffer[0] != 'y' || buffer[PAGE - 1] != 'y';
	}
	kill(child, SIGKILL);
	MUST(waitpid(child, &status, 0));
	say("disturbed: %d wrong\n", wrong);
	close(fd);
}

int main(void)
{
	at_random();
	bad_buffers();
	in_child("children", by_children);
	while_it_grows();
	written_while_it_grows();
	sealed();
	besides();
	while_disturbed();
	return 0;
}
