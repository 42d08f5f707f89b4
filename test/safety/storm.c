/*
 * System calls at random, but such that they get somewhere: arguments of the kinds that calls take (calls.h), descriptors of all
 * sorts, structures that are nearly right, memory that goes away, threads, forks, programs, signals among each other.
 * `storm SEED ROUNDS CALLS`: in each round four processes make so many calls, one of them as root.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
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
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "calls.h"

#define PAGE 4096UL
#define AREA 16
#define KIDS 4
#define PLACE "/tmp/storm"
#define SIZE(a) (sizeof(a) / sizeof((a)[0]))

static struct {
	volatile long calls, forks, programs;
	volatile int pids[KIDS];
} *common;
static __thread unsigned long seed;
static __thread sigjmp_buf back;
static int root, above, of_kind[8][16], kinds[8], ids[8];
static long left;
static char *area, *shared, *constant, *file;

static const char *const names[] = {PLACE, "x", "y", "d", "d/x", PLACE "/x", "link", "loop", "fifo", "sock", "script", "", "/", "..", ".", "/dev/null", "/dev/ptmx",
	"/dev/tty", "/dev/zero", "/dev/shm/x", "/proc/self/fd/3", "/proc/self/maps", "/proc/self/mem", "/proc/self/exe", "/proc/self/status", "/proc/self/smaps",
	"/proc/self/ns/mnt", "/proc/self/oom_score_adj", "/proc/self/comm", "/proc/self/pagemap", "/proc/locks", "/proc/meminfo", "/proc/net/unix", "/bin/true", "/etc/passwd",
	"user.x", "security.capability", "system.posix_acl_access", "tmpfs", "proc", "overlay", "mode", "size=1M", "lowerdir=/etc,upperdir=d,workdir=w", "/q"};
static const unsigned long edges[] = {0, 1, 2, 7, 8, 63, 64, 127, 128, 255, 256, 1023, 1024, 4095, 4096, 4097, 8192, 65535, 65536, 0x7fffefff, 0x7ffff000, 0x7fffffff,
	0x80000000, 0x80000001, 0xffffffff, 0x100000000, 0x7fffffffefff, 0x7ffffffff000, 0x800000000000, 1UL << 53, (1UL << 53) + 1, 0x7fffffffffffffff, 0x8000000000000000,
	-1UL, -2UL, -100UL, -4095UL, -4096UL};
static const unsigned long requests[] = {0x5401, 0x5402, 0x5403, 0x5404, 0x5409, 0x540a, 0x540b, 0x540e, 0x540f, 0x5410, 0x5411, 0x5412, 0x5413, 0x5414, 0x541b, 0x5420, 0x5421,
	0x5424, 0x5429, 0x80045430, 0x40045431, 0x5441, 0x5450, 0x5452, 0x80086601, 0x40086602, 0x801c581f, 0xc020660b, 0x40049409, 0xb703, 0x80045200, 0xff0b, 0xc0686611};

static unsigned long dice(void)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return seed >> 24;
}

/* Mostly writable, sometimes at the end of memory, read only, of a file that is shorter, or nowhere. */
static char *place(void)
{
	switch (dice() % 20) {
	case 0: return area + AREA * PAGE - dice() % 130;
	case 1: return constant + dice() % 64 * 8;
	case 2: return file + dice() % 3 * PAGE;
	case 3: return shared + dice() % 128 * 8;
	case 4: return (char *)edges[dice() % SIZE(edges)];
	case 5: return (char *)(0x7e400000 + dice() % 0x400000);
	default: return area + dice() % (AREA - 1) * PAGE + dice() % 256 * 8;
	}
}

static int holds(char *p, unsigned long size)
{
	return (p >= area && p + size <= area + AREA * PAGE) || (p >= shared && p + size <= shared + PAGE);
}

static long number(void)
{
	switch (dice() % 6) {
	case 0: return edges[dice() % SIZE(edges)];
	case 1: return 1L << dice() % 64;
	case 2: return dice() % 3000;
	default: return dice() % 12;
	}
}

static long descriptor(int kind)
{
	if (kind && kinds[kind] && dice() % 8)
		return of_kind[kind][dice() % kinds[kind]];
	return dice() % 12 ? 3 + dice() % 50 : (int)edges[dice() % SIZE(edges)];
}

