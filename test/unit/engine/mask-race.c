/*
 * stub/facts.c and somebody who sends as the kernel does (kernel/signal.ts: says what is pending, then looks at the mask), on two
 * processors at the same moment. Prints how often a signal was lost (unblocked without asking, and not sent for), and how often
 * the thread went on though the signal had found it unblocked.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../../src/engine/native/stub/facts.c"

#define SIGNAL (1UL << 9)
#define WORD(field) ((u64 *)(slot + (field)))

static char slot[SLOT_STRIDE];
static u64 set = SIGNAL;
static volatile int began, done;
static volatile int found_unblocked;

long copy_bytes(void *to, const void *from, long len)
{
	memcpy(to, from, (unsigned long)len);
	return 0;
}

static void await(volatile int *count, int value)
{
	for (int looks = 0; __atomic_load_n(count, __ATOMIC_SEQ_CST) < value; looks++)
		if (looks > 1000)
			sched_yield();
}

static void wander(unsigned n)
{
	for (volatile unsigned i = 0; i < n; i++)
		;
}

static void *sender(void *rounds)
{
	unsigned seed = 5;

	for (int round = 1; round <= *(int *)rounds; round++) {
		await(&began, round);
		wander(rand_r(&seed) % 40);
		__atomic_store_n(WORD(S_PENDING), SIGNAL, __ATOMIC_SEQ_CST);
		found_unblocked = !(__atomic_load_n(WORD(S_MASK), __ATOMIC_SEQ_CST) & SIGNAL);
		__atomic_store_n(&done, round, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1000, lost = 0, went_on = 0;
	unsigned seed = 9;
	pthread_t thread;

	*WORD(S_MASK_TOLD) = 1;
	*WORD(S_NR) = __NR_rt_sigprocmask;
	*WORD(S_ARGS + 8) = (u64)&set;
	*WORD(S_ARGS + 24) = SIGSET_SIZE;
	pthread_create(&thread, NULL, sender, &rounds);
	for (int round = 1; round <= rounds; round++) {
		int blocks = round & 1, answered;

		*WORD(S_PENDING) = 0;
		*WORD(S_MASK) = blocks ? 0 : SIGNAL;
		*WORD(S_ARGS) = blocks ? SIG_BLOCK : SIG_UNBLOCK;
		__atomic_store_n(&began, round, __ATOMIC_SEQ_CST);
		wander(rand_r(&seed) % 40);
		answered = answered_by_facts(slot);
		await(&done, round);
		lost += !blocks && answered && !found_unblocked;
		went_on += blocks && answered && found_unblocked;
	}
	pthread_join(thread, NULL);
	printf("%d lost, %d went on\n", lost, went_on);
	return 0;
}
