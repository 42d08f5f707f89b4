/*
 * Pipes that are read and written often, in small pieces: by a process that has both ends, by two, byte by byte, with somebody
 * else who reads, writes, looks, closes, forks, executes or dies in between. What is in a pipe is there for all at once.
 */
#define _GNU_SOURCE
#include "../check.h"
#include "../random.h"
#include <sys/epoll.h>
#include <sys/ioctl.h>

#define MANY 400

static char buffer[20000];
static unsigned total;
/* What processes say to one another past the kernel. */
static volatile int *shared;

static unsigned add(const char *bytes, long n)
{
	for (long i = 0; i < n; i++)
		total = total * 31 + (unsigned char)bytes[i];
	return total;
}

/* So often that whoever can goes on without asking. */
static void warm(const int *ends)
{
	for (int i = 0; i < 20; i++) {
		MUST(write(ends[1], "w", 1));
		MUST(read(ends[0], buffer, 1));
	}
}

static int waiting(int fd)
{
	int n;

	MUST(ioctl(fd, FIONREAD, &n));
	return n;
}

/* Until somebody has come so far, without a call: what goes along is not given back meanwhile. */
static void spin(int who, int step)
{
	while (shared[who] < step)
		__builtin_ia32_pause();
}

static void any_operation(const int *ends, long *last)
{
	struct pollfd both[2] = { { ends[0], POLLIN, 0 }, { ends[1], POLLOUT, 0 } };
	long n = rnd(4) ? rnd(40) : rnd(9000);

	switch (rnd(12)) {
	case 0: case 1: case 2: case 3: *last = write(ends[1], buffer, n); break;
	case 4: case 5: case 6: case 7:
		*last = read(ends[0], buffer + 10000, n);
		add(buffer + 10000, *last);
		break;
	case 8: *last = waiting(ends[0]); break;
	case 9: *last = poll(both, 2, 0) * 10000 + both[0].revents * 100 + both[1].revents; break;
	case 10: *last = lseek(ends[rnd(2)], 0, (int)rnd(3)) + isatty(ends[rnd(2)]) + errno; break;
	case 11: *last = read(ends[0], (void *)(rnd(2) ? 16 : -4096L), 1 + n) + errno; break;
	}
}

static void at_random(int flags)
{
	int ends[2];
	long last = 0;

	MUST(pipe2(ends, O_NONBLOCK | flags));
	total = 1;
	for (int i = 0; i < 10000; i++)
		buffer[i] = (char)(i * 7 + i / 256);
	warm(ends);
	for (int i = 0; i < 20000; i++) {
		any_operation(ends, &last);
		total = total * 31 + (unsigned)last;
		if (i % 2000 == 0)
			say("%d: %ld, %d there, %08x\n", i, last, waiting(ends[0]), total);
	}
	close(ends[0]);
	close(ends[1]);
}

/* Another process sees at once what one has written, and what it has taken. */
static void seen_by_others(void)
{
	int ends[2];
	pid_t child;

	MUST(pipe2(ends, O_NONBLOCK));
	shared[0] = shared[1] = 0;
	child = fork();
	if (child == 0) {
		for (int i = 1; i <= MANY; i++) {
			MUST(write(ends[1], buffer, 1 + i % 7));
			shared[0] = i;
			if (i % 20 == 0)
				spin(1, i);
		}
		_exit(0);
	}
	int wrong = 0;
	for (int i = 20; i <= MANY; i += 20) {
		struct pollfd there = { ends[0], POLLIN, 0 };
		long expected = 0;

		spin(0, i);
		for (int k = i - 19; k <= i; k++)
			expected += 1 + k % 7;
		switch (i / 20 % 3) {
		case 0: wrong += waiting(ends[0]) != expected; break;
		case 1: wrong += poll(&there, 1, 0) != 1; break;
		}
		wrong += read(ends[0], buffer, 5000) != expected;
		shared[1] = i;
	}
	waitpid(child, NULL, 0);
	say("seen by others: %d wrong\n", wrong);
	close(ends[0]);
	close(ends[1]);
}

/* Each write is an event for who listens to edges, though he reads nothing. */
static void heard_by_others(void)
{
	int ends[2], ready = MUST(epoll_create1(0)), lost = 0;
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	pid_t child;

	MUST(pipe(ends));
	MUST(epoll_ctl(ready, EPOLL_CTL_ADD, ends[0], &event));
	shared[0] = 0;
	child = fork();
	if (child == 0) {
		for (int i = 1; i <= 100; i++) {
			MUST(write(ends[1], "e", 1));
			spin(0, i);
		}
		_exit(0);
	}
	for (int i = 1; i <= 100; i++) {
		lost += epoll_wait(ready, &event, 1, lost ? 10 : 2000) != 1;
		shared[0] = i;
	}
	waitpid(child, NULL, 0);
	say("heard by others: %d lost, %d there\n", lost, waiting(ends[0]));
	close(ready);
	close(ends[0]);
	close(ends[1]);
}

