/* System calls by random numbers, with random and boundary arguments, in children. Prints each child's seed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned long seed;
static char *area;
static volatile long *calls;

static unsigned long dice(void)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return seed >> 24;
}

static unsigned long argument(void)
{
	static const unsigned long edges[] = { 0, 1, 2, 3, 4, 5, 7, 8, 16, 63, 64, 65, 127, 128, 255, 256, 511, 512, 1023, 1024, 4095, 4096,
		4097, 8192, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffff, 0x7ffffffff000,
		0x800000000000, 0x7fffffffffffffff, 0x8000000000000000, -1UL, -2UL, -4UL, -8UL, -100UL, -4096UL, 0x7e400000, 0x7e500000,
		0x7e720000, 0x7e8000000000, 1UL << 53, (1UL << 53) - 1, 0x5401, 0x541b, 0x5413, 0x80045430, 0x02000000, 0x80000, 0x800 };

	switch (dice() % 8) {
	case 0: return edges[dice() % (sizeof(edges) / sizeof(edges[0]))];
	case 1: return dice() % 40;
	case 2: return (unsigned long)area + dice() % 8 * 4096 + dice() % 4 * 8;
	case 3: return (unsigned long)area + 8 * 4096 - dice() % 64;
	case 4: return 1UL << dice() % 64;
	case 5: return (unsigned long)area + 64;
	case 6: return dice() * dice();
	default: return dice() % 3000;
	}
}

static void fill(void)
{
	static const char *names[] = { "/tmp/fuzz", "/tmp/fuzz/x", "/proc/self/maps", "/dev/null", "", "/", "..", "/dev/ptmx",
		"/proc/self/fd/3", "user.fuzz", "tmpfs", "/proc/self/status", "/dev/zero", "/tmp/fuzz/fifo" };
	int i;

	for (i = 0; i < 8 * 4096; i += 4)
		*(int *)(area + i) = dice() % 3 ? dice() % 64 : (int)argument();
	strcpy(area + 64, names[dice() % 14]);
	strcpy(area + 4096, names[dice() % 14]);
	for (i = 0; i < 16; i++) {
		((unsigned long *)(area + 8192))[2 * i] = (unsigned long)area + dice() % 20000;
		((unsigned long *)(area + 8192))[2 * i + 1] = dice() % 5 ? dice() % 5000 : argument();
	}
}

/* What would end us, or all the others, in accord with the rules. */
static int is_barred(long nr, int root)
{
	static const int always[] = { SYS_exit, SYS_exit_group, SYS_vfork, SYS_clone, 435, SYS_rt_sigreturn, SYS_reboot, SYS_kill, SYS_tkill,
		SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pause, SYS_munmap, SYS_mprotect, SYS_execve, SYS_execveat, SYS_alarm,
		SYS_vhangup, 424 };
	static const int roots[] = { SYS_mount, SYS_umount2, SYS_chroot, SYS_pivot_root, SYS_settimeofday, SYS_clock_settime, SYS_fchmod,
		SYS_fchown, SYS_swapon, SYS_setns, SYS_unshare, SYS_syslog, SYS_ftruncate, SYS_write, SYS_pwrite64, SYS_writev, SYS_dup2, SYS_dup3 };
	int i;

	for (i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (always[i] == nr)
			return 1;
	for (i = 0; root && i < sizeof(roots) / sizeof(roots[0]); i++)
		if (roots[i] == nr)
			return 1;
	return 0;
}

static void child(int root)
{
	int pair[2], i;

	setsid();
	mkdir("/tmp/fuzz", 0777);
	chmod("/tmp/fuzz", 0777);
	chdir("/tmp/fuzz");
	area = mmap(0, 9 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(area + 8 * 4096, 4096, PROT_NONE);
	for (i = 0; i < 3; i++)
		dup2(open("/dev/null", O_RDWR), i);
	open("/tmp/fuzz", O_RDONLY);
	open("/tmp/fuzz/data", O_RDWR | O_CREAT, 0666);
	pipe(pair);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair);
	epoll_create1(0);
	eventfd(3, EFD_NONBLOCK);
	open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	open("/proc/self/maps", O_RDONLY);
	syscall(SYS_memfd_create, "fuzz", 3);
	syscall(SYS_timerfd_create, 1, 04000);
	syscall(SYS_inotify_init1, 04000);
	socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (!root)
		setuid(1000);
	for (;;) {
		long nr = dice() % 8 == 0 ? dice() % 600 : dice() % 462;

		if (is_barred(nr, root))
			continue;
		fill();
		/* Sleepers are for signals: an interval wakes them. */
		struct { long a, b, c, d; } often = { 0, 2000, 0, 2000 };
		signal(SIGALRM, (void (*)(int))getpid);
		syscall(SYS_setitimer, 0, &often, NULL);
		++*calls;
		if (syscall(nr, argument(), argument(), argument(), argument(), argument(), argument()) == 0 && nr == SYS_fork)
			_exit(0);
	}
}

int main(int argc, char **argv)
{
	time_t until = time(NULL) + atoi(argv[1]);
	unsigned long start = argc > 2 ? strtoul(argv[2], NULL, 0) : time(NULL) * 1000;
	int rounds = 0, lost = 0;

	setbuf(stdout, NULL);
	calls = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	printf("first seed %lu\n", start);
	while (time(NULL) < until || *calls < 1000) {
		int waited, status;
		pid_t pid;

		seed = start + rounds++;
		pid = fork();
		if (pid == 0)
			child(rounds % 4 == 0);
		usleep(150000);
		kill(pid, SIGKILL);
		for (waited = 0; waited < 60000 && waitpid(pid, &status, WNOHANG) != pid; waited++)
			usleep(1000);
		if (waited == 60000)
			lost++, printf("seed %lu: hangs\n", start + rounds - 1);
	}
	printf("rounds %d, lost %d, calls %ld\n", rounds, lost, *calls);
	return lost != 0;
}
