/* exit_group(2) as the last that is heard of a process: its status, what it used and held, who waits, whatever comes between. */
#include "../check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#define MANY 300

static void statuses(void)
{
	int right = 0;

	for (int i = 0; i < MANY; i++) {
		int status = 0;
		pid_t pid = MUST(fork());

		if (pid == 0)
			_exit(i);
		right += waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == (i & 0xff);
	}
	R(right);
}

/* All at once, waited for in any order. */
static void crowd(void)
{
	int sum = 0, count = 0, status;

	for (int i = 0; i < MANY; i++)
		if (MUST(fork()) == 0)
			_exit(i % 7);
	while (wait(&status) > 0) {
		count++;
		sum += WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
	}
	say("%d ended, sum %d\n", count, sum);
}

/* Exits, or dies of SIGKILL: nothing else, and nobody twice. */
static void killed_meanwhile(void)
{
	int exited = 0, killed = 0, status;

	for (int i = 0; i < MANY; i++) {
		pid_t pid = MUST(fork());

		if (pid == 0)
			_exit(9);
		for (int n = i % 50 * 20; n > 0; n--)
			__asm__ volatile("pause");
		kill(pid, SIGKILL);
		MUST(waitpid(pid, &status, 0));
		exited += WIFEXITED(status) && WEXITSTATUS(status) == 9;
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	R(exited + killed);
}

static void uses(void)
{
	struct rusage usage;

	if (MUST(fork()) == 0) {
		char *memory = malloc(8 << 20);
		clock_t begin = clock();

		memset(memory, 1, 8 << 20);
		while (clock() - begin < 30 * CLOCKS_PER_SEC / 1000)
			;
		_exit(0);
	}
	wait(NULL);
	getrusage(RUSAGE_CHILDREN, &usage);
	R(usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 + usage.ru_stime.tv_usec / 1000 >= 25);
	R(usage.ru_maxrss >= 8 << 10);
}

struct shared {
	pthread_mutex_t robust;
	volatile int ready;
};

static struct shared *new_shared(int fd)
{
	return mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
}

static void make_robust(struct shared *shared)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&shared->robust, &attr);
}

/* In memory that was there before the fork, or that the child maps. */
static void lock_dies_with_owner(int own)
{
	int fd = own ? MUST(memfd_create("shared", 0)) : -1;
	struct shared *shared;

	if (own)
		MUST(ftruncate(fd, sizeof(struct shared)));
	shared = new_shared(fd);
	make_robust(shared);
	if (MUST(fork()) == 0) {
		if (own) {
			munmap(shared, sizeof(*shared));
			shared = new_shared(fd);
		}
		pthread_mutex_lock(&shared->robust);
		_exit(0);
	}
	wait(NULL);
	say("lock: %d\n", pthread_mutex_lock(&shared->robust));
	munmap(shared, sizeof(*shared));
	if (own)
		close(fd);
}

/* The mapping is made by a call after which a signal's handler runs. */
static void nothing(int signal) { (void)signal; }

static void lock_after_signal(void)
{
	int fd = MUST(memfd_create("shared", 0));
	struct shared *shared;

	MUST(ftruncate(fd, sizeof(*shared)));
	shared = new_shared(fd);
	make_robust(shared);
	if (MUST(fork()) == 0) {
		struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { { 0, 0 }, { 0, 0 } };

		signal(SIGALRM, nothing);
		setitimer(ITIMER_REAL, &often, NULL);
		for (int i = 0; i < 200; i++) {
			munmap(shared, sizeof(*shared));
			shared = new_shared(fd);
		}
		setitimer(ITIMER_REAL, &never, NULL);
		pthread_mutex_lock(&shared->robust);
		_exit(0);
	}
	wait(NULL);
	say("lock: %d\n", pthread_mutex_lock(&shared->robust));
	munmap(shared, sizeof(*shared));
	close(fd);
}

/* The lock is free already, but who gave it back has not woken anybody yet. */
static void free_lock_dies(int wakes)
{
	struct {
		struct robust_list_head head;
		struct robust_list lock;
		int word;
	} *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec patience = {wakes ? 10 : 0, wakes ? 0 : 200000000};
	pid_t waiter;
	int status;

	shared->head.list.next = &shared->head.list;
	shared->head.futex_offset = (char *)&shared->word - (char *)&shared->lock;
	shared->head.list_op_pending = wakes ? &shared->lock : NULL;
	waiter = MUST(fork());
	if (waiter == 0)
		_exit(syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, &patience, NULL, 0) == 0 ? 0 : errno);
	/* Until it sleeps nobody wakes it. */
	do {
		pid_t pid = MUST(fork());

		if (pid == 0) {
			MUST(syscall(SYS_set_robust_list, &shared->head, sizeof(shared->head)));
			syscall(SYS_exit_group, 0);
		}
		MUST(waitpid(pid, NULL, 0));
		usleep(20000);
	} while (MUST(waitpid(waiter, &status, WNOHANG)) == 0);
	say("free lock: %s, word %d\n", WEXITSTATUS(status) == 0 ? "woken" : errno_name(WEXITSTATUS(status)), shared->word);
	munmap(shared, 4096);
}

