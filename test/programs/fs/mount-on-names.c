/*
 * What may be mounted on: names below /proc/self/fd and fdinfo, which come and go with descriptors, may not.
 * test: needs root
 */
#include "own-mounts.h"

/* The name itself, and not what the link leads to. */
static void on(const char *name)
{
	char path[40];
	int fd = MUST(open(name, O_PATH | O_NOFOLLOW));

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	say("%s:\n", name);
	if (mount("what", path, NULL, MS_BIND, NULL) == -1) {
		say("%s\n", errno_name(errno));
	} else {
		say("mounted\n");
		/* By the descriptor one comes below what lies on it. */
		R(umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW));
	}
	close(fd);
}

int main(void)
{
	own_tmpfs();
	MUST(mkdir("d", 0700));
	close(MUST(open("what", O_CREAT | O_WRONLY, 0600)));
	MUST(symlink("what", "link"));
	MUST(dup2(MUST(open("d", O_RDONLY)), 50));
	on("/proc/self/fd/50");
	on("/proc/self/fdinfo/50");
	on("/proc/self/cwd");
	on("/proc/self/exe");
	on("/proc/self/status");
	on("/proc/self/ns/uts");
	on("link");
	on("what");
	R(mount("what", "/proc/self/fd/50", NULL, MS_BIND, NULL));
	R(mount("d", "/proc/self/fd/50", NULL, MS_BIND, NULL));
	R(umount2("d", MNT_DETACH));
	return 0;
}
