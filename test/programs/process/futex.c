/* test: flags -pthread */
/* futex(2) itself: wait, wake, requeue, bitsets, timeouts, errors. */
#include "../check.h"
#include <linux/futex.h>
#include <pthread.h>

static int word, other;
static volatile int awake;
static volatile pid_t waiters[4];

static long futex(int *at, int op, int value, const struct timespec *timeout, int *at2, int value3)
{
	return syscall(SYS_futex, at, op, value, timeout, at2, value3);
}

static void *waits(void *argument)
{
	waiters[(long)argument] = gettid();
	futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	__atomic_add_fetch(&awake, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *waits_bit(void *argument)
{
	waiters[(long)argument] = gettid();
	futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 1l << ((long)argument % 2));
	__atomic_add_fetch(&awake, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void start(pthread_t *threads, void *(*body)(void *))
{
	for (long i = 0; i < 4; i++) {
		waiters[i] = 0;
		pthread_create(&threads[i], NULL, body, (void *)i);
		until(waiters[i] != 0 && sleeps_in(waiters[i], SYS_futex));
	}
}

static int waits_there(void *argument)
{
	waits(argument);
	return 7;
}

/* A process of its own that shares our memory, while we have one thread: its private futexes are ours. */
static void another_process(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int status;
	pid_t pid;

	R(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	waiters[0] = 0;
	pid = MUST(clone(waits_there, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
	until(waiters[0] != 0 && sleeps_in(waiters[0], SYS_futex));
	R(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	MUST(waitpid(pid, &status, 0));
	say_status("another process", status);
}

static void odd_addresses(void)
{
	R(futex((int *)0x7fffffffe000, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	R(futex((int *)0x800000000000, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	R(futex((int *)-4096l, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	R(futex((int *)-4096l, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
	R(futex((int *)2l, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	R(futex(NULL, FUTEX_WAKE_PRIVATE, -1, NULL, NULL, 0));
}

/* An operation that does not exist changes nothing; with a comparison that does not, the word is changed at least. */
static void odd_operations(void)
{
	pthread_t t[4];

	word = 0;
	start(t, waits);
	for (unsigned comparison = 6; comparison < 16; comparison++) {
		other = 0;
		R(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1l, &other, FUTEX_OP(FUTEX_OP_ADD, 3, comparison, 0)));
		R(other);
	}
	for (unsigned operation = 5; operation < 8; operation++) {
		other = 0;
		R(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1l, &other, FUTEX_OP(operation, 3, FUTEX_OP_CMP_EQ, 0)));
		R(other);
	}
	R(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

int main(void)
{
	struct timespec ts = {0, 20000000}, now;
	pthread_t t[4];

	odd_addresses();
	another_process();
	awake = 0;
	R(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0));
	R(futex(&word, FUTEX_WAIT, 0, &ts, NULL, 0));
	R(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
	R(futex((int *)8, FUTEX_WAIT, 0, NULL, NULL, 0));
	R(futex((int *)((char *)&word + 1), FUTEX_WAKE, 0, NULL, NULL, 0));
	R(futex(&word, 99, 0, NULL, NULL, 0));
	ts.tv_nsec = 1000000000;
	R(futex(&word, FUTEX_WAIT, 0, &ts, NULL, 0));
	clock_gettime(CLOCK_MONOTONIC, &now);
	R(futex(&word, FUTEX_WAIT_BITSET, 0, &now, NULL, FUTEX_BITSET_MATCH_ANY));
	R(futex(&word, FUTEX_WAIT_BITSET, 0, &now, NULL, 0));

	start(t, waits);
	/* Who sleeps on a private one does not hear of others'. */
	R(futex(&word, FUTEX_WAKE, 10, NULL, NULL, 0));
	R(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	until(awake > 0);
	R(awake);
	R(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2l, &other, 5));
	R(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2l, &other, 0));
	until(awake > 1);
	R(awake);
	R(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	R(futex(&other, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	R(awake);

	awake = 0;
	start(t, waits_bit);
	R(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 1));
	until(awake > 1);
	R(awake);
	R(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 6));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);

	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fflush(stdout);
	pid_t pid = MUST(fork());
	if (pid == 0) {
		long result = futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(result == 0 ? 3 : 4);
	}
	until(sleeps_in(pid, SYS_futex));
	R(futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0));
	int status;
	waitpid(pid, &status, 0);
	say_status("shared", status);
	word = 5;
	R(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1l, &other, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)));
	R(other);
	odd_operations();
	return 0;
}
