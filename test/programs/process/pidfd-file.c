/*
 * What kind of file a pidfd is: one for each process (pidfs, since Linux 6.9), which its owner, root, can open anew.
 * test: needs root
 */
#include "../check.h"
#include <sys/statfs.h>

#define PIDFS 0x50494446

static int opened(pid_t pid)
{
	return (int)MUST(syscall(SYS_pidfd_open, pid, 0));
}

static struct stat attributes(int fd)
{
	struct stat s;

	MUST(fstat(fd, &s));
	return s;
}

static void compare(const char *what, int a, int b)
{
	struct stat s = attributes(a), t = attributes(b);

	say("%s: same file %d, same filesystem %d\n", what, s.st_ino == t.st_ino, s.st_dev == t.st_dev);
}

static void show(int fd)
{
	struct stat s = attributes(fd);

	say("mode %o, %ld links, of %d, %ld bytes\n", s.st_mode, (long)s.st_nlink, (int)s.st_uid, (long)s.st_size);
}

int main(void)
{
	int self = opened(getpid()), again = opened(getpid()), child, anew, status;
	char name[64], target[64] = "";
	struct statfs fs;
	pid_t pid;

	MUST(fstatfs(self, &fs));
	if (fs.f_type != PIDFS) {
		puts("the host has no pidfs");
		return 77;
	}
	pid = MUST(fork());
	if (pid == 0)
		for (;;)
			pause();
	child = opened(pid);
	compare("twice", self, again);
	compare("of two processes", self, child);
	show(self);
	R(fchmod(self, 0600));
	R(fchown(self, 1, 1));
	R(lseek(self, 0, SEEK_CUR));
	R(fcntl(self, F_GETFL));
	snprintf(name, sizeof name, "/proc/self/fd/%d", child);
	MUST(readlink(name, target, sizeof target - 1));
	say("%s\n", target);
	anew = MUST(open(name, O_RDONLY));
	R(fcntl(anew, F_GETFL) & O_ACCMODE);
	compare("opened anew", child, anew);
	R(syscall(SYS_pidfd_send_signal, anew, SIGKILL, NULL, 0));
	MUST(waitpid(pid, &status, 0));
	say_status("the child", status);
	show(child);
	compare("after its end", child, anew);
	return 0;
}
