/*
 * clone3(2): CLONE_CLEAR_SIGHAND, set_tid, CLONE_PIDFD without a descriptor to be had, and what is refused.
 * test: needs root
 */
#include "../check.h"
#include <dirent.h>
#include <linux/sched.h>
#include <sys/resource.h>

static long clone3(struct clone_args *args, size_t size)
{
	fflush(stdout);
	return syscall(SYS_clone3, args, size);
}

static void handler(int signal)
{
	(void)signal;
}

static const char *disposition(int signal)
{
	struct sigaction now;

	sigaction(signal, NULL, &now);
	return now.sa_handler == SIG_DFL ? "default" : now.sa_handler == SIG_IGN ? "ignored" : "caught";
}

static void clears(unsigned long flags)
{
	struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
	long pid;

	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	pid = clone3(&args, sizeof args);
	if (pid == 0) {
		say("%s %s %s\n", disposition(SIGUSR1), disposition(SIGUSR2), disposition(SIGTERM));
		_exit(0);
	}
	if (pid < 0)
		say("%s\n", errno_name(errno));
	else
		waitpid(pid, NULL, 0);
	say("%s %s\n", disposition(SIGUSR1), disposition(SIGUSR2));
}

/* Others may have the number: then one below it, down to `least`. */
static void wants_from(long tid, long least, int count, int with_pointer)
{
	pid_t tids[4];
	struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = with_pointer ? (uintptr_t)tids : 0, .set_tid_size = count};
	long pid;

	for (;; tid--) {
		for (int i = 0; i < 4; i++)
			tids[i] = tid;
		pid = clone3(&args, sizeof args);
		if (pid >= 0 || errno != EEXIST || tid == least)
			break;
	}
	if (pid == 0)
		_exit(getpid() == tid);
	if (pid < 0) {
		say("%s\n", errno_name(errno));
		return;
	}
	int status;
	waitpid(pid, &status, 0);
	say("as wanted: %d %d\n", pid == tid, WEXITSTATUS(status));
}

static void wants(long tid, int count, int with_pointer)
{
	wants_from(tid, tid, count, with_pointer);
}

static void without_right(void)
{
	MUST(setuid(65534));
	wants(31234, 1, 1);
}

static int is_listed(pid_t pid)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int found = 0;

	while ((entry = readdir(dir)))
		found |= atoi(entry->d_name) == pid;
	closedir(dir);
	return found;
}

/* One goes and another comes, with a number that is not the next one. */
static void lists_them(void)
{
	pid_t tid = 31000, old = MUST(fork()), new;
	struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid, .set_tid_size = 1};

	if (old == 0)
		for (;;)
			pause();
	R(is_listed(old));
	kill(old, SIGKILL);
	waitpid(old, NULL, 0);
	while ((new = clone3(&args, sizeof args)) < 0 && errno == EEXIST)
		tid--;
	if (new == 0)
		for (;;)
			pause();
	R(is_listed(old));
	R(is_listed(new));
	kill(new, SIGKILL);
	waitpid(new, NULL, 0);
	R(is_listed(new));
}

/* There is no child then. */
static void without_descriptor(void)
{
	int pidfd = -1;
	struct clone_args args = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD, .pidfd = (uintptr_t)&pidfd};
	struct rlimit few = {8, 8};
	long pid;

	MUST(setrlimit(RLIMIT_NOFILE, &few));
	while (dup(0) >= 0)
		;
	pid = clone3(&args, sizeof args);
	if (pid == 0)
		_exit(0);
	say("%s, pidfd %d\n", pid < 0 ? errno_name(errno) : "a child", pidfd);
	R(waitpid(-1, NULL, 0));
}

int main(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};

	clears(0);
	clears(CLONE_CLEAR_SIGHAND);
	clears(CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM);
	args.flags = 1ull << 40;
	R(clone3(&args, sizeof args));
	args.flags = 0;
	R(clone3(&args, 63));
	R(clone3(&args, 5000));
	R(clone3((void *)8, sizeof args));
	wants_from(31234, 30000, 1, 1);
	wants_from(31233, 30000, 1, 1);
	wants(31233, 0, 1);
	wants(31233, 1, 0);
	wants(getpid(), 1, 1);
	wants(0, 1, 1);
	wants(-5, 1, 1);
	wants(1 << 30, 1, 1);
	wants(31234, 33, 1);
	in_child("listings", lists_them);
	in_child("without the right", without_right);
	in_child("without a descriptor", without_descriptor);
	return 0;
}
