/* The place of tests that mount much: a folder in a mount namespace of their own, with a fresh tmpfs for each part. */
#ifndef PROPAGATION_H
#define PROPAGATION_H

#include "own-mounts.h"

/* The folder, as /proc/self/mountinfo names it. */
static char base[1000];

static inline void find_place(void)
{
	own_mounts();
	MUST(mkdir("here", 0755));
	MUST(chdir("here"));
	MUST(getcwd(base, sizeof base) != NULL ? 0 : -1);
}

static inline void enter(void)
{
	MUST(mount("none", base, "tmpfs", 0, NULL));
	MUST(chdir(base));
}

/* All that was mounted in it goes, too. */
static inline void leave(void)
{
	MUST(chdir("/"));
	MUST(umount2(base, MNT_DETACH));
	MUST(chdir(base));
}

#endif
