/*
 * Pipes between two processes, each of which has one end and nothing else of them, used often and in small pieces: as they
 * take turns, or one feeds the other; and with everything in between that may happen to who waits there.
 */
#include "pipes-between.h"
#include <sys/ioctl.h>

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

static void take_turns(void)
{
	start();
	say("turns: %d wrong\n", turns(3000));
	say("turns: status %x\n", end());
}

static void all_sizes(void)
{
	int wrong = 0;

	for (int i = 0; i < 4096; i++)
		buffer[i] = (char)(i * 13 + i / 256);
	start();
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

	start_with(ask_something, 4096);
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
	start();
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

	start_with(hesitate, 1);
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

	start();
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

	start();
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
		start();
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

int main(void)
{
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
	return 0;
}
