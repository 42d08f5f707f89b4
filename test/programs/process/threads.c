/* test: flags -pthread */
/* Threads: mutexes, condition variables, barriers, thread-local storage, exit and signals of groups. */
#include "../check.h"
#include <pthread.h>
#include <semaphore.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static __thread int local = 7;
static long counter, turn;
static volatile int handled_in;
static pthread_t main_thread;

static void *increments(void *argument)
{
	for (int i = 0; i < 100000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	local += (long)argument;
	return (void *)(long)local;
}

static void *takes_turns(void *argument)
{
	long me = (long)argument;

	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&mutex);
		while (turn % 4 != me)
			pthread_cond_wait(&cond, &mutex);
		turn++;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

/* Not through libc: such calls come to the machine by signals, whose frames lie on stacks of the machine's. */
static long own_number(void)
{
	long result = SYS_gettid;

	__asm__ volatile("syscall\n\tnop" : "+a"(result) : : "rcx", "r11", "memory");
	return result;
}

static void *knows_itself(void *argument)
{
	long me = own_number(), good = 0;

	(void)argument;
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 20; i++)
		good += own_number() == me;
	return (void *)good;
}

/* More than were ever started before the first of them ran. */
static void many_at_once(void)
{
	pthread_t threads[200];
	pthread_attr_t small;
	long made = 0, good = 0;
	void *result;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	pthread_barrier_init(&barrier, NULL, 200);
	for (int i = 0; i < 200; i++)
		made += pthread_create(&threads[i], &small, knows_itself, NULL) == 0;
	R(made);
	for (int i = 0; i < 200; i++) {
		pthread_join(threads[i], &result);
		good += (long)result;
	}
	R(good);
	pthread_barrier_destroy(&barrier);
}

static void *meets(void *argument)
{
	long serial = 0;

	(void)argument;
	for (int i = 0; i < 100; i++)
		serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
	return (void *)serial;
}

static void handler(int signal)
{
	(void)signal;
	handled_in = pthread_equal(pthread_self(), main_thread) ? 1 : 2;
}

static void *sleeps(void *argument)
{
	(void)argument;
	sleep_ms(300000);
	return NULL;
}

static void *cancelled(void *argument)
{
	(void)argument;
	for (;;)
		pause();
}

static void *exits_the_group(void *argument)
{
	(void)argument;
	exit(12);
}

static void group_exit(void)
{
	pthread_t t;

	pthread_create(&t, NULL, exits_the_group, NULL);
	for (;;)
		pause();
}

static void *executes(void *argument)
{
	(void)argument;
	execlp("sh", "sh", "-c", "exit 13", NULL);
	return NULL;
}

static void exec_in_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, sleeps, NULL);
	pthread_create(&t, NULL, executes, NULL);
	for (;;)
		pause();
}

static void *outlives(void *argument)
{
	(void)argument;
	until(state_of(getpid()) == 'Z');
	say("the last thread\n");
	return NULL;
}

static void main_leaves(void)
{
	pthread_t t;

	pthread_create(&t, NULL, outlives, NULL);
	pthread_exit(NULL);
}

static void *crashes(void *argument)
{
	(void)argument;
	*(volatile int *)8 = 1;
	return NULL;
}

static void crash_in_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, crashes, NULL);
	for (;;)
		pause();
}

static void run(const char *what, void *(*body)(void *), int count)
{
	pthread_t threads[8];
	void *result;
	long sum = 0;

	for (long i = 0; i < count; i++)
		R(pthread_create(&threads[i], NULL, body, (void *)i));
	for (int i = 0; i < count; i++) {
		pthread_join(threads[i], &result);
		sum += (long)result;
	}
	say("%s: %ld\n", what, sum);
}

int main(void)
{
	pthread_t t;
	void *result;

	main_thread = pthread_self();
	run("mutex", increments, 4);
	R(counter);
	R(local);
	run("turns", takes_turns, 4);
	R(turn);
	pthread_barrier_init(&barrier, NULL, 3);
	run("barrier", meets, 3);
	pthread_mutex_lock(&mutex);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 20000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	R(pthread_cond_timedwait(&cond, &mutex, &until) == ETIMEDOUT);
	pthread_rwlock_rdlock(&rwlock);
	R(pthread_rwlock_trywrlock(&rwlock) == EBUSY);

	signal(SIGUSR1, handler);
	R(syscall(SYS_gettid) == getpid());
	pthread_create(&t, NULL, sleeps, NULL);
	R(pthread_kill(t, SIGUSR1));
	until(handled_in != 0);
	R(handled_in);
	kill(getpid(), SIGUSR1);
	R(handled_in);
	pthread_create(&t, NULL, cancelled, NULL);
	R(pthread_cancel(t));
	pthread_join(t, &result);
	R(result == PTHREAD_CANCELED);
	many_at_once();
	in_child("exit", group_exit);
	in_child("exec", exec_in_thread);
	in_child("main leaves", main_leaves);
	in_child("crash", crash_in_thread);

	/* A process-shared semaphore and a robust mutex whose owner dies. */
	struct shared {
		sem_t sem;
		pthread_mutex_t robust;
	} *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&shared->robust, &attributes);
	sem_init(&shared->sem, 1, 0);
	if (MUST(fork()) == 0) {
		pthread_mutex_lock(&shared->robust);
		sem_post(&shared->sem);
		_exit(0);
	}
	R(sem_wait(&shared->sem));
	wait(NULL);
	R(pthread_mutex_lock(&shared->robust) == EOWNERDEAD);
	R(pthread_mutex_consistent(&shared->robust));
	R(pthread_mutex_unlock(&shared->robust));
	return 0;
}
