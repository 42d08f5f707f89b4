/*
 * Pipes between two processes, used often and in small pieces, whose ends others get, or have kept: copies, children, threads,
 * other programs.
 */
#include "pipes-between.h"
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define PHASES 8
#define MESSAGES 200

static void other_descriptors(void)
{
	int null = open("/dev/null", O_RDWR), copy;
	char byte = 'd';

	start();
	turns(OFTEN);
	MUST(copy = dup(to_child));
	MUST(dup2(null, to_child));
	MUST(write(to_child, "lost", 4));
	MUST(write(copy, &byte, 1));
	byte = 0;
	R(read(from_child, &byte, 1));
	MUST(dup2(copy, to_child));
	close(copy);
	say("descriptors: %c, %d wrong\n", byte, turns(OFTEN));
	MUST(fcntl(from_child, F_SETFL, O_NONBLOCK));
	R(read(from_child, &byte, 1));
	MUST(fcntl(from_child, F_SETFL, 0));
	say("descriptors: %d wrong\n", turns(OFTEN));
	R(fcntl(to_child, F_SETPIPE_SZ, 4096));
	say("descriptors: %d wrong\n", turns(OFTEN));
	MUST(dup2(from_child, 50));
	close(from_child);
	from_child = 50;
	say("descriptors: %d wrong, status %x\n", turns(OFTEN), end());
	close(null);
}

/* A child of ours uses them, too, and we then. */
static void shared(void)
{
	int status;

	start();
	for (int i = 0; i < 5; i++) {
		int wrong = turns(OFTEN);
		pid_t other = fork();

		if (other == 0)
			_exit(turns(OFTEN));
		MUST(waitpid(other, &status, 0));
		say("shared: %d wrong, status %x\n", wrong, status);
	}
	say("shared: status %x\n", end());
}

/* Somebody else, who has all ends as well. */
static void meanwhile(int what, const int *to, const int *from)
{
	int status, off = 0;
	pid_t other = fork();

	if (other == 0) {
		switch (what) {
		case 0: MUST(fcntl(from[0], F_SETFL, O_NONBLOCK)); break;
		case 1: MUST(ioctl(from[0], FIONBIO, &off)); break;
		case 2: MUST(write(to[1], "other", 5)); break;
		case 3: MUST(read(from[0], buffer, 1)); break;
		}
		_exit(0);
	}
	if (what != 3)
		MUST(waitpid(other, &status, 0));
}

/* Nobody closes what it does not need. */
static void left_open(void)
{
	int to[2], from[2], status, wrong = 0;

	MUST(pipe(to));
	MUST(pipe(from));
	child = fork();
	if (child == 0) {
		for (long n; (n = read(to[0], buffer, 4096)) > 0 && buffer[0] != 'q';)
			MUST(write(from[1], buffer, (size_t)n));
		_exit(9);
	}
	to_child = to[1];
	from_child = from[0];
	for (int i = 0; i < 20; i++) {
		char byte = 'z';
		int unread;

		wrong += turns(OFTEN);
		meanwhile(0, to, from);
		wrong += read(from[0], &byte, 1) != -1 || errno != EAGAIN;
		meanwhile(1, to, from);
		wrong += turns(OFTEN);
		meanwhile(2, to, from);
		for (int n = 0; n < 5; n++)
			wrong += read(from[0], &byte, 1) != 1 || byte != "other"[n];
		wrong += turns(OFTEN);
		meanwhile(3, to, from);
		MUST(write(to[1], "ab", 2));
		wrong += wait(&status) == -1 || status != 0;
		wrong += read(from[0], &byte, 1) != 1 || byte != 'b';
		wrong += ioctl(to[0], FIONREAD, &unread) != 0 || unread != 0;
	}
	MUST(write(to[1], "q", 1));
	say("left open: %d wrong, status %x\n", wrong, end());
	close(to[0]);
	close(from[1]);
}

/* How long the message is in such a phase: now and then one that does not fit into a page. */
static size_t length_of(int message)
{
	return message % 20 == 19 ? 5000 : 4;
}

