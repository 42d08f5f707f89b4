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
	return 0;
}
