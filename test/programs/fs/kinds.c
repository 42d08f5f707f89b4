/* What can be done with a descriptor of any kind: places, owners, flags, hints, bytes into a pipe. */
#include "../check.h"
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#define F_GET_HINT 1035
#define F_SET_HINT 1036

static char name[] = "/tmp/kinds-XXXXXX";

static int event(void) { return eventfd(3, EFD_NONBLOCK); }
static int timer(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK); }

static int signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return signalfd(-1, &set, SFD_NONBLOCK);
}

static int poller(void) { return epoll_create1(0); }
static int watcher(void) { return inotify_init1(IN_NONBLOCK); }

static int piped(int end)
{
	int ends[2];

	MUST(pipe2(ends, O_NONBLOCK));
	return ends[end];
}

static int pipe_out(void) { return piped(0); }
static int pipe_in(void) { return piped(1); }

static int stream(void)
{
	int ends[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
	return ends[0];
}

static int queue(void)
{
	int fd;

	mq_unlink("/kinds");
	fd = mq_open("/kinds", O_CREAT | O_RDWR | O_NONBLOCK, 0600, NULL);
	mq_unlink("/kinds");
	return fd;
}

static int null(void) { return open("/dev/null", O_RDWR); }
static int zero(void) { return open("/dev/zero", O_RDWR); }
static int dir(void) { return open("/tmp", O_RDONLY); }
static int stat_file(void) { return open("/proc/self/stat", O_RDONLY); }
static int mounts(void) { return open("/proc/self/mounts", O_RDONLY); }
static int proc_dir(void) { return open("/proc/self", O_RDONLY); }
static int sys_dir(void) { return open("/sys/kernel", O_RDONLY); }
static int namespace(void) { return open("/proc/self/ns/mnt", O_RDONLY); }
static int file(void) { return open(name, O_RDWR); }
static int read_only(void) { return open(name, O_RDONLY); }

static const struct {
	const char *name;
	int (*open)(void);
	/* Others have positions that depend on what is there; whether it is nobody else's. */
	int one_place, reads, own;
} kinds[] = {
	{ "event", event, 1, 0, 1 },
	{ "timer", timer, 1, 0, 1 },
	{ "signals", signals, 1, 1, 1 },
	{ "poller", poller, 1, 1, 1 },
	{ "watcher", watcher, 1, 1, 1 },
	{ "pipe out", pipe_out, 1, 0, 0 },
	{ "pipe in", pipe_in, 1, 0, 0 },
	{ "stream", stream, 1, 0, 0 },
	{ "queue", queue, 0, 1, 1 },
	{ "null", null, 1, 1, 0 },
	{ "zero", zero, 1, 0, 0 },
	{ "dir", dir, 0, 1, 0 },
	{ "stat", stat_file, 0, 0, 0 },
	{ "mounts", mounts, 0, 0, 0 },
	{ "proc dir", proc_dir, 0, 1, 0 },
	{ "sys dir", sys_dir, 0, 1, 0 },
	{ "namespace", namespace, 1, 1, 0 },
	{ "file", file, 0, 0, 1 },
	{ "read only", read_only, 0, 0, 0 },
};

static void places(int fd)
{
	R(lseek(fd, 0, SEEK_CUR));
	R(lseek(fd, 1, SEEK_SET));
	R(lseek(fd, -1, SEEK_SET));
	R(lseek(fd, 0, SEEK_END));
	R(lseek(fd, 0, 99));
}

static void flags(int fd)
{
	static const int wanted[] = { O_APPEND, O_NONBLOCK | O_DIRECT, O_NONBLOCK | O_ASYNC, O_NONBLOCK | O_NOATIME };
	int on = 1, off = 0;

	R(ioctl(fd, FIOASYNC, &on));
	R(ioctl(fd, FIOASYNC, &off));
	for (int i = 0; i < 4; i++) {
		R(fcntl(fd, F_SETFL, wanted[i]));
		say("flags %x\n", fcntl(fd, F_GETFL));
	}
}

static void rights(int fd)
{
	R(fchmod(fd, 0600));
	R(fchown(fd, 0, 0));
	R(futimens(fd, NULL));
	R(faccessat(fd, "", R_OK, AT_EMPTY_PATH));
}

static void sizes(int fd)
{
	struct stat is;

	MUST(fstat(fd, &is));
	say("%ld at once\n", (long)is.st_blksize);
}

static void hints(int fd)
{
	uint64_t hint = 77;

	R(fcntl(fd, F_GET_HINT, &hint));
	for (hint = 0; hint < 8; hint++)
		R(fcntl(fd, F_SET_HINT, &hint));
	R(fcntl(fd, F_GET_HINT, &hint));
	say("hint %d\n", (int)hint);
	R(fcntl(fd, F_SET_HINT, NULL));
}

static void into_pipe(int fd)
{
	int ends[2];
	loff_t at = 0;

	MUST(pipe2(ends, O_NONBLOCK));
	R(splice(fd, NULL, ends[1], NULL, 2, SPLICE_F_NONBLOCK));
	R(splice(fd, &at, ends[1], NULL, 2, SPLICE_F_NONBLOCK));
	R(splice(ends[0], &at, fd, NULL, 2, SPLICE_F_NONBLOCK));
	R(sendfile(ends[1], fd, NULL, 2));
	close(ends[0]);
	close(ends[1]);
}

static void all(void)
{
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int fd = kinds[i].open();
		struct pollfd poll_fd = { fd, POLLIN | POLLOUT, 0 };

		say("== %s: %s\n", kinds[i].name, fd < 0 ? errno_name(errno) : "open");
		if (fd < 0)
			continue;
		if (kinds[i].one_place)
			places(fd);
		flags(fd);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		if (kinds[i].own)
			rights(fd);
		sizes(fd);
		/* Files without a name are one to the host. */
		if (kinds[i].own && !kinds[i].one_place)
			hints(fd);
		if (kinds[i].reads)
			into_pipe(fd);
		poll(&poll_fd, 1, 0);
		say("poll %x\n", poll_fd.revents);
		close(fd);
	}
}