/* One of two pairs that have the same pipe by turns; what each byte should be depends on all before. How many were wrong. */
static int by_turns(int role, const int *ends, volatile int *phase)
{
	unsigned char expected = 0;
	int wrong = 0;

	for (int now = 0; now < PHASES; now++) {
		long left = 0;

		while (*phase < now)
			sched_yield();
		if (now % 2 != role / 2)
			continue;
		for (int i = 0; i < MESSAGES; i++) {
			left += (long)length_of(i);
			for (size_t k = 0; role % 2 == 0 && k < length_of(i); k++)
				buffer[k] = (char)expected++;
			if (role % 2 == 0)
				MUST(write(ends[1], buffer, length_of(i)));
		}
		for (long n; role % 2 == 1 && left > 0; left -= n) {
			MUST(n = read(ends[0], buffer, (size_t)(left < 3000 ? left : 3000)));
			for (long k = 0; k < n; k++)
				wrong += (unsigned char)buffer[k] != expected++;
		}
		if (role % 2 == 1)
			*phase = now + 1;
	}
	return wrong > 100 ? 100 : wrong;
}

static void two_pairs(void)
{
	volatile int *phase = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ends[2], status, all = 0;

	MUST(pipe(ends));
	for (int role = 0; role < 4; role++)
		if (fork() == 0)
			_exit(by_turns(role, ends, phase));
	for (int role = 0; role < 4; role++) {
		MUST(wait(&status));
		all |= status;
	}
	say("two pairs: %x\n", all);
	close(ends[0]);
	close(ends[1]);
}

static void *turn(void *wrong)
{
	*(int *)wrong = turns(OFTEN);
	return NULL;
}

static void threads(void)
{
	pthread_t thread;
	int wrong = -1;

	start();
	turns(OFTEN);
	for (int i = 0; i < 3; i++) {
		pthread_create(&thread, NULL, turn, &wrong);
		pthread_join(thread, NULL);
		say("threads: %d wrong, %d wrong\n", wrong, turns(OFTEN));
	}
	say("threads: status %x\n", end());
}

/* Another program goes on with what the first has left there. */
static void executed(const char *self)
{
	int ends[2], status;

	MUST(pipe(ends));
	child = fork();
	if (child == 0) {
		close(ends[1]);
		for (int i = 0; i < OFTEN; i++)
			MUST(read(ends[0], buffer, 1));
		MUST(dup2(ends[0], 0));
		close(ends[0]);
		execl(self, self, "rest", NULL);
		_exit(1);
	}
	close(ends[0]);
	for (int i = 0; i < 2 * OFTEN; i++)
		MUST(write(ends[1], &"xyz"[i % 3], 1));
	close(ends[1]);
	MUST(waitpid(child, &status, 0));
	say("executed: status %x\n", status);
}

/* The end goes to a process that was there before. */
static void handed_over(void)
{
	int ends[2], way[2], status;
	char byte;
	pid_t second;

	MUST(pipe(ends));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, way));
	second = fork();
	if (second == 0) {
		union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int))]; } control;
		struct iovec data = { &byte, 1 };
		struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
		int fd, n = 0;

		close(ends[0]);
		close(ends[1]);
		MUST(recvmsg(way[1], &message, 0));
		memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
		while (read(fd, &byte, 1) == 1)
			n++;
		_exit(n);
	}
	child = fork();
	if (child == 0) {
		union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int))]; } control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
		struct iovec data = { &byte, 1 };
		struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };

		close(ends[1]);
		for (int i = 0; i < OFTEN; i++)
			MUST(read(ends[0], &byte, 1));
		memcpy(CMSG_DATA(&control.header), &ends[0], sizeof ends[0]);
		MUST(sendmsg(way[0], &message, 0));
		_exit(0);
	}
	close(ends[0]);
	for (int i = 0; i < 2 * OFTEN; i++) {
		MUST(write(ends[1], "h", 1));
		if (i < OFTEN)
			sched_yield();
	}
	MUST(waitpid(child, &status, 0));
	close(ends[1]);
	MUST(waitpid(second, &status, 0));
	say("handed over: status %x\n", status);
	close(way[0]);
	close(way[1]);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		long n, all = 0;

		while ((n = read(0, buffer, 7)) > 0)
			all += n;
		say("rest: %ld\n", all);
		return 0;
	}
	other_descriptors();
	shared();
	left_open();
	two_pairs();
	threads();
	executed(argv[0]);
	handed_over();
	return 0;
}