static void locks(void)
{
	lock_dies_with_owner(0);
	lock_dies_with_owner(1);
	lock_after_signal();
	free_lock_dies(1);
	free_lock_dies(0);
}

/* What it held is free as soon as it has ended. */
static void held(void)
{
	char name[] = "/tmp/last-call-XXXXXX", byte;
	int fd = MUST(mkstemp(name)), go[2], pair[2];

	unlink(name);
	MUST(pipe(go));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	for (int i = 0; i < 50; i++) {
		struct flock lock = { .l_type = F_WRLCK };

		if (MUST(fork()) == 0) {
			fcntl(fd, F_SETLK, &lock);
			write(go[1], "g", 1);
			_exit(0);
		}
		MUST(read(go[0], &byte, 1));
		MUST(fcntl(fd, F_SETLKW, &lock));
		lock.l_type = F_UNLCK;
		MUST(fcntl(fd, F_SETLK, &lock));
		MUST(wait(NULL));
	}
	if (MUST(fork()) == 0) {
		close(pair[0]);
		write(pair[1], "x", 1);
		_exit(0);
	}
	close(pair[1]);
	R(read(pair[0], &byte, 1));
	R(read(pair[0], &byte, 1));
	MUST(wait(NULL));
	close(pair[0]);
	close(go[0]);
	close(go[1]);
	close(fd);
}

static void *turn(void *unused)
{
	(void)unused;
	for (;;)
		__asm__ volatile("pause");
	return NULL;
}

static void end_here(int signal) { _exit(signal); }

static int ended(pid_t pid)
{
	int status = -1;

	MUST(waitpid(pid, &status, 0));
	return status;
}

static void places(void)
{
	volatile int mine = 1;
	pid_t pid = MUST(fork());

	if (pid == 0) {
		pthread_t thread;

		pthread_create(&thread, NULL, turn, NULL);
		_exit(21);
	}
	say("threads: %x\n", ended(pid));
	pid = vfork();
	if (pid == 0) {
		mine = 2;
		_exit(22);
	}
	say("vfork: %x, mine %d\n", ended(pid), mine);
	pid = MUST(fork());
	if (pid == 0) {
		signal(SIGALRM, end_here);
		ualarm(100, 0);
		for (;;)
			getppid();
	}
	say("handler: %x\n", ended(pid));
	pid = MUST(fork());
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "exit 23", (char *)NULL);
		_exit(1);
	}
	say("program: %x\n", ended(pid));
	pid = MUST((int)syscall(SYS_clone, SIGUSR2, 0, 0, 0, 0));
	if (pid == 0)
		_exit(24);
	R(waitpid(pid, NULL, 0) < 0);
	{
		int status = 0;

		MUST(waitpid(pid, &status, __WALL));
		say("another signal: %x\n", status);
	}
}

static char stack[65536] __attribute__((aligned(64)));
static int alive[2];

static int lives_on(void *unused)
{
	(void)unused;
	sleep_ms(50);
	write(alive[1], "alive", 5);
	_exit(7);
}

/* A child of vfork leaves somebody behind in the memory of its parent, who made no other call before. */
static void shared_by_vfork(void)
{
	char text[8] = "";

	MUST(pipe(alive));
	if (MUST(fork()) == 0) {
		if (vfork() == 0) {
			clone(lives_on, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
			_exit(0);
		}
		_exit(5);
	}
	close(alive[1]);
	R(read(alive[0], text, 5));
	say("%s\n", text);
	close(alive[0]);
	wait(NULL);
}

static void looks_twice(void)
{
	siginfo_t info = { 0 };
	pid_t pid = MUST(fork());

	if (pid == 0)
		_exit(31);
	R(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	say("%d %d %d\n", info.si_pid == pid, info.si_code, info.si_status);
	memset(&info, 0, sizeof(info));
	R(waitid(P_PID, (id_t)pid, &info, WEXITED));
	say("%d %d %d\n", info.si_pid == pid, info.si_code, info.si_status);
}

int main(void)
{
	signal(SIGUSR2, SIG_IGN);
	in_child("statuses", statuses);
	in_child("crowd", crowd);
	in_child("killed_meanwhile", killed_meanwhile);
	in_child("uses", uses);
	in_child("locks", locks);
	in_child("held", held);
	in_child("places", places);
	in_child("shared_by_vfork", shared_by_vfork);
	in_child("looks_twice", looks_twice);
	return 0;
}
