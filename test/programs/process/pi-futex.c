/* test: flags -pthread */
/* futex(2): locks that inherit priorities. Who gets them when, what the word holds, owners that die, errors. */
#include "../check.h"
#include <linux/futex.h>
#include <pthread.h>

#define THREADS 4
#define TURNS 2000

static int *word;
/* A process that does nothing but have locks. */
static pid_t another;
static volatile int order[THREADS], count;
static volatile pid_t waiters[THREADS];
static pthread_mutex_t mutex, second;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;
static long counter, pending;

static long futex(int op, int value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

/* The word, in words. */
static void show(const char *when)
{
	int value = *word, tid = value & FUTEX_TID_MASK;
	const char *owner = tid == 0 ? "nobody" : tid == gettid() ? "me" : "another";

	say("%s: %s%s%s\n", when, owner, value & FUTEX_WAITERS ? ", waiters" : "", value & FUTEX_OWNER_DIED ? ", died" : "");
}

static int sleeps_in_futex(pid_t tid)
{
	char path[64], state = 0;
	FILE *file;

	if (tid == 0)
		return 0;
	snprintf(path, sizeof path, "/proc/%d/stat", tid);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	fscanf(file, "%*d %*s %c", &state);
	fclose(file);
	return state == 'S';
}

static void until_sleeps(volatile pid_t *tid)
{
	while (!sleeps_in_futex(*tid))
		sleep_ms(1);
}

static void *locks(void *argument)
{
	long i = (long)argument;

	waiters[i] = gettid();
	if (futex(FUTEX_LOCK_PI_PRIVATE, 0, NULL) == 0) {
		order[count++] = i;
		futex(FUTEX_UNLOCK_PI_PRIVATE, 0, NULL);
	}
	return NULL;
}

static void *turns(void *argument)
{
	(void)argument;
	for (int i = 0; i < TURNS; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void *consumes(void *argument)
{
	(void)argument;
	for (int i = 0; i < TURNS; i++) {
		pthread_mutex_lock(&mutex);
		while (pending == 0)
			pthread_cond_wait(&given, &mutex);
		pending--;
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void produces(void)
{
	pthread_t threads[THREADS];
	long left = THREADS * TURNS;

	counter = 0;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, consumes, NULL);
	while (left > 0) {
		pthread_mutex_lock(&mutex);
		if (pending == 0) {
			pending = THREADS;
			left -= THREADS;
			pthread_cond_broadcast(&given);
		}
		pthread_mutex_unlock(&mutex);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	R(counter);
}

static void *dies_with(void *argument)
{
	waiters[0] = gettid();
	pthread_mutex_lock(argument);
	while (argument == &second && !sleeps_in_futex(waiters[1]))
		sleep_ms(1);
	return NULL;
}

static void *crosses(void *argument)
{
	pthread_mutex_lock(&second);
	waiters[0] = gettid();
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	pthread_mutex_unlock(&second);
	return argument;
}

static void make(pthread_mutex_t *which, int robust, int shared)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	R(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
	if (robust)
		pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	if (shared)
		pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	R(pthread_mutex_init(which, &attributes));
}

static void wakes(int signal)
{
	(void)signal;
}

static void words(void)
{
	struct timespec past = {1, 0}, wrong = {0, -1};
	pthread_t threads[THREADS];

	R(futex(FUTEX_LOCK_PI, 0, NULL));
	show("taken");
	R(futex(FUTEX_LOCK_PI, 0, NULL));
	R(futex(FUTEX_TRYLOCK_PI, 0, NULL));
	R(futex(FUTEX_WAKE, 1, NULL));
	R(futex(FUTEX_UNLOCK_PI, 0, NULL));
	show("left");
	R(futex(FUTEX_UNLOCK_PI, 0, NULL));
	R(futex(FUTEX_TRYLOCK_PI, 0, NULL));
	show("tried");
	*word |= FUTEX_OWNER_DIED;
	R(futex(FUTEX_UNLOCK_PI, 0, NULL));
	show("left");
	*word = FUTEX_OWNER_DIED;
	R(futex(FUTEX_LOCK_PI, 0, NULL));
	show("after a death");
	*word = FUTEX_WAITERS;
	R(futex(FUTEX_LOCK_PI, 0, NULL));
	*word = 0;
	R(futex(FUTEX_LOCK_PI2, 0, NULL));
	R(futex(FUTEX_UNLOCK_PI, 0, NULL));
	R(futex(FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, NULL));
	R(futex(FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL));
	R(futex(FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, &wrong));
	R(futex(FUTEX_LOCK_PI, 0, &wrong));
	*word = another;
	R(futex(FUTEX_LOCK_PI2, 0, &past));
	show("too late");
	R(futex(FUTEX_TRYLOCK_PI, 0, NULL));
	R(futex(FUTEX_UNLOCK_PI, 0, NULL));
	*word = 0x3ffffffe;
	R(futex(FUTEX_LOCK_PI, 0, NULL));
	R(syscall(SYS_futex, (char *)word + 1, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	R(syscall(SYS_futex, 4096, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	R(syscall(SYS_futex, "lock", FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));

	*word = 0;
	R(futex(FUTEX_LOCK_PI_PRIVATE, 0, NULL));
	for (long i = 0; i < THREADS; i++) {
		pthread_create(&threads[i], NULL, locks, (void *)i);
		until_sleeps(&waiters[i]);
	}
	show("wanted");
	R(futex(FUTEX_WAKE_PRIVATE, 1, NULL));
	R(syscall(SYS_futex, word, FUTEX_REQUEUE_PRIVATE, 1, 1, word + 1, 0));
	R(futex(FUTEX_UNLOCK_PI_PRIVATE, 0, NULL));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	say("in turn %d %d %d %d\n", order[0], order[1], order[2], order[3]);
	show("after all");
}

static void deaths(void)
{
	pthread_mutex_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;
	pid_t child;
	int result;

	make(&mutex, 1, 0);
	pthread_create(&thread, NULL, dies_with, &mutex);
	pthread_join(thread, NULL);
	R(pthread_mutex_lock(&mutex) == EOWNERDEAD);
	R(pthread_mutex_consistent(&mutex));
	R(pthread_mutex_unlock(&mutex));
	R(pthread_mutex_lock(&mutex));

	make(&second, 1, 0);
	waiters[0] = 0;
	waiters[1] = 0;
	pthread_create(&thread, NULL, dies_with, &second);
	until_sleeps(&waiters[0]);
	waiters[1] = gettid();
	R(pthread_mutex_lock(&second) == EOWNERDEAD);
	pthread_join(thread, NULL);

	make(shared, 1, 1);
	child = MUST(fork());
	if (child == 0) {
		pthread_mutex_lock(shared);
		execlp("sleep", "sleep", "60", NULL);
		_exit(1);
	}
	while ((result = pthread_mutex_trylock(shared)) == 0) {
		pthread_mutex_unlock(shared);
		sleep_ms(1);
	}
	if (result == EBUSY)
		result = pthread_mutex_lock(shared);
	R(result == EOWNERDEAD);
	R(waitpid(child, NULL, WNOHANG));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void deadlock(void)
{
	pthread_t thread;

	make(&mutex, 0, 0);
	make(&second, 0, 0);
	waiters[0] = 0;
	pthread_mutex_lock(&mutex);
	pthread_create(&thread, NULL, crosses, NULL);
	until_sleeps(&waiters[0]);
	word = (int *)&second;
	R(futex(FUTEX_LOCK_PI_PRIVATE, 0, NULL));
	R(pthread_mutex_unlock(&mutex));
	pthread_join(thread, NULL);
}

static void interrupted(void)
{
	struct timespec end;
	struct itimerval soon = {{0, 0}, {0, 20000}};

	signal(SIGALRM, wakes);
	*word = another;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += 100000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	setitimer(ITIMER_REAL, &soon, NULL);
	R(futex(FUTEX_LOCK_PI, 0, &end));
	show("not taken");
	*word = 0;
}

int main(void)
{
	pthread_t threads[THREADS];

	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	another = MUST(fork());
	if (another == 0)
		for (;;)
			pause();
	words();
	interrupted();
	kill(another, SIGKILL);
	waitpid(another, NULL, 0);
	make(&mutex, 0, 0);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, turns, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	R(counter);
	produces();
	deaths();
	deadlock();
	return 0;
}
