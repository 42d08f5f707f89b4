/* test: flags -pthread */
/*
 * Everything at once: processes that fork, map, copy through pipes, start threads and exec while a timer interrupts
 * them all the time. Nothing may be lost, and nothing may change under a program's hands.
 */
#include "../check.h"
#include <pthread.h>
#include <sys/time.h>

static volatile int alarms;

static void on_alarm(int signal)
{
	int kept = errno;

	(void)signal;
	alarms++;
	errno = kept;
}

static int status_of(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int forks(int round)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(round % 200);
	return status_of(pid) == round % 200;
}

static int copies(int round)
{
	unsigned char block[3000], got[3000];
	int fds[2];
	size_t have = 0;
	ssize_t n;

	if (pipe(fds) < 0)
		return 0;
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = i * 7 + round;
	pid_t pid = fork();
	if (pid == 0) {
		close(fds[0]);
		_exit(write(fds[1], block, sizeof block) == sizeof block ? 1 : 2);
	}
	close(fds[1]);
	while (have < sizeof got && (n = read(fds[0], got + have, sizeof got - have)) > 0)
		have += n;
	close(fds[0]);
	return status_of(pid) == 1 && have == sizeof got && memcmp(block, got, sizeof got) == 0;
}

static int maps(int round)
{
	size_t size = (1 + round % 9) * 4096 * 4;
	unsigned char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, (round & 1 ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 0;
	memset(p, round, size);
	pid_t pid = fork();
	if (pid == 0) {
		p[0]++;
		_exit(p[size - 1] == (unsigned char)round);
	}
	int same = status_of(pid) == 1;
	same &= p[0] == (unsigned char)(round + (round & 1));
	if (mprotect(p + 4096, 4096, PROT_NONE) < 0 || munmap(p, size) < 0)
		return 0;
	return same;
}

static void *add(void *arg)
{
	long *sum = arg;

	for (int i = 0; i < 1000; i++)
		__atomic_add_fetch(sum, 1, __ATOMIC_RELAXED);
	return arg;
}

static int threads(int round)
{
	pthread_t all[3];
	long sum = round;

	for (int i = 0; i < 3; i++)
		if (pthread_create(&all[i], NULL, add, &sum) != 0)
			return 0;
	for (int i = 0; i < 3; i++)
		pthread_join(all[i], NULL);
	return sum == round + 3000;
}

static int execs(int round)
{
	char code[16];

	snprintf(code, sizeof code, "exit %d", round % 50 + 1);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", code, NULL);
		_exit(99);
	}
	return status_of(pid) == round % 50 + 1;
}

static void worker(int number)
{
	static int (*const works[])(int) = {forks, copies, maps, threads, execs};
	static const char *const names[] = {"forks", "copies", "maps", "threads", "execs"};
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct itimerval often = {{0, 1500}, {0, 1500}}, never = {{0, 0}, {0, 0}};
	int failed[5] = {0};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int round = 0; round < 100; round++)
		failed[(round + number) % 5] += !works[(round + number) % 5](round);
	setitimer(ITIMER_REAL, &never, NULL);
	for (int i = 0; i < 5; i++)
		if (failed[i] > 0)
			say("worker %d: %d %s failed\n", number, failed[i], names[i]);
	fflush(stdout);
	_exit(alarms > 0 ? 0 : 1);
}

int main(void)
{
	pid_t all[4];

	for (int i = 0; i < 4; i++)
		if ((all[i] = MUST(fork())) == 0)
			worker(i);
	for (int i = 0; i < 4; i++)
		say("worker %d: %d\n", i, status_of(all[i]));
	return 0;
}
