/* test: flags -pthread */
/*
 * A futex wait that a handler interrupts and that is made again answers by then what is true by then. The word changes
 * while the handler runs; the call's site is one that is worth patching.
 */
#include "../check.h"
#include <pthread.h>

static pthread_t waiter;
static int word, rounds;

static void handler(int signal)
{
	(void)signal;
	for (volatile int i = 0; i < 20000; i++)
		;
}

static long wait_while(int *address, int value)
{
	register long r10 __asm__("r10") = 0, r8 __asm__("r8") = 0, r9 __asm__("r9") = -1;
	long result;

	__asm__ volatile("mov $202, %%eax\n\tsyscall"
			 : "=a"(result)
			 : "D"(address), "S"(393L), "d"((long)value), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static void *disturb(void *arg)
{
	for (int i = 0; i < 200; i++) {
		while (__atomic_load_n(&rounds, __ATOMIC_SEQ_CST) != i)
			usleep(10);
		usleep(200);
		pthread_kill(waiter, SIGUSR1);
		__atomic_store_n(&word, i + 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &word, 129, 1, NULL, NULL, 0);
	}
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	waiter = pthread_self();
	pthread_create(&thread, NULL, disturb, NULL);
	for (int i = 0; i < 200; i++) {
		while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == i) {
			long result = wait_while(&word, i);
			if (result != 0 && result != -EAGAIN)
				say("round %d: %ld\n", i, result);
		}
		__atomic_store_n(&rounds, i + 1, __ATOMIC_SEQ_CST);
	}
	pthread_join(thread, NULL);
	say("%d rounds\n", rounds);
	return 0;
}
