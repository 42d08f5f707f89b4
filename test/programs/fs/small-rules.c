/* Rules that few programs meet: what tells watchers and times of a change, and who hears of a broken connection. */
#include "../check.h"
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#define F_DUPFD_QUERY_ 1027
#define AT_STATX_FORCE_SYNC_ 0x2000

static int watch;
static struct stat before;
static const char *watched = "";

static void events(const char *what)
{
	char bytes[4096];
	long size = read(watch, bytes, sizeof(bytes));

	printf("%s:", what);
	for (long at = 0; at < size;) {
		struct inotify_event *event = (void *)(bytes + at);

		printf(" %#x %s", event->mask, event->len ? event->name : "-");
		at += (long)sizeof(*event) + event->len;
	}
	say("\n");
}

static void times(const char *what)
{
	struct stat now;

	MUST(stat(watched, &now));
	say("%s: mtime %s, ctime %s\n", what,
	    memcmp(&before.st_mtim, &now.st_mtim, sizeof(now.st_mtim)) ? "new" : "old",
	    memcmp(&before.st_ctim, &now.st_ctim, sizeof(now.st_ctim)) ? "new" : "old");
	before = now;
	usleep(20000);
}

static void watching(int fd)
{
	struct timespec omitted = { 0, UTIME_OMIT }, some = { 7, 0 };

	watch = MUST(inotify_init1(IN_NONBLOCK));
	MUST(inotify_add_watch(watch, ".", IN_ALL_EVENTS));
	close(MUST(open("a", O_PATH)));
	events("O_PATH");
	MUST(chown("a", -1, -1));
	events("chown to nobody else");
	MUST(utimensat(AT_FDCWD, "a", (struct timespec[]){ some, omitted }, 0));
	events("atime alone");
	MUST(utimensat(AT_FDCWD, "a", (struct timespec[]){ omitted, some }, 0));
	events("mtime alone");
	MUST(utimensat(AT_FDCWD, "a", (struct timespec[]){ some, some }, 0));
	events("both");
	MUST(utimensat(AT_FDCWD, "a", (struct timespec[]){ omitted, omitted }, 0));
	events("neither");
	MUST(fchmod(fd, 0640));
	events("fchmod");
	MUST(truncate("a", 100));
	events("truncate");
	MUST(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", 2));
	events("exchange");
	MUST(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", 2));
	events("and back");
	close(watch);
}

static void changing(int fd)
{
	watched = "a";
	MUST(stat(watched, &before));
	usleep(20000);
	MUST(truncate("a", 100));
	times("truncate to the same size");
	MUST(ftruncate(fd, 100));
	times("ftruncate to the same size");
	MUST(fallocate(fd, 0, 0, 10000));
	times("fallocate");
	MUST(fallocate(fd, 1, 20000, 10000));
	times("fallocate behind the end");
	close(MUST(open("a", O_WRONLY | O_TRUNC)));
	times("O_TRUNC");
}

static void asking(int fd)
{
	int copy = MUST(dup(fd)), other = MUST(open("a", O_RDONLY)), place = MUST(open("a", O_PATH));
	struct iovec three = { "xyz", 3 };
	struct stat status;

	R(fcntl(fd, F_DUPFD_QUERY_, copy));
	R(fcntl(fd, F_DUPFD_QUERY_, other));
	R(fcntl(place, F_DUPFD_QUERY_, place));
	R(fcntl(fd, F_DUPFD_QUERY_, 999));
	R(fstatat(AT_FDCWD, "a", &status, AT_STATX_FORCE_SYNC_));
	MUST(ftruncate(fd, 0));
	R(write(fd, "12345", 5));
	R(lseek(fd, 1, SEEK_SET));
	R(pwritev2(fd, &three, 1, 0, RWF_APPEND));
	R(lseek(fd, 0, SEEK_CUR));
	R(pwritev2(fd, &three, 1, -1, RWF_APPEND));
	R(lseek(fd, 0, SEEK_CUR));
	R(linkat(AT_FDCWD, "a", AT_FDCWD, "b", AT_EMPTY_PATH));
}

static void nobody(void)
{
	if (geteuid() == 0) {
		MUST(setresgid(1000, 1000, 1000));
		MUST(setresuid(1000, 1000, 1000));
	}
	MUST(chdir("all"));
	R(mknod("null", S_IFCHR | 0600, makedev(1, 3)));
	R(mknod("block", S_IFBLK | 0600, 0));
	R(mkfifo("fifo", 0600));
	R(linkat(AT_FDCWD, "fifo", AT_FDCWD, "fifo", AT_EMPTY_PATH));
}

static void on_pipe_signal(int signal)
{
	(void)signal;
	say("SIGPIPE\n");
}

static void breaking(int type, const char *name)
{
	int pair[2];

	say("%s\n", name);
	MUST(socketpair(AF_UNIX, type, 0, pair));
	MUST(shutdown(pair[0], SHUT_WR));
	R(write(pair[0], "x", 1));
	R(writev(pair[0], (struct iovec[]){ { "x", 1 }, { "y", 1 } }, 2));
	R(send(pair[0], "x", 1, 0));
	MUST(shutdown(pair[0], SHUT_RD));
	R(write(pair[1], "x", 1));
	R(send(pair[1], "x", 1, MSG_NOSIGNAL));
	close(pair[0]);
	T(write(pair[1], "x", 1));
	close(pair[1]);
}

/* tmpfs, whatever the test's own folder is on. */
static void unnamed_and_sealed(void)
{
	char name[] = "/dev/shm/rulesXXXXXX";
	int fd = MUST(mkstemp(name));

	R(fcntl(fd, F_GET_SEALS));
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	close(fd);
	unlink(name);
	fd = MUST(open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
	R(fcntl(fd, F_GETFL));
	close(fd);
}

int main(void)
{
	int fd = MUST(open("a", O_RDWR | O_CREAT, 0600));

	close(MUST(open("b", O_RDWR | O_CREAT, 0600)));
	MUST(mkdir("all", 0777));
	MUST(chmod("all", 0777));
	MUST(chmod(".", 0755));
	watching(fd);
	changing(fd);
	asking(fd);
	unnamed_and_sealed();
	in_child("nobody", nobody);
	signal(SIGPIPE, on_pipe_signal);
	breaking(SOCK_STREAM, "stream");
	breaking(SOCK_DGRAM, "datagrams");
	breaking(SOCK_SEQPACKET, "packets");
	return 0;
}
