/* Two processes that have two pipes, which they soon read and write without the kernel (channel.ts), and what of them is seen. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "channels.h"

#define PAGE 4096
#define PAGES 6
#define SLOT 0x7e8000000000UL
#define READER (CHANNEL_BASE + CHANNEL_STRIDE)
#define WORD(at) (*(volatile unsigned *)(at))
/* So often both ask each other before a channel that is not there is missed: it is made after a few dozens. */
#define PATIENT 4000
/* Seconds after which an honest process hangs. */
#define HANGS 20

/* A pipe to the other and one from it: once they are channels, each has a writer's pages and a reader's. */
struct link {
	int to, from;
	pid_t other;
};

/* What processes tell each other past all pipes. */
static volatile struct {
	int open, seen, done, taken;
} *shared;

static sigjmp_buf back;
static char buffer[100000];

static void jump(int signal)
{
	siglongjmp(back, signal);
}

/* Touching what is not there jumps back. */
static void begin(void)
{
	struct sigaction action = { .sa_handler = jump, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void share(void)
{
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void must(int is_so, const char *what)
{
	if (is_so)
		return;
	printf("%s: %s\n", what, strerror(errno));
	fflush(stdout);
	exit(1);
}

/* What there is of each kind, as this process has it if it writes, and if it reads: the writer's words and its ring, the reader's words. */
static unsigned long page(int n)
{
	static const unsigned long kinds[] = { C_TAIL, C_RING, C_HEAD };

	return (n < 3 ? CHANNEL_BASE : READER) + kinds[n % 3];
}

/* No mask is saved, or that would be a call that closes the channel. */
static int is_seen(int n)
{
	if (sigsetjmp(back, 0) != 0)
		return 0;
	(void)*(volatile char *)page(n);
	return 1;
}

/* In the middle of a page is nothing but the ring, which is empty while this is asked. */
static int is_writable(int n)
{
	volatile char *middle = (volatile char *)page(n) + PAGE / 2;

	if (sigsetjmp(back, 0) != 0)
		return 0;
	*middle = *middle;
	return 1;
}

static int look(int (*is)(int))
{
	int bits = 0;

	for (volatile int n = 0; n < PAGES; n++)
		if (is(n))
			bits |= 1 << n;
	return bits;
}

static int count(int bits)
{
	return __builtin_popcount((unsigned)bits);
}

static const char *rights(int seen, int writable)
{
	static char text[2][PAGES * 3 + 1];
	static int which;
	char *at = text[which ^= 1];

	for (int n = 0; n < PAGES; n++)
		sprintf(at + 3 * n, " %c%c", seen >> n & 1 ? 'r' : '-', writable >> n & 1 ? 'w' : '-');
	return at;
}

static int is_there(int n)
{
	return is_seen(n) && is_seen(n + 1) && is_seen(n + 2);
}

static int writes_channel(void)
{
	return is_there(0) && WORD(CHANNEL_BASE + C_TAIL) & CHANNEL_OPEN;
}

static int reads_channel(void)
{
	return is_there(3) && WORD(READER + C_HEAD) & CHANNEL_OPEN;
}

static int say(struct link *link, char what)
{
	return write(link->to, &what, 1) == 1;
}

static int hear(struct link *link)
{
	unsigned char byte;

	return read(link->from, &byte, 1) == 1 ? byte : -1;
}

static int ask(struct link *link, char what)
{
	return say(link, what) ? hear(link) : -1;
}

/* Both pipes are used until both are channels: what is answered then came through one. */
static int warm(struct link *link)
{
	for (int i = 0; i < PATIENT; i++) {
		unsigned tail = 0, head = 0;
		int was_open = i > 16 && writes_channel() && reads_channel();

		if (was_open) {
			tail = WORD(CHANNEL_BASE + C_TAIL);
			head = WORD(READER + C_HEAD);
		}
		if (ask(link, 'p') != 'p')
			return 0;
		if (was_open && WORD(CHANNEL_BASE + C_TAIL) == tail + 2 && WORD(READER + C_HEAD) == head + 2)
			return 1;
	}
	return 0;
}

/* Another process that runs `serve`, with nobody else at the pipes' ends. */
static struct link start(void (*serve)(struct link *))
{
	int down[2], up[2];
	struct link here;

	must(pipe(down) == 0 && pipe(up) == 0, "pipe");
	here.other = fork();
	if (here.other == 0) {
		struct link there = { up[1], down[0], getppid() };

		close(down[1]);
		close(up[0]);
		serve(&there);
		_exit(0);
	}
	must(here.other > 0, "fork");
	close(down[0]);
	close(up[1]);
	here.to = down[1];
	here.from = up[0];
	return here;
}

static int end(struct link *link)
{
	int status = -1;

	close(link->to);
	close(link->from);
	waitpid(link->other, &status, 0);
	return status;
}

static int result(pid_t child)
{
	int status = -1;

	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
