/*
 * The arguments of the random calls that storm.c makes: what they are chosen from, and how. All comes from the seed, but what the
 * system answers. Which calls there are, and the letters of their arguments, is in calls.h (call-table.ts).
 */
#ifndef STORM_ARGUMENTS_H
#define STORM_ARGUMENTS_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "calls.h"

#define PAGE 4096UL
#define AREA 16
#define KIDS 4
#define PLACE "/tmp/storm"
#define SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What the processes of a round share. */
static struct {
	volatile long calls, forks, programs;
	volatile int pids[KIDS];
} *common;
static __thread unsigned long seed;
/* Whether this process is root's; its memory; its descriptors by what they are, and what else calls have made. */
static int root, of_kind[8][16], kinds[8], ids[8];
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

#endif