/* Two who take bytes from the same pipe, one by one: none is lost, none comes twice. */
static void taken_by_two(void)
{
	int ends[2], sums[2];
	char byte;

	MUST(pipe(ends));
	MUST(pipe(sums));
	for (int c = 0; c < 2; c++)
		if (fork() == 0) {
			long own[2] = { 0, 0 };

			close(ends[1]);
			while (read(ends[0], &byte, 1) == 1) {
				own[0]++;
				own[1] += (unsigned char)byte;
			}
			MUST(write(sums[1], own, sizeof own));
			_exit(0);
		}
	long expected = 0, all[2] = { 0, 0 }, own[2];
	for (int i = 0; i < 60000; i++) {
		buffer[i % 100] = (char)i;
		expected += (unsigned char)i;
		if (i % 100 == 99)
			MUST(write(ends[1], buffer, 100));
	}
	close(ends[0]);
	close(ends[1]);
	for (int c = 0; c < 2; c++) {
		wait(NULL);
		MUST(read(sums[0], own, sizeof own));
		all[0] += own[0];
		all[1] += own[1];
	}
	say("taken by two: %ld bytes, %s\n", all[0], all[1] == expected ? "the same" : "others");
	close(sums[0]);
	close(sums[1]);
}

/* Two who write messages: each stays in one piece. */
static void put_by_two(void)
{
	int ends[2], wrong = 0, n = 0;
	char message[16];

	MUST(pipe(ends));
	for (int c = 0; c < 2; c++)
		if (fork() == 0) {
			memset(message, 'a' + c, sizeof message);
			for (int i = 0; i < 5000; i++)
				MUST(write(ends[1], message, sizeof message));
			_exit(0);
		}
	close(ends[1]);
	while (read(ends[0], message, sizeof message) == sizeof message) {
		n++;
		for (unsigned i = 1; i < sizeof message; i++)
			wrong += message[i] != message[0];
	}
	while (wait(NULL) > 0)
		;
	say("put by two: %d messages, %d wrong\n", n, wrong);
	close(ends[0]);
}

static volatile sig_atomic_t signals;

static void count(int signal)
{
	signals++;
	(void)signal;
}

/* Each write is a signal for who has asked for that. */
static void signalled(void)
{
	int ends[2], lost = 0;
	pid_t child;

	MUST(pipe(ends));
	signal(SIGIO, count);
	MUST(fcntl(ends[0], F_SETOWN, getpid()));
	MUST(fcntl(ends[0], F_SETFL, O_ASYNC));
	shared[0] = 0;
	child = fork();
	if (child == 0) {
		for (int i = 1; i <= 60; i++) {
			MUST(write(ends[1], "s", 1));
			spin(0, i);
		}
		_exit(0);
	}
	for (int i = 1; i <= 60; i++) {
		for (int k = 0; signals < i && k < (lost ? 10 : 2000); k++)
			usleep(1000);
		lost += signals < i;
		shared[0] = i;
	}
	waitpid(child, NULL, 0);
	say("signalled: %d lost\n", lost > 0);
	signals = 0;
	close(ends[0]);
	close(ends[1]);
}

static void other_end_goes(void)
{
	int ends[2];
	pid_t child;

	MUST(pipe(ends));
	shared[0] = shared[1] = 0;
	child = fork();
	if (child == 0) {
		close(ends[0]);
		signal(SIGPIPE, SIG_IGN);
		for (int i = 0; i < 30; i++)
			MUST(write(ends[1], "x", 1));
		shared[0] = 1;
		spin(1, 1);
		R(write(ends[1], "x", 1));
		_exit(0);
	}
	close(ends[1]);
	while (!shared[0])
		sched_yield();
	R(read(ends[0], buffer, 10));
	close(ends[0]);
	shared[1] = 1;
	waitpid(child, NULL, 0);
}

