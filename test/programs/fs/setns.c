/*
 * setns(2) between namespaces of mounts, by their files and by pidfds.
 * test: needs root
 */
#include "own-mounts.h"

static int where(const char *what)
{
	return MUST(open(what, O_RDONLY));
}

static int is_inside(void)
{
	char path[300];

	snprintf(path, sizeof path, "%s/at/inside", getenv("PWD"));
	return access(path, F_OK) == 0;
}

int main(void)
{
	char cwd[200], in[220];
	int first, second, fd, status, ready[2], done[2];
	char c;
	pid_t pid;

	MUST(getcwd(cwd, sizeof cwd) != NULL ? 0 : -1);
	setenv("PWD", cwd, 1);
	MUST(mkdir("at", 0700));
	first = where("/proc/self/ns/mnt");
	MUST(pipe(ready));
	MUST(pipe(done));
	pid = MUST(fork());
	if (pid == 0) {
		if (leave_mounts() == -1 || mount("none", "at", "tmpfs", 0, NULL) == -1)
			_exit(77);
		close(MUST(open("at/inside", O_CREAT | O_WRONLY, 0600)));
		MUST(write(ready[1], "x", 1));
		close(done[1]);
		read(done[0], &c, 1);
		_exit(is_inside() ? 3 : 4);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1) {
		puts("may not unshare");
		return 77;
	}
	snprintf(in, sizeof in, "/proc/%d/ns/mnt", pid);
	second = where(in);
	R(is_inside());
	R(setns(-1, 0));
	R(setns(ready[0], 0));
	R(setns(second, CLONE_NEWUTS));
	R(setns(second, CLONE_NEWNS | CLONE_NEWUTS));
	R(setns(second, CLONE_NEWNS));
	R(is_inside());
	R(strcmp(getcwd(in, sizeof in), "/"));
	R(setns(first, 0));
	R(is_inside());
	R(access("at", F_OK));
	R(chdir(cwd));
	R(is_inside());
	fd = MUST(syscall(SYS_pidfd_open, pid, 0));
	R(setns(fd, 0));
	R(setns(fd, 1 << 30 | 1));
	R(setns(fd, CLONE_NEWNS | CLONE_NEWUTS));
	R(is_inside());
	R(setns(first, 0));
	for (int i = 0; i < 2; i++) {
		static const char *const own[] = {"/proc/self/ns/uts", "/proc/self/ns/user"};

		R(setns(where(own[i]), 0));
	}
	close(done[1]);
	MUST(waitpid(pid, &status, 0));
	say_status("child", status);
	/* Its file keeps the namespace. */
	R(setns(second, CLONE_NEWNS));
	R(is_inside());
	R(setns(first, 0));
	R(setns(fd, CLONE_NEWNS));
	pid = MUST(fork());
	if (pid == 0) {
		MUST(setuid(65534));
		R(setns(second, 0));
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	return 0;
}
