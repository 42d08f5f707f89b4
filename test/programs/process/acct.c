/*
 * Process accounting: acct(2). It is a PID namespace's, so the host's own is left alone; a machine has only one.
 * test: needs root
 */
#include "../check.h"
#include <sys/acct.h>
#include <sys/prctl.h>

static int out;

static double count(comp_t packed)
{
	return (double)(packed & 0x1fff) * (1 << 3 * (packed >> 13));
}

/* The record of a process. */
static void show(const char *what, pid_t pid)
{
	struct acct_v3 a;
	double life;

	for (off_t at = 0; pread(out, &a, sizeof a, at) == sizeof a; at += sizeof a) {
		if (a.ac_pid != (unsigned)pid)
			continue;
		life = (double)(time(NULL) - (time_t)a.ac_btime);
		say("%s: flags %x version %d tty %d status %x uid %d gid %d parent %d '%s' began %s lived %s used %s size %s\n", what,
		    a.ac_flag & ~ASU, a.ac_version, a.ac_tty != 0, a.ac_exitcode, (int)a.ac_uid, (int)a.ac_gid,
		    a.ac_ppid == (unsigned)getpid(), a.ac_comm, life >= -1 && life < 100 ? "now" : "?",
		    a.ac_etime < 5000 ? "shortly" : "long", count(a.ac_utime) + count(a.ac_stime) < 3000 ? "little" : "much",
		    count(a.ac_mem) > 100 && count(a.ac_mem) < 1e6 ? "some" : "?");
		return;
	}
	say("%s: no record\n", what);
}

static void child(const char *what, void (*run)(void))
{
	int status;
	pid_t pid = MUST(fork());

	if (pid == 0) {
		run();
		_exit(3);
	}
	waitpid(pid, &status, 0);
	show(what, pid);
}

static void ends(void)
{
}

static void is_killed(void)
{
	raise(SIGTERM);
}

static void executes(void)
{
	execlp("sh", "sh", "-c", "exit 5", NULL);
}

static void is_another(void)
{
	MUST(setresgid(54322, 54322, 54322));
	MUST(setresuid(54321, 54321, 54321));
	prctl(PR_SET_NAME, "renamed");
	R(acct(NULL));
	R(acct("out"));
}

int main(void)
{
	char path[5000];

	memset(path, 'a', sizeof path - 1);
	path[sizeof path - 1] = 0;
	out = MUST(open("out", O_RDWR | O_CREAT, 0600));
	if (unshare(CLONE_NEWPID) == -1 && errno != EINVAL)
		return 77;
	pid_t pid = MUST(fork());
	if (pid != 0) {
		int status;

		waitpid(pid, &status, 0);
		return WEXITSTATUS(status);
	}
	R(acct("."));
	R(acct("/dev/null"));
	R(acct("nothing"));
	R(acct("out/"));
	R(acct(""));
	R(acct(path));
	R(acct((char *)8));
	R(acct("/proc/self/comm"));
	if (acct("out") == -1 && errno == ENOSYS)
		return 77;
	R(acct("out"));
	child("ends", ends);
	child("killed", is_killed);
	child("executes", executes);
	child("another", is_another);
	R(acct(NULL));
	child("off", ends);
	R(acct(NULL));
	return 0;
}
