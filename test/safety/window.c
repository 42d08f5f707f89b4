/*
 * Windows on files (file-windows.ts): a program sees there what it may read and write by a descriptor that it has open, and no
 * longer, and its children do not.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "windows.h"

#define PAGE 4096
#define OFTEN 40

static sigjmp_buf back;
static char buffer[PAGE];

static void jump(int signal)
{
	siglongjmp(back, signal);
}

/* The windows in which something is seen; and those where it can be written. */
static int seen(void)
{
	static volatile int count;

	count = 0;
	for (volatile int i = 0; i < MAX_WINDOWS; i++)
		if (sigsetjmp(back, 1) == 0 && *(volatile char *)(WINDOW_BASE + i * WINDOW_STRIDE) == 's')
			count++;
	return count;
}

static int writable(void)
{
	static volatile int count;

	count = 0;
	for (volatile int i = 0; i < MAX_WINDOWS; i++)
		if (sigsetjmp(back, 1) == 0) {
			*(volatile char *)(WINDOW_BASE + i * WINDOW_STRIDE) = 's';
			count++;
		}
	return count;
}

static void say(const char *when)
{
	printf("%s: %d seen, %d writable\n", when, seen(), writable());
	fflush(stdout);
}

static int file(const char *name, int flags)
{
	int fd = open(name, flags, 0600);

	if (fd < 0 || ((flags & O_CREAT) && write(fd, buffer, PAGE) != PAGE))
		perror(name);
	return fd;
}

static void read_often(int fd)
{
	for (int i = 0; i < OFTEN; i++)
		if (pread(fd, buffer, PAGE, 0) != PAGE)
			perror("pread");
}

static void write_often(int fd)
{
	for (int i = 0; i < OFTEN; i++)
		if (pwrite(fd, buffer, PAGE, 0) != PAGE)
			perror("pwrite");
}

/* Who may only read says that it has written: the file's times stay as they are. */
static void forge(void)
{
	volatile unsigned *use = (void *)(0x7e8000000000UL + S_WINDOW_USE);
	struct stat before, after;
	int made = file("/dev/shm/forged", O_CREAT | O_WRONLY), fd = file("/dev/shm/forged", O_RDONLY);
	unsigned lent;

	close(made);
	read_often(fd);
	stat("/dev/shm/forged", &before);
	usleep(20000);
	read_often(fd);
	lent = *use;
	*use = lent | WINDOW_WRITTEN | WINDOW_MAY_WRITE;
	stat("/dev/shm/forged", &after);
	printf("forged: lent %d, changed %d\n", (lent & WINDOW_OPEN) != 0,
	       before.st_mtim.tv_nsec != after.st_mtim.tv_nsec || before.st_mtim.tv_sec != after.st_mtim.tv_sec);
	close(fd);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = jump };
	int one, two, three;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	memset(buffer, 's', PAGE);
	if (argc > 1) {
		say("executed");
		return 0;
	}
	say("at first");
	one = file("/dev/shm/one", O_CREAT | O_RDWR);
	write_often(one);
	say("one");
	two = file("/dev/shm/one", O_RDONLY);
	read_often(two);
	say("two");
	three = file("/dev/shm/three", O_CREAT | O_WRONLY);
	write_often(three);
	say("only written");
	if (fork() == 0) {
		say("child");
		_exit(0);
	}
	wait(NULL);
	munmap((void *)WINDOW_BASE, PAGE);
	mprotect((void *)(WINDOW_BASE + WINDOW_STRIDE), PAGE, PROT_READ | PROT_WRITE);
	say("unmapped");
	close(one);
	say("closed");
	ftruncate(three, 0);
	truncate("/dev/shm/one", 0);
	say("cut");
	pwrite(three, buffer, PAGE, 0);
	if (pread(two, buffer, PAGE, 0) != 0)
		printf("not cut\n");
	forge();
	one = file("/dev/shm/four", O_CREAT | O_RDWR);
	memset(buffer, 's', PAGE);
	write_often(one);
	say("four");
	fflush(stdout);
	execl("/proc/self/exe", argv[0], "again", NULL);
	return 1;
}
