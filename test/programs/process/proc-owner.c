/* Whose the files of /proc/PID are: the process's user's, or root's where that user may not look into it. */
#include "../check.h"
#include <sys/prctl.h>

#define SOMEBODY 12345

static void whose(const char *name)
{
	struct stat seen;
	char path[64];

	snprintf(path, sizeof path, "/proc/self/%s", name);
	MUST(lstat(path, &seen));
	say("%s %o: %s, %s\n", name, seen.st_mode, seen.st_uid == geteuid() ? "ours" : seen.st_uid == 0 ? "root's" : "?",
	    seen.st_gid == getegid() ? "ours" : seen.st_gid == 0 ? "root's" : "?");
}

static void all(const char *when)
{
	static const char *const names[] = { ".", "task", "net", "fdinfo", "fd", "ns", "status", "maps", "exe", "cwd" };

	say("%s\n", when);
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		whose(names[i]);
}

/* What others may see belongs to the memory: fork copies it, vfork shares it. */
static void children(void)
{
	int status, ready[2], hold[2];
	char path[64], byte;
	pid_t child;

	MUST(pipe(ready));
	MUST(pipe(hold));
	MUST(prctl(PR_SET_DUMPABLE, 0));
	if ((child = MUST(fork())) == 0) {
		close(hold[1]);
		say("forked: dumpable %d\n", prctl(PR_GET_DUMPABLE));
		all("the child of one not to be looked into");
		write(ready[1], "x", 1);
		read(hold[0], &byte, 1);
		_exit(0);
	}
	read(ready[0], &byte, 1);
	MUST(prctl(PR_SET_DUMPABLE, 1));
	snprintf(path, sizeof path, "/proc/%d/maps", child);
	R(open(path, O_RDONLY) < 0);
	snprintf(path, sizeof path, "/proc/%d/exe", child);
	R(readlink(path, path, sizeof path) < 0);
	close(hold[1]);
	waitpid(child, &status, 0);
	if ((child = MUST(vfork())) == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		_exit(0);
	}
	waitpid(child, &status, 0);
	say("after vfork: dumpable %d\n", prctl(PR_GET_DUMPABLE));
	MUST(prctl(PR_SET_DUMPABLE, 1));
}

int main(void)
{
	all("at first");
	if (geteuid() == 0) {
		MUST(setresgid(SOMEBODY, SOMEBODY, SOMEBODY));
		MUST(setresuid(SOMEBODY, SOMEBODY, SOMEBODY));
	}
	MUST(prctl(PR_SET_DUMPABLE, 0));
	all("not to be looked into");
	MUST(prctl(PR_SET_DUMPABLE, 1));
	all("to be looked into");
	children();
	return 0;
}
