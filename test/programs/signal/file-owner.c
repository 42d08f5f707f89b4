/* Whom a file's signals go to (fcntl(2), F_SETOWN and F_SETOWN_EX): threads, processes and groups, and those that have gone. */
#include "../check.h"

static int ends[2];

static volatile sig_atomic_t heard;

static void hear(int signal)
{
	(void)signal;
	heard++;
}

/* F_GETOWN itself, which glibc does not call: a group with a small number would be an error there. */
static int same(const struct f_owner_ex *owner)
{
	return owner->type == F_OWNER_PGRP || syscall(SYS_fcntl, ends[0], F_GETOWN) == owner->pid;
}

static void show(const char *what, pid_t of)
{
	struct f_owner_ex owner = {-1, -1};

	MUST(fcntl(ends[0], F_GETOWN_EX, &owner));
	say("%s: type %d, he %d, nobody %d, alike %d\n", what, owner.type, owner.pid == of, owner.pid == 0,
	    same(&owner));
}

static void news(const char *what)
{
	heard = 0;
	MUST(write(ends[1], "x", 1));
	say("%s: heard %d\n", what, heard);
}

static pid_t leader_of_a_group(void)
{
	pid_t pid = MUST(fork());

	if (pid == 0)
		for (;;)
			pause();
	MUST(setpgid(pid, pid));
	return pid;
}

int main(void)
{
	struct f_owner_ex thread = {F_OWNER_TID, getpid()};
	pid_t pid = leader_of_a_group();
	siginfo_t info;

	MUST(pipe(ends));
	signal(SIGIO, hear);
	MUST(fcntl(ends[0], F_SETFL, O_ASYNC));
	show("at first", 0);
	R(fcntl(ends[0], F_SETOWN_EX, &thread));
	show("a thread", getpid());
	news("a thread");
	R(fcntl(ends[0], F_SETOWN, getpid()));
	show("a process", getpid());
	news("a process");
	R(fcntl(ends[0], F_SETOWN, -getpgrp()) == 0);
	show("the own group", getpgrp());
	news("the own group");
	R(fcntl(ends[0], F_SETOWN, pid));
	show("a child", pid);
	MUST(kill(pid, SIGSTOP));
	MUST(waitid(P_PID, pid, &info, WSTOPPED));
	news("a child that stands still");
	R(fcntl(ends[0], F_SETOWN, -pid) == 0);
	show("a group", pid);
	MUST(kill(pid, SIGKILL));
	MUST(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	show("a group of one that is dead", pid);
	MUST(waitpid(pid, NULL, 0));
	show("no group any more", pid);
	news("no group any more");
	R(fcntl(ends[0], F_SETOWN, -pid) == -1 && errno == ESRCH);
	R(fcntl(ends[0], F_SETOWN, 0));
	news("nobody");
	return 0;
}