static void opened_directly(void)
{
	static const char *const names[] = { "/dev/null", "/dev/zero", "/tmp", "/proc/self/stat", "/proc/self", "/sys", name };

	for (int i = 0; i < 7; i++)
		T(open(names[i], O_RDONLY | O_DIRECT));
	T(open("/dev/null", O_RDWR | O_CREAT | O_DIRECT, 0600));
	T(open("/dev/null", O_PATH | O_DIRECT));
	T(open("/tmp", O_TMPFILE | O_RDWR | O_DIRECT, 0600));
}

/* The hint is the file's, whoever has it open. */
static void hints_last(void)
{
	uint64_t hint = 4;
	int fd = MUST(open(name, O_RDWR));

	R(fcntl(fd, F_SET_HINT, &hint));
	close(fd);
	fd = MUST(open(name, O_RDONLY));
	hint = 0;
	R(fcntl(fd, F_GET_HINT, &hint));
	say("hint %d\n", (int)hint);
	close(fd);
}

/* A lease has an owner, who goes with it. */
static void lease_owner(void)
{
	int fd = MUST(open(name, O_RDONLY));

	R(fcntl(fd, F_SETLEASE, F_RDLCK));
	R(fcntl(fd, F_GETOWN) == getpid());
	R(fcntl(fd, F_SETLEASE, F_UNLCK));
	R(fcntl(fd, F_GETOWN));
	close(fd);
}

int main(void)
{
	signal(SIGIO, SIG_IGN);
	close(MUST(mkstemp(name)));
	in_child("kinds", all);
	in_child("directly", opened_directly);
	in_child("hints", hints_last);
	in_child("lease", lease_owner);
	unlink(name);
	return 0;
}
