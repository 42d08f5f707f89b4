/*
 * Pipes between two processes, each of which has one end and nothing else of them, used often and in small pieces: as they
 * take turns, or one feeds the other; and with everything in between that may happen to who waits there.
 */
#define _GNU_SOURCE
#include "../check.h"
#include "../random.h"
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define OFTEN 60
#define LONG_ENOUGH 150000

static char buffer[100000];
static int to_child, from_child;
static pid_t child;
static volatile sig_atomic_t alarms;
static char *volatile nowhere = (char *)16;

static void count_alarm(int signal)
{
	(void)signal;
	alarms++;
}

/* To the letter n it says nothing, to an l it does late. */
static int hesitate(int round)
{
	(void)round;
	if (buffer[0] == 'l')
		usleep(LONG_ENOUGH);
	return buffer[0] == 'n';
}

/* A child that says back what it hears, until it hears no more. `in_between` is what it does besides; 1: it says nothing. */
static void start(int (*in_between)(int round))
{
	int to[2], from[2];

	MUST(pipe(to));
	MUST(pipe(from));
	child = fork();
	if (child == 0) {
		long n;

		close(to[1]);
		close(from[0]);
		for (int round = 0; (n = read(to[0], buffer, in_between == hesitate ? 1 : 4096)) > 0; round++) {
			if (in_between && in_between(round))
				continue;
			for (long done = 0, more; done < n; done += more)
				if ((more = write(from[1], buffer + done, (size_t)(n - done))) < 0)
					_exit(2);
		}
		_exit(n == 0 ? 7 : 3);
	}
	close(to[0]);
	close(from[1]);
	to_child = to[1];
	from_child = from[0];
}

/* How many bytes came back wrong, or not at all. */
static int exchange(const char *bytes, long n)
{
	static char back[4096];
	long done = 0, more;

	if (write(to_child, bytes, (size_t)n) != n)
		return -1;
	while (done < n) {
		if ((more = read(from_child, back + done, (size_t)(sizeof back - (size_t)done))) <= 0)
			return -2;
		done += more;
	}
	return memcmp(back, bytes, (size_t)n) != 0;
}

static int turns(int count)
{
	int wrong = 0;

	for (int i = 0; i < count; i++) {
		char bytes[8] = { (char)i, (char)(i >> 8), 1, 2, 3, 4, 5, 6 };

		wrong += exchange(bytes, 1 + i % 8) != 0;
	}
	return wrong;
}

static int end(void)
{
	int status;

	close(to_child);
	close(from_child);
	MUST(waitpid(child, &status, 0));
	return status;
}

static void take_turns(void)
{
	start(NULL);
	say("turns: %d wrong\n", turns(3000));
	say("turns: status %x\n", end());
}

static void all_sizes(void)
{
	int wrong = 0;

	for (int i = 0; i < 4096; i++)
		buffer[i] = (char)(i * 13 + i / 256);
	start(NULL);
	for (int i = 0; i < 3000; i++) {
		long n = 1 + rnd(i % 3 ? 40 : 4096);

		wrong += exchange(buffer + rnd((unsigned)(4097 - n)), n) != 0;
	}
	say("sizes: %d wrong, status %x\n", wrong, end());
}

static int ask_something(int round)
{
	struct pollfd none = { -1, POLLIN, 0 };
	struct stat stat;

	switch (round % 23) {
	case 3: getppid(); break;
	case 5: fstat(0, &stat); break;
	case 9: poll(&none, 1, 0); break;
	case 13: close(dup(1)); break;
	case 17: sched_yield(); break;
	}
	return 0;
}

static void with_other_calls(void)
{
	int wrong = 0, unread, odd = 0;

	start(ask_something);
	for (int i = 0; i < 2000; i++) {
		struct pollfd in = { from_child, POLLIN, 0 }, out = { to_child, POLLOUT, 0 };
		char byte = (char)i, back;

		MUST(write(to_child, &byte, 1));
		switch (i % 29) {
		case 4: odd += poll(&in, 1, -1) != 1 || in.revents != POLLIN; break;
		case 8: odd += poll(&out, 1, -1) != 1 || out.revents != POLLOUT; break;
		case 15:
			odd += poll(&in, 1, -1) != 1;
			odd += ioctl(from_child, FIONREAD, &unread) != 0 || unread != 1;
			break;
		case 21: odd += fcntl(from_child, F_GETPIPE_SZ) != 65536; break;
		case 25: odd += read(from_child, nowhere, 1) != -1 || errno != EFAULT; break;
		}
		wrong += read(from_child, &back, 1) != 1 || back != byte;
	}
	say("other calls: %d wrong, %d odd, status %x\n", wrong, odd, end());
}

