/*
 * A program's own numbers and its parent's: after fork, vfork and execve, in a second thread and after one is gone, and of a
 * child that asks over and over while its parent dies.
 */
#define _GNU_SOURCE
#include "../check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static pid_t father;

static void same(const char *when, pid_t pid, pid_t parent)
{
	say("%s: pid %d tid %d parent %d\n", when, getpid() == pid, (pid_t)syscall(SYS_gettid) == pid, getppid() == parent);
}

static void *other_thread(void *self)
{
	say("thread: pid %d tid %d parent %d\n", getpid() == *(pid_t *)self, (pid_t)syscall(SYS_gettid) == getpid(),
	    getppid() == father);
	return NULL;
}

static void in_threads(void)
{
	pid_t self = getpid();
	pthread_t thread;

	pthread_create(&thread, NULL, other_thread, &self);
	pthread_join(thread, NULL);
	same("after a thread", self, father);
}

/* Says that it knows its parent, then waits until that is another. */
static void outlives(int to)
{
	pid_t first = getppid();

	MUST(write(to, "x", 1));
	while (getppid() == first)
		;
	say("orphan: parent is the reaper %d\n", getppid() == father);
}

/* We are the reaper of those whose parents die; the orphan computes all the while. */
static void orphaned(void)
{
	int pipes[2], status;
	pid_t middle;
	char c;

	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	MUST(pipe(pipes));
	father = getpid();
	middle = fork();
	if (middle == 0) {
		pid_t child = fork();

		if (child == 0) {
			outlives(pipes[1]);
			fflush(stdout);
			_exit(3);
		}
		MUST(read(pipes[0], &c, 1));
		_exit(0);
	}
	MUST(waitpid(middle, NULL, 0));
	MUST(wait(&status));
	say("orphan ended with %d\n", WEXITSTATUS(status));
}

static void after_vfork(void)
{
	pid_t self = getpid(), child = vfork();

	if (child == 0)
		_exit(getppid() == self && getpid() != self ? 4 : 5);
	int status;

	MUST(waitpid(child, &status, 0));
	say("vfork: %d\n", WEXITSTATUS(status));
	same("after vfork", self, father);
}

/* execve by a thread that is not the first takes the first one's number. */
static void *executes(void *name)
{
	char parent[16];

	snprintf(parent, sizeof(parent), "%d", getppid());
	execl("/proc/self/exe", name, parent, NULL);
	return NULL;
}

int main(int argc, char **argv)
{
	pid_t self, child;
	pthread_t thread;

	if (argc > 1) {
		say("executed: tid %d parent %d\n", (pid_t)syscall(SYS_gettid) == getpid(), getppid() == atoi(argv[1]));
		return 0;
	}
	self = getpid();
	father = getppid();
	same("at first", self, father);
	in_threads();
	after_vfork();
	fflush(stdout);
	child = fork();
	if (child == 0) {
		father = self;
		same("forked", getpid(), self);
		say("child is another: %d\n", getpid() != self);
		in_threads();
		fflush(stdout);
		_exit(0);
	}
	MUST(waitpid(child, NULL, 0));
	in_child("orphan", orphaned);
	fflush(stdout);
	pthread_create(&thread, NULL, executes, argv[0]);
	pthread_join(thread, NULL);
	return 1;
}
