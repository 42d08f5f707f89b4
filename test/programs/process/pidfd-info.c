/* PIDFD_GET_INFO (linux/pidfd.h): what a pidfd tells of its process, before and after its end. */
#include "../check.h"
#include <sys/ioctl.h>

struct info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit;
	uint32_t dump, rest[5];
};

#define REQUEST(size) _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, size)

static void ask(int fd, pid_t pid, int size, unsigned mask)
{
	struct info info;
	int result;

	memset(&info, 0xee, sizeof info);
	info.mask = mask;
	result = ioctl(fd, REQUEST(size), &info);
	if (result == -1) {
		say("%d %x: %s\n", size, mask, errno_name(errno));
		return;
	}
	say("%d %x: mask %lx exit %x dump %x %x", size, mask, (long)info.mask, info.exit, info.dump, info.rest[0]);
	if (info.mask & 1)
		say(" pid %d %d parent %d ids %d %d %d %d", info.pid == pid, info.tgid == pid,
		    info.ppid == getpid(), info.ruid == getuid(), info.egid == getegid(), info.suid == geteuid(),
		    info.fsgid == getegid());
	say("\n");
}

static void all(int fd, pid_t pid)
{
	ask(fd, pid, 64, 0);
	ask(fd, pid, 72, 8);
	ask(fd, pid, 72, 16);
	ask(fd, pid, 88, 7);
}

static void ended(const char *how, int signal)
{
	siginfo_t info;
	pid_t pid = MUST(fork());
	int fd;

	if (pid == 0) {
		if (signal == 0)
			_exit(3);
		for (;;)
			pause();
	}
	fd = MUST(syscall(SYS_pidfd_open, pid, 0));
	if (signal != 0) {
		say("%s\n", how);
		all(fd, pid);
		kill(pid, signal);
	}
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	say("%s, a zombie\n", how);
	all(fd, pid);
	R(syscall(SYS_process_mrelease, fd, 0));
	waitid(P_PID, pid, &info, WEXITED);
	say("%s, waited for\n", how);
	all(fd, pid);
	close(fd);
}

int main(void)
{
	int fd = MUST(syscall(SYS_pidfd_open, getpid(), 0));
	struct info info = {0};

	if (ioctl(fd, REQUEST(72), &info) == -1 && errno == ENOTTY) {
		puts("the host has no PIDFD_GET_INFO");
		return 77;
	}
	R(ioctl(fd, REQUEST(64), NULL));
	R(ioctl(fd, REQUEST(64), 8));
	R(ioctl(fd, REQUEST(60), &info));
	R(ioctl(fd, REQUEST(0), &info));
	R(ioctl(fd, _IOC(_IOC_READ, 0xff, 11, 64), &info));
	R(ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 0xfe, 11, 64), &info));
	R(syscall(SYS_process_mrelease, fd, 0));
	R(syscall(SYS_process_mrelease, fd, 1));
	R(syscall(SYS_process_mrelease, 0, 0));
	R(syscall(SYS_process_mrelease, -1, 0));
	ended("killed", SIGKILL);
	ended("exited", 0);
	return 0;
}
