/*
 * Mounts of another namespace, which a descriptor leads to: nobody changes them from outside, nor takes copies of them.
 * test: needs root
 */
#include "own-mounts.h"

#define OPEN_TREE 428
#define MOVE_MOUNT 429
#define MOUNT_SETATTR 442
#define CLONES 1
#define EMPTY_PATH 0x1000
#define FROM_EMPTY 4
#define TO_EMPTY 0x40

static char plain[40], mounted[40];

static const char *name_of(char *name, const char *path)
{
	sprintf(name, "/proc/self/fd/%d", (int)MUST(open(path, O_RDONLY | O_DIRECTORY)));
	return name;
}

static int number_of(const char *name)
{
	return atoi(name + strlen("/proc/self/fd/"));
}

static void outside(void)
{
	uint64_t read_only[4] = { 1 };
	int own;

	MUST(leave_mounts());
	MUST(mkdir("/tmp/own", 0700));
	MUST(mount("none", "/tmp/own", "tmpfs", 0, NULL));
	R(mount("none", plain, "tmpfs", 0, NULL));
	R(mount("/tmp/own", plain, NULL, MS_BIND, NULL));
	R(mount("/tmp/own", plain, NULL, MS_MOVE, NULL));
	R(mount(mounted, "/tmp/own", NULL, MS_BIND, NULL));
	R(mount(mounted, "/tmp/own", NULL, MS_MOVE, NULL));
	R(mount(NULL, mounted, NULL, MS_REMOUNT | MS_NOSUID, NULL));
	R(mount(NULL, mounted, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	R(umount2(mounted, MNT_DETACH));
	R(umount2(mounted, 0));
	R(umount2(plain, MNT_DETACH));
	R(syscall(MOUNT_SETATTR, number_of(mounted), "", EMPTY_PATH, read_only, sizeof read_only));
	R(syscall(OPEN_TREE, number_of(mounted), "", EMPTY_PATH | CLONES));
	own = MUST(syscall(OPEN_TREE, AT_FDCWD, "/tmp/own", CLONES));
	R(syscall(MOVE_MOUNT, own, "", number_of(plain), "", FROM_EMPTY | TO_EMPTY));
	R(mount(NULL, mounted, NULL, MS_PRIVATE, NULL));
	/* What is there can be used. */
	close(MUST(openat(number_of(mounted), "made", O_CREAT | O_WRONLY, 0600)));
	MUST(umount2("/tmp/own", MNT_DETACH));
	MUST(rmdir("/tmp/own"));
}

/* Whose root is elsewhere does not change mounts there, and goes on to have his own. */
static void rooted_there(void)
{
	int own;

	MUST(leave_mounts());
	own = MUST(open("plain", O_RDONLY | O_DIRECTORY));
	MUST(fchdir(number_of(mounted)));
	MUST(chroot("."));
	MUST(mkdir("/in", 0700));
	R(mount("none", "/", "tmpfs", 0, NULL));
	R(mount("none", "/in", "tmpfs", 0, NULL));
	R(umount2("/", MNT_DETACH));
	R(unshare(CLONE_NEWNS));
	R(mount("none", "/in", "tmpfs", 0, NULL));
	MUST(rmdir("/in"));
	MUST(fchdir(own));
	R(mount("none", ".", "tmpfs", 0, NULL));
}

/* Nor does he whose root is nowhere any more. */
static void rooted_nowhere(void)
{
	int own, there = number_of(plain);

	MUST(leave_mounts());
	own = MUST(open("plain", O_RDONLY | O_DIRECTORY));
	MUST(mkdir("gone", 0700));
	MUST(mount("none", "gone", "tmpfs", 0, NULL));
	MUST(chdir("gone"));
	MUST(umount2(".", MNT_DETACH));
	MUST(chroot("."));
	MUST(fchdir(there));
	R(mount("none", ".", "tmpfs", 0, NULL));
	MUST(fchdir(own));
	R(mount("none", ".", "tmpfs", 0, NULL));
}

int main(void)
{
	char line[500], *where;
	FILE *mounts;

	own_tmpfs();
	MUST(mkdir("plain", 0700));
	MUST(mkdir("mounted", 0700));
	MUST(mount("none", "mounted", "tmpfs", 0, "size=1m"));
	name_of(plain, "plain");
	name_of(mounted, "mounted");
	in_child("outside", outside);
	in_child("rooted there", rooted_there);
	in_child("rooted nowhere", rooted_nowhere);
	R(access("mounted/made", F_OK));
	mounts = fopen("/proc/self/mountinfo", "r");
	while (fgets(line, sizeof line, mounts))
		if ((where = strstr(line, "/t/")) != NULL)
			say("%s", strtok(where, "-"));
	return 0;
}