/* A descriptor that is another file now, a copy, packets, another capacity. */
static void descriptors(void)
{
	int ends[2], other[2], copy;
	struct stat before, after;

	MUST(pipe2(ends, O_NONBLOCK));
	MUST(pipe2(other, O_NONBLOCK));
	warm(ends);
	MUST(copy = dup(ends[1]));
	R(write(ends[1], "one", 3));
	R(write(copy, "two", 3));
	R(write(ends[1], "three", 5));
	MUST(dup2(other[1], ends[1]));
	R(write(ends[1], "four", 4));
	R(read(ends[0], buffer, 100));
	say("%.11s\n", buffer);
	R(read(other[0], buffer, 100));
	warm((int[]){ ends[0], copy });
	R(write(copy, "abc", 3));
	MUST(fcntl(copy, F_SETFL, O_NONBLOCK | O_DIRECT));
	R(write(copy, "def", 3));
	R(write(copy, "ghi", 3));
	R(read(ends[0], buffer, 100));
	R(read(ends[0], buffer, 100));
	R(read(ends[0], buffer, 100));
	MUST(fcntl(copy, F_SETFL, O_NONBLOCK));
	warm((int[]){ ends[0], copy });
	R(write(copy, "jkl", 3));
	R(fcntl(copy, F_SETPIPE_SZ, 4096));
	R(write(copy, buffer, 4096));
	R(write(copy, buffer, 4093));
	R(write(copy, buffer, 1));
	R(read(ends[0], buffer, 3));
	R(write(copy, buffer, 10));
	while (read(ends[0], buffer, 1000) > 0)
		;
	warm((int[]){ ends[0], copy });
	MUST(fstat(copy, &before));
	usleep(30000);
	MUST(write(copy, "m", 1));
	MUST(fstat(copy, &after));
	say("written: later %d\n", before.st_mtim.tv_nsec != after.st_mtim.tv_nsec);
	R(close(ends[0]));
	signal(SIGPIPE, SIG_IGN);
	R(write(copy, "n", 1));
	R(close(copy));
	R(write(copy, "o", 1));
	R(read(ends[0], buffer, 1));
}

static void children(void)
{
	int ends[2];
	pid_t child;

	MUST(pipe(ends));
	warm(ends);
	for (int i = 0; i < 5; i++) {
		MUST(write(ends[1], "parent ", 7));
		MUST(read(ends[0], buffer, 3));
		child = fork();
		if (child == 0) {
			MUST(write(ends[1], "child ", 6));
			R(read(ends[0], buffer, 5));
			for (int k = 0; k < 30; k++)
				MUST(write(ends[1], "+", 1));
			_exit(0);
		}
		waitpid(child, NULL, 0);
		say("%d there\n", waiting(ends[0]));
		MUST(write(ends[1], "again ", 6));
	}
	long n = read(ends[0], buffer, sizeof buffer);
	say("%.*s\n", (int)n, buffer);
	MUST(write(ends[1], "for another program\n", 20));
	MUST(read(ends[0], buffer, 4));
	child = fork();
	if (child == 0) {
		dup2(ends[0], 0);
		close(ends[0]);
		close(ends[1]);
		execlp("cat", "cat", NULL);
		_exit(1);
	}
	close(ends[1]);
	waitpid(child, NULL, 0);
	R(read(ends[0], buffer, 1));
	close(ends[0]);
}

/* What was written before its writer was killed is there. */
static void killed(void)
{
	int wrong = 0;

	for (int i = 0; i < 10; i++) {
		int ends[2], counted;
		pid_t child;
		long all = 0, n;

		MUST(pipe2(ends, O_NONBLOCK));
		shared[0] = 0;
		child = fork();
		if (child == 0)
			for (;;) {
				if (write(ends[1], "k", 1) == 1)
					shared[0]++;
				else if (read(ends[0], buffer, 500) > 0)
					shared[1]++;
			}
		while (shared[0] < 40 + 37 * i)
			sched_yield();
		counted = shared[0];
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		/* Others who take its place. */
		for (int k = 0; k < 3; k++) {
			int own[2];

			if (fork() == 0) {
				MUST(pipe(own));
				warm(own);
				_exit(0);
			}
			wait(NULL);
		}
		while ((n = read(ends[0], buffer, sizeof buffer)) > 0)
			all += n;
		wrong += shared[0] < 60000 && all < counted;
		close(ends[0]);
		close(ends[1]);
	}
	say("killed: %d wrong\n", wrong);
}

/* Signals come in between, and their handlers use the same pipe. */
static int in_handler[2];

static void use(int signal)
{
	char byte = 'h';

	signals++;
	(void)signal;
	if (write(in_handler[1], &byte, 1) == 1)
		(void)!read(in_handler[0], &byte, 1);
}

static void signals_in_between(void)
{
	struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
	long moved = 0;
	char byte;

	MUST(pipe2(in_handler, O_NONBLOCK));
	signal(SIGALRM, use);
	setitimer(ITIMER_REAL, &often, NULL);
	while (signals < 100) {
		moved += write(in_handler[1], "s", 1);
		moved -= read(in_handler[0], &byte, 1);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, count);
	say("signals: %ld left, %d there\n", moved, waiting(in_handler[0]));
}

int main(void)
{
	seed = 4711;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	at_random(0);
	at_random(O_DIRECT);
	seen_by_others();
	heard_by_others();
	signalled();
	taken_by_two();
	put_by_two();
	other_end_goes();
	descriptors();
	children();
	killed();
	signals_in_between();
	return 0;
}
