/*
 * System calls at random, but such that they get somewhere: arguments of the kinds that calls take (storm-arguments.h), descriptors of
 * all sorts, structures that are nearly right, memory that goes away, threads, forks, programs, signals among each other.
 * `storm SEED ROUNDS CALLS`: in each round four processes make so many calls, one of them as root.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "storm-arguments.h"

static __thread sigjmp_buf back;
static int above;
static long left;

/* New processes go on as their parents do; few, and not those that would run on this stack with it. */
static void multiply(long nr, unsigned long *a)
{
	struct clone_args *args = (void *)a[0];
	long result = -1;

	if (common->forks > 12 || dice() % 8)
		return;
	__sync_fetch_and_add(&common->forks, 1);
	if (nr == SYS_vfork) {
		if (vfork() == 0) {
			execl("/bin/true", "true", NULL);
			_exit(0);
		}
	} else if (nr == SYS_fork)
		result = fork();
	else if (nr == SYS_clone)
		result = syscall(SYS_clone, a[0] & ~(CLONE_VM | CLONE_VFORK), 0, a[2], a[3], a[4]);
	else if (holds((char *)args, 88)) {
		args->flags &= ~(unsigned long)(CLONE_VM | CLONE_VFORK);
		result = syscall(SYS_clone3, args, a[1]);
	}
	if (result == 0)
		seed ^= common->forks << 32;
}

static void one(void)
{
	const struct call *call = &calls[dice() % SIZE(calls)];
	unsigned long a[6];
	int i, n = strlen(call->letters);
	long nr = call->nr;

	if (is_barred(nr))
		return;
	for (i = 0; i < 6; i++)
		a[i] = i < n ? argument(call->letters[i], call->values[i], call->counts[i]) : number();
	if (dice() % 8)
		correct(nr, a);
	if (dice() % 100 == 0)
		nr = dice() % 2 ? nr | 0x40000000 : number();
	if (root && (nr == SYS_kill || nr == SYS_tkill || nr == SYS_tgkill || nr == SYS_rt_sigqueueinfo || nr == SYS_prlimit64))
		a[0] = getpid();
	__sync_fetch_and_add(&common->calls, 1);
	if (nr == SYS_fork || nr == SYS_vfork || nr == SYS_clone || nr == SYS_clone3) {
		multiply(nr, a);
		return;
	}
	if ((nr == SYS_execve || nr == SYS_execveat) && (dice() % 10 || __sync_fetch_and_add(&common->programs, 1) > 20))
		return;
	made(nr, syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]));
}

static void on_fault(int signal)
{
	siglongjmp(back, 1);
}

static void on_signal(int signal)
{
}

/* Sleepers are for signals: an interval wakes them. What calls have done to signals is undone from time to time. */
static void recover(void)
{
	struct { long a, b, c, d; } often = {0, 1000, 0, 1000};
	struct sigaction action = {.sa_flags = SA_ONSTACK | SA_NODEFER};
	long none = 0;
	int i;

	for (i = 1; i < 32; i++) {
		int fault = i == SIGSEGV || i == SIGBUS || i == SIGILL || i == SIGFPE || i == SIGTRAP || i == SIGSYS;

		action.sa_handler = fault ? on_fault : on_signal;
		sigaction(i, &action, NULL);
	}
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
	syscall(SYS_setitimer, ITIMER_REAL, &often, NULL);
}

static void *play(void *from)
{
	seed = (unsigned long)from;
	sigsetjmp(back, 1);
	while (__sync_fetch_and_sub(&left, 1) > 0) {
		if (left % 64 == 0)
			recover();
		one();
	}
	syscall(SYS_exit_group, 0);
	return NULL;
}