static long size(void)
{
	return dice() % 5 == 0 ? edges[dice() % SIZE(edges)] : dice() % 2 ? dice() % 33 * 4 : dice() % 9000;
}

/* Never all, the first process or who watches, where one might. */
static long process(void)
{
	switch (dice() % 5) {
	case 0: return 0;
	case 1: return getpid();
	case 2: return -common->pids[dice() % KIDS];
	case 3: return root ? 999999 : (long)edges[dice() % SIZE(edges)];
	default: return common->pids[dice() % KIDS];
	}
}

static char *text(void)
{
	const char *name = names[dice() % SIZE(names)];
	char *p = place();

	if (dice() % 40 == 0)
		return memset(area + 64, dice() % 2 ? 'a' : '/', 4093 + dice() % 4);
	return holds(p, 80) ? strcpy(p, name) : dice() % 3 ? (char *)name : p;
}

static void *structure(void)
{
	unsigned *p = (unsigned *)place(), style = dice() % 4, i;

	if (!holds((char *)p, 160))
		return p;
	memset(p, 0, 160);
	for (i = style ? dice() % 6 : 40; i > 0; i--) {
		unsigned at = style ? dice() % 16 : i - 1;

		if (dice() % 4 == 0 && at < 38)
			*(char **)(p + (at & ~1)) = place();
		else
			p[at] = dice() % 3 ? dice() % 20 : dice() % 2 ? (unsigned)descriptor(0) : (unsigned)number();
	}
	return p;
}

static void *vector(void)
{
	struct iovec *v = (void *)(area + dice() % 8 * PAGE);
	int i;

	for (i = 0; i < 8; i++)
		v[i] = (struct iovec){place(), dice() % 9 ? dice() % 300 : size()};
	return v;
}

static void *address(void)
{
	struct sockaddr_un *a = (void *)(area + 9 * PAGE + dice() % 8 * 128);

	a->sun_family = dice() % 9 ? AF_UNIX : dice() % 40;
	strcpy(a->sun_path, dice() % 2 ? "sock" : names[dice() % SIZE(names)]);
	if (dice() % 3 == 0)
		a->sun_path[0] = 0;
	return a;
}

static void *message(void)
{
	struct msghdr *m = (void *)(area + 10 * PAGE + dice() % 16 * 64);
	struct cmsghdr *c = (void *)(area + 13 * PAGE + dice() % 8 * 64);
	void *first = m;
	int i, k;

	for (k = 0; k < 3; k++, m = (void *)((char *)m + 64)) {
		*m = (struct msghdr){dice() % 3 ? NULL : address(), dice() % 4 ? 110 : size(), vector(), dice() % 9 ? dice() % 5 : size(),
				     dice() % 3 ? c : NULL, dice() % 5 ? 16 + dice() % 60 : size(), number()};
		*c = (struct cmsghdr){dice() % 6 ? 16 + 4 * (dice() % 8) : size(), dice() % 9 ? SOL_SOCKET : number(), dice() % 9 ? 1 + dice() % 4 : number()};
		for (i = 0; i < 8; i++)
			((int *)CMSG_DATA(c))[i] = descriptor(dice() % 8);
	}
	return first;
}

static void *moment(void)
{
	struct timespec *t = (void *)place();
	int i;

	if (dice() % 5 == 0 || !holds((char *)t, 64))
		return dice() % 2 ? NULL : t;
	for (i = 0; i < 2; i++)
		t[i] = (struct timespec){dice() % 4 ? 0 : number(), dice() % 6 ? dice() % 1000000 : number()};
	return t;
}

static void *strings(void)
{
	char **v = (char **)(area + 4 * PAGE + dice() % 8 * 64);
	int i, n = dice() % 6;

	for (i = 0; i < n; i++)
		v[i] = dice() % 12 ? text() : place();
	v[n] = NULL;
	return v;
}

static unsigned long flags(const long *values, int count)
{
	unsigned long bits = 0;
	int i;

	if (dice() % 16 == 0)
		return dice() % 2 ? -1UL : 1UL << dice() % 64;
	for (i = dice() % 2 ? 0 : dice() % 4; i > 0; i--)
		bits |= values[dice() % count];
	return bits;
}

