/* Whose processor clocks may be read, waited for and slept on, by their numbers (clock_getcpuclockid(3)). */
#include "../check.h"
#include <pthread.h>

/* The last three bits: one of three clocks (3: a descriptor's), of a process or of a thread (4). */
#define CLOCK_OF(pid, what) ((clockid_t)(~(unsigned)(pid) << 3 | (what)))

static volatile pid_t idler;
static int stranger[2];

static const char *result(long value)
{
	return value < 0 ? errno_name(errno) : "ok";
}

static void ask(const char *whose, pid_t pid)
{
	for (int what = 0; what < 8; what++) {
		clockid_t clock = CLOCK_OF(pid, what);
		struct sigevent none = {.sigev_notify = SIGEV_NONE};
		struct timespec time;
		int timer;

		say("%s, %d: time %s,", whose, what, result(syscall(SYS_clock_gettime, clock, &time)));
		say(" resolution %s,", result(syscall(SYS_clock_getres, clock, &time)));
		say(" timer %s\n", result(syscall(SYS_timer_create, clock, &none, &timer)));
	}
}

static void sleep_on(const char *whose, pid_t pid, int what)
{
	struct timespec time = {0, 1000000};

	say("%s, %d: sleep %s\n", whose, what, result(syscall(SYS_clock_nanosleep, CLOCK_OF(pid, what), 0, &time, NULL)));
}

static void *idles(void *arg)
{
	idler = gettid();
	for (;;)
		pause();
	return arg;
}

static void *asks(void *arg)
{
	ask("nobody", 0);
	ask("the thread", gettid());
	ask("its process", getpid());
	ask("another thread", idler);
	ask("another process", stranger[0]);
	ask("its thread", stranger[1]);
	ask("none", 1 << 30);
	sleep_on("nobody", 0, 6);
	sleep_on("the thread", gettid(), 2);
	sleep_on("the thread", gettid(), 6);
	sleep_on("its process", getpid(), 3);
	sleep_on("another thread", idler, 2);
	return arg;
}

int main(void)
{
	pthread_t thread;
	int ends[2];

	MUST(pipe(ends));
	if ((stranger[0] = MUST(fork())) == 0) {
		pthread_create(&thread, NULL, idles, NULL);
		until(idler != 0);
		write(ends[1], (void *)&idler, sizeof idler);
		for (;;)
			pause();
	}
	read(ends[0], &stranger[1], sizeof stranger[1]);
	pthread_create(&thread, NULL, idles, NULL);
	until(idler != 0);
	pthread_create(&thread, NULL, asks, NULL);
	pthread_join(thread, NULL);
	kill(stranger[0], SIGKILL);
	return 0;
}