static void own_memory(void)
{
	int fd = open("data", O_RDWR | O_CREAT, 0666);

	area = mmap(NULL, (AREA + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(area + AREA * PAGE, PAGE, PROT_NONE);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	constant = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ftruncate(fd, 2 * PAGE);
	file = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, dice() % 2 ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	close(fd);
}

static void own_files(void)
{
	static const char *const opened[] = {"x", PLACE, "/dev/shm/x", "/proc/self/maps", "/proc/self/mem", "/proc", "/sys/kernel", "/dev/zero", "/dev/random", "/etc/passwd", "fifo"};
	int pair[2], i, master;
	char name[40];
	sigset_t set;

	for (i = 0; i < SIZE(opened); i++)
		if (open(opened[i], O_RDWR | O_NONBLOCK | (i == 2 ? O_CREAT : 0), 0666) < 0)
			open(opened[i], O_RDONLY | O_NONBLOCK);
	pipe2(pair, O_NONBLOCK);
	keep(7, pair[0]), keep(7, pair[1]);
	for (i = 1; i <= 5; i = i == 2 ? 5 : i + 1) {
		socketpair(AF_UNIX, i | SOCK_NONBLOCK, 0, pair);
		keep(1, pair[0]), keep(1, pair[1]);
		keep(1, socket(AF_UNIX, i | SOCK_NONBLOCK, 0));
	}
	keep(2, epoll_create1(0));
	keep(2, epoll_create1(0));
	eventfd(3, EFD_NONBLOCK);
	keep(3, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	keep(4, syscall(SYS_mq_open, "q", O_RDWR | O_CREAT | O_NONBLOCK, 0666, NULL));
	keep(5, inotify_init1(IN_NONBLOCK));
	inotify_add_watch(of_kind[5][0], ".", IN_ALL_EVENTS);
	keep(6, syscall(SYS_pidfd_open, getpid(), 0));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signalfd(-1, &set, SFD_NONBLOCK);
	syscall(SYS_memfd_create, "storm", 3);
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	unlockpt(master);
	if (ptsname_r(master, name, sizeof(name)) == 0)
		open(name, O_RDWR | O_NONBLOCK);
}

static void child(int number, unsigned long from, long count)
{
	struct rlimit few = {96, 96}, small = {1 << 20, 1 << 20};
	stack_t stack = {.ss_size = 65536};
	pthread_t thread;
	int i;

	root = number == 0;
	seed = from;
	left = count;
	setsid();
	for (i = 0; i < 3; i++)
		dup2(open("/dev/null", O_RDWR), i);
	if (root)
		unshare(CLONE_NEWNS);
	else
		setgroups(0, NULL), setgid(65534), setuid(65534);
	setrlimit(RLIMIT_FSIZE, &small);
	own_memory();
	own_files();
	setrlimit(RLIMIT_NOFILE, &few);
	stack.ss_sp = malloc(65536);
	sigaltstack(&stack, NULL);
	recover();
	if (number % 2)
		pthread_create(&thread, NULL, play, (void *)(from ^ 0x123456789));
	play((void *)from);
}

static void scene(void)
{
	int fd;

	system("rm -rf " PLACE " /dev/shm/x");
	mkdir(PLACE, 01777);
	chdir(PLACE);
	mkdir("d", 0777);
	mkdir("w", 0777);
	mkfifo("fifo", 0666);
	symlink("x", "link");
	symlink("loop", "loop");
	close(open("x", O_CREAT | O_RDWR, 0666));
	fd = open("script", O_CREAT | O_WRONLY, 0777);
	write(fd, "#!/bin/sh\nexit 3\n", 17);
	close(fd);
}

/* All that came from the children; how many there are. */
static int kill_others(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(dir))) {
		int pid = atoi(entry->d_name);

		if (pid > above && pid != getpid())
			kill(pid, SIGKILL), count++;
	}
	closedir(dir);
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
	return count;
}

static void clean_ipc(void)
{
	static const struct {
		const char *list;
		int nr;
	} kinds[] = {{"/proc/sysvipc/shm", SYS_shmctl}, {"/proc/sysvipc/sem", SYS_semctl}, {"/proc/sysvipc/msg", SYS_msgctl}};
	char line[400];
	int i, id;

	for (i = 0; i < SIZE(kinds); i++) {
		FILE *list = fopen(kinds[i].list, "r");

		while (list && fgets(line, sizeof(line), list))
			if (sscanf(line, "%*d %d", &id) == 1)
				syscall(kinds[i].nr, id, 0, 0, 0);
		if (list)
			fclose(list);
	}
	syscall(SYS_mq_unlink, "q");
}

int main(int count, char **words)
{
	unsigned long first = strtoul(words[1], NULL, 0);
	int rounds = atoi(words[2]), round, i, lost = 0, tries;

	umask(0);
	above = getpid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (i = 1; i < 32; i++)
		if (i != SIGCHLD && i != SIGTERM)
			signal(i, SIG_IGN);
	common = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (round = 0; round < rounds; round++) {
		scene();
		common->forks = common->programs = 0;
		for (i = 0; i < KIDS; i++) {
			pid_t pid = fork();

			if (pid == 0)
				child(i, first + KIDS * round + i, atol(words[3]));
			common->pids[i] = pid;
		}
		/* Whoever sleeps for good is not waited for. */
		for (tries = 0; tries < 400 && waitpid(-1, NULL, WNOHANG | __WALL) >= 0; tries++)
			usleep(5000);
		for (tries = 0; kill_others() > 0 && tries < 20000; tries++)
			usleep(5000);
		lost += tries == 20000;
		clean_ipc();
	}
	chdir("/");
	system("rm -rf " PLACE " /dev/shm/x");
	printf("lost %d, calls %ld\n", lost, common->calls);
	return lost != 0;
}
