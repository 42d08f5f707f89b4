/*
 * futex_waitv(2) and the calls of Linux 6.7: several words, flag words, timeouts, errors.
 * test: flags -pthread
 */
#include "../check.h"
#include <pthread.h>

struct waitv {
	uint64_t val, addr;
	uint32_t flags, reserved;
};

static int words[4];
static volatile long answer;
static volatile pid_t waiter;

static struct waitv on(int *word, int value, int flags)
{
	return (struct waitv){(uint32_t)value, (uintptr_t)word, flags, 0};
}

static long waitv(struct waitv *vector, int n, int flags, struct timespec *timeout, int clock)
{
	return syscall(449, vector, n, flags, timeout, clock);
}

static long wake(int *word, unsigned long mask, int n, int flags)
{
	return syscall(454, word, mask, n, flags);
}

static long wait_one(int *word, unsigned long value, unsigned long mask, int flags, struct timespec *timeout, int clock)
{
	return syscall(455, word, value, mask, flags, timeout, clock);
}

static long requeue(struct waitv *vector, int flags, int wakes, int moves)
{
	return syscall(456, vector, flags, wakes, moves);
}

static void *waits(void *arg)
{
	struct waitv vector[3] = {on(&words[0], 0, 130), on(&words[1], 0, 2), on(&words[2], -7, 130)};

	waiter = gettid();
	answer = waitv(vector, 3, 0, NULL, 0);
	return arg;
}

static void *waits_one(void *arg)
{
	waiter = gettid();
	answer = wait_one(&words[0], 0, (unsigned long)arg, 130, NULL, 0);
	return NULL;
}

int main(void)
{
	struct waitv v[129];
	struct timespec now, past = {1, 0}, bad = {1, 1000000000};
	pthread_t thread;

	words[2] = -7;
	for (int i = 0; i < 129; i++)
		v[i] = on(&words[0], 0, 130);
	R(waitv(NULL, 1, 0, NULL, 0));
	R(waitv(v, 0, 0, NULL, 0));
	R(waitv(v, 129, 0, NULL, 0));
	R(waitv(v, 128, 0, &past, CLOCK_MONOTONIC));
	R(waitv(v, 1, 1, NULL, 0));
	R(waitv((void *)8, 1, 0, NULL, 0));
	R(waitv(v, 1, 0, &past, CLOCK_BOOTTIME));
	R(waitv(v, 1, 0, (void *)8, CLOCK_MONOTONIC));
	R(waitv(v, 1, 0, &bad, CLOCK_MONOTONIC));
	R(waitv(v, 1, 0, &past, CLOCK_REALTIME));
	clock_gettime(CLOCK_MONOTONIC, &now);
	now.tv_nsec += 20000000;
	if (now.tv_nsec >= 1000000000)
		now.tv_sec++, now.tv_nsec -= 1000000000;
	R(waitv(v, 1, 0, &now, CLOCK_MONOTONIC));
	v[1] = on(&words[1], 1, 130);
	R(waitv(v, 2, 0, NULL, 0));
	for (int flags = 0; flags < 5; flags++) {
		v[0] = on(&words[0], 0, flags);
		R(waitv(v, 1, 0, &past, CLOCK_MONOTONIC));
	}
	v[0] = on(&words[0], 0, 2);
	v[0].reserved = 1;
	R(waitv(v, 1, 0, &past, CLOCK_MONOTONIC));
	v[0] = on(&words[0], 0, 2);
	v[0].val = 1l << 32;
	R(waitv(v, 1, 0, &past, CLOCK_MONOTONIC));
	v[0] = on((int *)((char *)words + 1), 0, 2);
	R(waitv(v, 1, 0, &past, CLOCK_MONOTONIC));
	v[0] = on((int *)8, 0, 130);
	R(waitv(v, 1, 0, &past, CLOCK_MONOTONIC));

	for (int i = 0; i < 3; i++) {
		waiter = 0;
		pthread_create(&thread, NULL, waits, NULL);
		until(waiter != 0 && sleeps_in(waiter, 449));
		R(wake(&words[i], ~0u, 5, i == 1 ? 2 : 130));
		pthread_join(thread, NULL);
		R(answer);
	}
	R(wake(&words[0], ~0u, 5, 130));

	waiter = 0;
	pthread_create(&thread, NULL, waits_one, (void *)6);
	until(waiter != 0 && sleeps_in(waiter, 455));
	R(wake(&words[0], 1, 5, 130));
	R(wake(&words[0], 2, 0, 130));
	v[0] = on(&words[0], 9, 130);
	v[1] = on(&words[3], 0, 130);
	R(requeue(v, 0, 0, 5));
	v[0] = on(&words[0], 0, 130);
	R(requeue(v, 1, 0, 5));
	R(requeue(NULL, 0, 0, 5));
	R(requeue(v, 0, -1, 5));
	R(requeue(v, 0, 0, 5));
	R(wake(&words[0], ~0u, 5, 130));
	R(wake(&words[3], 4, 5, 130));
	pthread_join(thread, NULL);
	R(answer);

	R(wake(&words[0], 0, 1, 130));
	R(wake(&words[0], 1l << 32, 1, 130));
	R(wake(&words[0], 1, 1, 0));
	R(wait_one(&words[0], 1, 1, 130, NULL, 0));
	R(wait_one(&words[0], 1l << 32, 1, 130, NULL, 0));
	R(wait_one(&words[0], 0, 0, 130, &past, CLOCK_MONOTONIC));
	R(wait_one(&words[0], 0, 1, 130, &past, CLOCK_MONOTONIC));
	R(wait_one(&words[0], 0, 1, 130, &past, CLOCK_TAI));
	return 0;
}
