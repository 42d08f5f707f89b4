/* A mount namespace of the test's own: what it mounts is nobody else's. */
#ifndef OWN_MOUNTS_H
#define OWN_MOUNTS_H

#include "../check.h"
#include <sys/mount.h>

/* Leaves the namespace for a copy, from which nothing gets out; -1 if we may not. */
static inline int leave_mounts(void)
{
	return unshare(CLONE_NEWNS) == -1 ? -1 : mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* The same for a program that is nothing without: it ends as one that the host cannot run. */
static inline void own_mounts(void)
{
	if (leave_mounts() == -1) {
		puts("may not unshare");
		exit(77);
	}
}

/* And goes to a fresh tmpfs there, where everybody may write. */
static inline void own_tmpfs(void)
{
	own_mounts();
	MUST(mkdir("t", 0777));
	MUST(mount("none", "t", "tmpfs", 0, NULL));
	MUST(chdir("t"));
	MUST(chmod(".", 0777));
}

#endif