static unsigned long argument(char letter, const long *values, int count)
{
	if (dice() % 32 == 0)
		letter = "fdpSPgmzavMAtkubri"[dice() % 18];
	switch (letter) {
	case 'f': return descriptor(0);
	case '1' ... '7': return descriptor(letter - '0');
	case 'd': return dice() % 3 ? AT_FDCWD : descriptor(0);
	case 'p': return (unsigned long)text();
	case 'S': return (unsigned long)strings();
	case 'P': return process();
	case 'g': return dice() % 10 ? dice() % 66 : number();
	case 'm': return dice() % 2 ? 0777 : dice() % 0200000;
	case 'F': return flags(values, count);
	case 'E': return dice() % 12 ? values[dice() % count] : number();
	case 'z': return size();
	case 'n': return dice() % 10 ? dice() % 8 : size();
	case 'G': return dice() % 20 ? 8 : size();
	case 'a': return (unsigned long)(dice() % 4 ? (dice() % 3 ? area : file) + dice() % 24 * PAGE : place());
	case 'v': return (unsigned long)vector();
	case 'M': return (unsigned long)message();
	case 'A': return (unsigned long)address();
	case 't': return (unsigned long)moment();
	case 'k': return dice() % 3 ? ids[dice() % SIZE(ids)] : number();
	case 'u': return dice() % 3 ? -1UL : number();
	case 'b': return (unsigned long)structure();
	case 'r': return requests[dice() % SIZE(requests)];
	default: return dice() % 2 ? dice() % 4 : dice() % 3 ? number() : (unsigned long)structure();
	}
}

/* Calls that would end the game too soon, or make it last. */
static int is_barred(long nr)
{
	switch (nr) {
	case SYS_reboot: case SYS_pause: return 1;
	case SYS_syslog: case SYS_settimeofday: case SYS_clock_settime: case SYS_clock_adjtime: return root;
	case SYS_exit: case SYS_exit_group: case SYS_seccomp: return dice() % 40;
	case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigqueueinfo: case SYS_munmap: case SYS_chroot: case SYS_close_range: return dice() % 4;
	case SYS_nanosleep: case SYS_clock_nanosleep: case SYS_poll: case SYS_select: case SYS_ppoll: case SYS_futex: case SYS_wait4: case SYS_waitid:
	case SYS_rt_sigtimedwait: case SYS_rt_sigsuspend: case SYS_epoll_wait: case SYS_epoll_pwait: case SYS_semop: case SYS_flock: return dice() % 4;
	default: return 0;
	}
}

/* What structures begin with, and how large they are: most calls would go no further. */
static void correct(long nr, unsigned long *a)
{
	int *first = holds((char *)a[0], 16) ? (int *)a[0] : NULL;

	switch (nr) {
	case SYS_capget: case SYS_capset: if (first) *first = 0x20080522; break;
	case SYS_openat2: a[3] = 24; break;
	case SYS_clone3: a[1] = 88; break;
	case SYS_semget: case SYS_shmget: case SYS_msgget: a[0] %= 3; a[1] %= 6; a[nr == SYS_msgget ? 1 : 2] = 01600; break;
	case SYS_timer_create: a[1] *= dice() % 2; break;
	case SYS_io_setup: a[0] %= 20; if (first) first[0] = first[1] = 0; break;
	case SYS_process_vm_readv: case SYS_process_vm_writev: a[5] = 0; break;
	case SYS_process_madvise: a[4] = 0; break;
	case SYS_setsockopt: case SYS_getsockopt: a[1] = SOL_SOCKET; break;
	case SYS_splice: a[1] *= dice() % 2; a[3] *= dice() % 2; break;
	case SYS_mmap: a[1] %= 1 << 20; if (dice() % 2) a[3] |= MAP_ANONYMOUS; break;
	case SYS_ioctl: if (dice() % 2) a[2] = number(); break;
	}
}

static void keep(int kind, long fd)
{
	if (fd >= 0 && kinds[kind] < 16)
		of_kind[kind][kinds[kind]++] = fd;
}

/* What calls have made is used later. */
static void made(long nr, long result)
{
	switch (nr) {
	case SYS_socket: case SYS_accept: keep(1, result); break;
	case SYS_epoll_create1: keep(2, result); break;
	case SYS_timerfd_create: keep(3, result); break;
	case SYS_mq_open: keep(4, result); break;
	case SYS_pidfd_open: keep(6, result); break;
	case SYS_shmget: case SYS_semget: case SYS_msgget: case SYS_timer_create: if (result >= 0) ids[dice() % SIZE(ids)] = result; break;
	}
}

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