/* One way only: small pieces, some that do not fit, read in others. */
static void stream(void)
{
	int ends[2], status;
	unsigned sum = 0;
	long n, all = 0;

	MUST(pipe(ends));
	child = fork();
	if (child == 0) {
		close(ends[0]);
		for (unsigned i = 0; i < 30000; i++) {
			size_t size = i % 1000 == 999 ? 70000 : i % 100 == 99 ? 5000 : 1 + i % 50;

			memset(buffer, (int)i, size);
			if (write(ends[1], buffer, size) != (ssize_t)size)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	for (unsigned i = 0; (n = read(ends[0], buffer, 1 + i * 7 % 3000)) > 0; i++) {
		for (long k = 0; k < n; k++)
			sum = sum * 31 + (unsigned char)buffer[k];
		all += n;
	}
	close(ends[0]);
	MUST(waitpid(child, &status, 0));
	say("stream: %ld bytes, %08x, last %ld, status %x\n", all, sum, n, status);
}

static void end_of_file(void)
{
	start(NULL);
	turns(OFTEN);
	close(to_child);
	say("end: read %ld\n", (long)read(from_child, buffer, 10));
	to_child = -1;
	say("end: status %x\n", end());
}

static void no_reader(void)
{
	int ends[2], back[2], status;
	char byte = 0;

	MUST(pipe(ends));
	MUST(pipe(back));
	child = fork();
	if (child == 0) {
		close(ends[1]);
		close(back[0]);
		for (int i = 0; i < OFTEN; i++)
			if (read(ends[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1)
				_exit(1);
		close(ends[0]);
		MUST(write(back[1], &byte, 1));
		pause();
	}
	close(ends[0]);
	close(back[1]);
	for (int i = 0; i < OFTEN; i++) {
		MUST(write(ends[1], &byte, 1));
		MUST(read(back[0], &byte, 1));
	}
	MUST(read(back[0], &byte, 1));
	signal(SIGPIPE, count_alarm);
	alarms = 0;
	R(write(ends[1], &byte, 1));
	say("no reader: %d signals\n", (int)alarms);
	signal(SIGPIPE, SIG_IGN);
	R(write(ends[1], &byte, 1));
	signal(SIGPIPE, SIG_DFL);
	MUST(kill(child, SIGKILL));
	MUST(waitpid(child, &status, 0));
	say("no reader: status %x\n", status);
	close(ends[1]);
	R(read(back[0], &byte, 1));
	close(back[0]);
}

/* Every so many microseconds, so that one comes while we wait; 0: no more. */
static void alarms_each(long us, int flags)
{
	struct sigaction action = { .sa_handler = count_alarm, .sa_flags = flags };
	struct itimerval timer = { { 0, us }, { 0, us } };

	if (us)
		alarms = 0;
	MUST(sigaction(SIGALRM, &action, NULL));
	MUST(setitimer(ITIMER_REAL, &timer, NULL));
}

static void interrupted(void)
{
	char byte = 0;

	start(hesitate);
	for (int i = 0; i < 12; i++) {
		say("interrupted: %d wrong\n", turns(OFTEN));
		alarms_each(i % 2 ? 1000 : 30000, 0);
		MUST(write(to_child, "n", 1));
		R(read(from_child, &byte, 1));
		say("interrupted: %d\n", alarms > 0);
		alarms_each(0, 0);
		MUST(write(to_child, "y", 1));
		R(read(from_child, &byte, 1));
		alarms_each(i % 2 ? 3000 : 30000, SA_RESTART);
		MUST(write(to_child, "l", 1));
		R(read(from_child, &byte, 1));
		say("restarted: %d, %c\n", alarms > 0, byte);
		alarms_each(0, SA_RESTART);
	}
	say("interrupted: status %x\n", end());
}

/* Signals from somebody else, all the time. */
static void under_fire(void)
{
	struct sigaction action = { .sa_handler = count_alarm, .sa_flags = SA_RESTART };
	pid_t shooter, self = getpid();
	int status, wrong;

	start(NULL);
	MUST(sigaction(SIGUSR1, &action, NULL));
	shooter = fork();
	if (shooter == 0) {
		close(to_child);
		close(from_child);
		for (;;) {
			if (kill(self, SIGUSR1) != 0)
				_exit(0);
			usleep(rnd(300));
		}
	}
	wrong = turns(4000);
	MUST(kill(shooter, SIGKILL));
	MUST(waitpid(shooter, &status, 0));
	say("under fire: %d wrong, status %x\n", wrong, end());
}

/* Who writes has to wait, is interrupted, goes on; and who reads counts. */
static void full(int dies)
{
	int ends[2], go[2], back[2], status;
	long told = 0, n, all = 0, seen = -1;

	MUST(pipe(ends));
	MUST(pipe(go));
	MUST(pipe(back));
	child = fork();
	if (child == 0) {
		close(ends[1]);
		close(go[1]);
		close(back[0]);
		for (int i = 0; i < OFTEN; i++) {
			n = read(ends[0], buffer, 4096);
			all += n;
			MUST(write(back[1], "b", 1));
		}
		MUST(read(go[0], buffer, 1));
		while ((n = read(ends[0], buffer, 700)) > 0)
			all += n;
		MUST(write(back[1], &all, sizeof all));
		_exit(0);
	}
	close(ends[0]);
	close(go[0]);
	close(back[1]);
	for (int i = 0; i < OFTEN; i++) {
		MUST(n = write(ends[1], buffer, 1 + rnd(300)));
		all += n;
		MUST(read(back[0], buffer, 1));
	}
	alarms_each(5000, 0);
	while ((n = write(ends[1], buffer, 1 + rnd(1500))) > 0)
		all += n;
	say("full: %ld %s\n", n, errno_name(errno));
	alarms_each(0, 0);
	signal(SIGPIPE, SIG_IGN);
	if (dies) {
		pid_t killer = fork();

		if (killer == 0) {
			usleep(LONG_ENOUGH / 4);
			MUST(kill(child, SIGKILL));
			_exit(0);
		}
		while ((n = write(ends[1], buffer, 1000)) > 0)
			;
		say("full: %ld %s\n", n, errno_name(errno));
		MUST(waitpid(killer, &status, 0));
	} else {
		alarms_each(3000, SA_RESTART);
		MUST(write(go[1], "g", 1));
		for (int i = 0; i < 20000; i++) {
			MUST(n = write(ends[1], buffer, 1 + rnd(i % 7 ? 60 : 4096)));
			all += n;
		}
		close(ends[1]);
		alarms_each(0, SA_RESTART);
		MUST(read(back[0], &seen, sizeof seen));
		told = 1;
	}
	MUST(waitpid(child, &status, 0));
	say("full: status %x, %s\n", status, !told || seen == all ? "all came" : "not all came");
	if (dies)
		close(ends[1]);
	signal(SIGPIPE, SIG_DFL);
	close(go[1]);
	close(back[0]);
}

static void stopped(void)
{
	char byte = 's';
	int status;

	start(NULL);
	for (int i = 0; i < 10; i++) {
		turns(OFTEN);
		MUST(kill(child, SIGSTOP));
		MUST(waitpid(child, &status, WUNTRACED));
		MUST(write(to_child, &byte, 1));
		usleep(2000);
		MUST(kill(child, SIGCONT));
		byte = 0;
		if (read(from_child, &byte, 1) != 1 || byte != 's')
			say("stopped: lost\n");
	}
	usleep(LONG_ENOUGH);
	say("stopped: waits in state %c\n", state_of(child));
	say("stopped: %d wrong, status %x\n", turns(OFTEN), end());
}

static void killed(void)
{
	int status;

	for (int i = 0; i < 10; i++) {
		start(NULL);
		turns(OFTEN + i);
		if (i % 2)
			usleep(100);
		MUST(kill(child, SIGKILL));
		if (i == 0)
			R(read(from_child, buffer, 1));
		MUST(waitpid(child, &status, 0));
		if (i == 9)
			say("killed: status %x\n", status);
		close(to_child);
		close(from_child);
	}
}

static void other_descriptors(void)
{
	int null = open("/dev/null", O_RDWR), copy;
	char byte = 'd';

	start(NULL);
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

	start(NULL);
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

#define PHASES 8
#define MESSAGES 200

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

	start(NULL);
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
	take_turns();
	all_sizes();
	with_other_calls();
	stream();
	end_of_file();
	no_reader();
	interrupted();
	under_fire();
	full(0);
	full(1);
	stopped();
	killed();
	other_descriptors();
	shared();
	left_open();
	two_pairs();
	threads();
	executed(argv[0]);
	handed_over();
	return 0;
}
