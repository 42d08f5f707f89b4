/* test: needs root */
/* PR_SET_PDEATHSIG: the signal comes from the parent, as by kill(2): whom that may not signal does not hear of it. */
#include "../check.h"
#include <linux/capability.h>
#include <sys/prctl.h>

static void orphan(const char *what, pid_t parent, int ready, int done)
{
	struct timespec second = {1, 0};
	sigset_t set;
	siginfo_t info;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	MUST(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	MUST(write(ready, "x", 1));
	if (sigtimedwait(&set, &info, &second) < 0)
		say("%s: %s\n", what, errno_name(errno));
	else
		say("%s: code %d, from the parent %d, uid %d\n", what, info.si_code, info.si_pid == parent, info.si_uid);
	MUST(write(done, "x", 1));
	_exit(0);
}

/* The parent ends as user `uid`, the child has the rights that it was born with. */
static void try(const char *what, int uid)
{
	int ready[2], done[2];
	pid_t pid, parent;
	char byte;

	MUST(pipe(ready));
	MUST(pipe(done));
	pid = MUST(fork());
	if (pid == 0) {
		parent = getpid();
		if (MUST(fork()) == 0)
			orphan(what, parent, ready[1], done[1]);
		MUST(read(ready[0], &byte, 1));
		MUST(setresuid(uid, uid, uid));
		_exit(0);
	}
	MUST(read(done[0], &byte, 1));
	MUST(waitpid(pid, NULL, 0));
}

/* Root without capabilities gets them all by execve(2), and forgets whom he hears of. */
static void with_more_rights(char *self)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	MUST(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	MUST(syscall(SYS_capset, &header, none));
	MUST(execl(self, self, "--told", NULL));
}

static int told(void)
{
	int signal;

	MUST(prctl(PR_GET_PDEATHSIG, &signal));
	say("with more rights: signal %d, dumpable %d\n", signal, prctl(PR_GET_DUMPABLE));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return told();
	try("of one's own user", 0);
	try("of another user", 2001);
	MUST(setresuid(-1, 2002, -1));
	MUST(setresuid(2002, 0, 0));
	try("of a user who is root in effect", 0);
	MUST(setresuid(0, 0, 0));
	with_more_rights(argv[0]);
	return 1;
}
