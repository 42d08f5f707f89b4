/*
 * fsopen(2), fsconfig(2), fsmount(2), fspick(2), open_tree(2), move_mount(2), mount_setattr(2).
 * test: needs root
 */
#include "own-mounts.h"
#include <sys/syscall.h>
#include <sys/vfs.h>

#define OPEN_TREE 428
#define MOVE_MOUNT 429
#define FSOPEN 430
#define FSCONFIG 431
#define FSMOUNT 432
#define FSPICK 433
#define MOUNT_SETATTR 442
#define OPEN_TREE_ATTR 467

#define RECURSIVE 0x8000

struct attributes {
	uint64_t set, clear, propagation, userns, more;
};

static int there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void touch(const char *path)
{
	close(MUST(open(path, O_CREAT | O_WRONLY, 0644)));
}

/* Whether a file can be opened there, and nothing stays open. */
static int opens(int dir, const char *path, int flags)
{
	int fd = openat(dir, path, flags, 0600);

	close(fd);
	return fd >= 0;
}

static long move(int from, const char *from_path, const char *to, unsigned flags)
{
	return syscall(MOVE_MOUNT, from, from_path, AT_FDCWD, to, flags);
}

static long config(int fd, int cmd, const char *key, const char *value)
{
	return syscall(FSCONFIG, fd, cmd, key, value, 0);
}

static long change(const char *path, int flags, uint64_t set, uint64_t clear, uint64_t propagation)
{
	struct attributes a = {set, clear, propagation};

	return syscall(MOUNT_SETATTR, AT_FDCWD, path, flags, &a, 32);
}

/* The options of a mount in this folder, as /proc shows them. */
static void options(const char *name)
{
	FILE *file = fopen("/proc/self/mountinfo", "r");
	char line[4096], path[2000], shown[1000];

	while (fgets(line, sizeof line, file)) {
		char *dash = strstr(line, " - ");

		if (sscanf(line, "%*d %*d %*s %*s %1999s %999s", path, shown) != 2 || dash == NULL)
			continue;
		char *last = strrchr(path, '/');
		if (last && strcmp(last + 1, name) == 0)
			say("  %s: %s%s", name, shown, dash);
	}
	fclose(file);
}

static void contexts(void)
{
	char byte;
	int fd;

	R(syscall(FSOPEN, "nonsense", 0));
	R(syscall(FSOPEN, "tmpfs", 2));
	R(syscall(FSOPEN, NULL, 0));
	fd = T(syscall(FSOPEN, "tmpfs", 1));
	R(fcntl(fd, F_GETFD));
	R(read(fd, &byte, 1));
	R(syscall(FSMOUNT, fd, 0, 0));
	R(config(fd, 0, NULL, NULL));
	R(config(fd, 0, "ro", "x"));
	R(config(fd, 1, "size", NULL));
	R(config(fd, 1, NULL, "x"));
	R(config(fd, 77, "size", "x"));
	R(config(fd, 6, "size", NULL));
	R(config(fd, 7, NULL, NULL));
	R(config(-1, 0, "ro", NULL));
	R(config(5000, 0, "ro", NULL));
	R(config(0, 0, "ro", NULL));
	R(config(fd, 0, (char *)8, NULL));
	R(config(fd, 1, "source", "from"));
	R(config(fd, 1, "source", "again"));
	R(config(fd, 1, "size", "64k"));
	R(config(fd, 1, "mode", "750"));
	R(config(fd, 0, "ro", NULL));
	R(config(fd, 0, "rw", NULL));
	R(config(fd, 6, NULL, NULL));
	R(config(fd, 6, NULL, NULL));
	R(config(fd, 1, "size", "32k"));
	R(syscall(FSMOUNT, fd, 2, 0));
	R(syscall(FSMOUNT, fd, 0, 1ul << 30));
	R(syscall(FSMOUNT, fd, 0, 0x30));
	R(syscall(FSMOUNT, 0, 0, 0));
	int mount = T(syscall(FSMOUNT, fd, 1, 0x2 | 0x4 | 0x10));
	R(fcntl(mount, F_GETFD));
	R(syscall(FSMOUNT, fd, 0, 0));
	R(config(fd, 6, NULL, NULL));
	R(opens(mount, "inside", O_CREAT | O_WRONLY));
	R(there("a/inside"));
	R(move(mount, "", "a", 0));
	R(move(mount, "", "a", 0x1000));
	R(move(mount, "", "nothing", 4));
	R(move(mount, "", "file", 4));
	R(move(mount, "", "a", 4));
	R(there("a/inside"));
	options("a");
	R(move(mount, "", "a", 4));
	R(opens(mount, "inside", O_RDONLY));
	close(mount);
	R(there("a/inside"));
	fd = T(syscall(FSPICK, AT_FDCWD, "a", 0));
	R(config(fd, 6, NULL, NULL));
	R(config(fd, 1, "size", "128k"));
	R(config(fd, 7, NULL, NULL));
	options("a");
	R(syscall(FSPICK, AT_FDCWD, "a/inside", 0));
	R(syscall(FSPICK, AT_FDCWD, "a", 0x80));
	R(syscall(FSPICK, AT_FDCWD, "nothing", 0));
}

/* Options of all kinds: flags that every filesystem has, have them whatever their value. */
static void kinds(void)
{
	int fd = MUST(syscall(FSOPEN, "tmpfs", 1));

	R(config(fd, 1, "sync", "false"));
	R(config(fd, 1, "ro", "no"));
	R(config(fd, 0, "mand", NULL));
	R(config(fd, 0, "nomand", NULL));
	R(config(fd, 3, "sync", "nothing"));
	R(config(fd, 3, "sync", ""));
	R(config(fd, 4, "sync", ""));
	R(config(fd, 3, "size", "file"));
	R(config(fd, 3, "nonsense", "file"));
	R(config(fd, 3, "source", "file"));
	R(config(fd, 3, "sync", NULL));
	R(config(fd, 3, NULL, "file"));
	R(config(fd, 3, "sync", (char *)8));
	R(config(fd, 3, (char *)8, "file"));
	R(config(0, 3, "sync", "file"));
	R(syscall(FSCONFIG, fd, 3, "sync", "file", AT_FDCWD));
	R(syscall(FSCONFIG, fd, 3, "sync", "file", -5));
	R(syscall(FSCONFIG, fd, 3, "sync", "file", 5000));
	R(syscall(FSCONFIG, fd, 2, "sync", "bytes", 5));
	R(syscall(FSCONFIG, fd, 2, "sync", "bytes", 0));
	R(syscall(FSCONFIG, fd, 2, "sync", "bytes", (1 << 20) + 1));
	R(syscall(FSCONFIG, fd, 2, "sync", 8, 5));
	R(syscall(FSCONFIG, fd, 2, "size", "64k", 3));
	R(syscall(FSCONFIG, fd, 5, "sync", NULL, 0));
	R(syscall(FSCONFIG, fd, 5, "sync", NULL, 5000));
	R(syscall(FSCONFIG, fd, 5, "sync", NULL, -1));
	R(syscall(FSCONFIG, fd, 5, "size", NULL, 0));
	R(syscall(FSCONFIG, fd, 5, "sync", "x", 0));
	R(config(fd, 6, NULL, NULL));
	R(config(fd, 3, "sync", "file"));
	int mount = MUST(syscall(FSMOUNT, fd, 1, 0));
	R(opens(mount, "inside", O_CREAT | O_WRONLY));
	close(mount);
	close(fd);
}

/* Opened and changed at once. */
static void changed_trees(void)
{
	struct attributes a = {2 | 8};
	int tree;

	if (syscall(OPEN_TREE_ATTR, AT_FDCWD, "a", 1, NULL, 32) == -1 && errno == ENOSYS)
		return;
	R(syscall(OPEN_TREE_ATTR, AT_FDCWD, "a", 1, NULL, 32));
	R(syscall(OPEN_TREE_ATTR, AT_FDCWD, "a", 8, &a, 32));
	R(syscall(OPEN_TREE_ATTR, AT_FDCWD, "nothing", 1, &a, 31));
	R(syscall(OPEN_TREE_ATTR, AT_FDCWD, "a", 1, &a, 31));
	R(syscall(OPEN_TREE_ATTR, AT_FDCWD, "a", 1, &a, 5000));
	R(syscall(OPEN_TREE_ATTR, AT_FDCWD, "a", 1, 8, 32));
	tree = T(syscall(OPEN_TREE_ATTR, AT_FDCWD, "a", 1, NULL, 0));
	close(tree);
	tree = T(syscall(OPEN_TREE_ATTR, AT_FDCWD, "a", 1 | O_CLOEXEC, &a, 32));
	R(fcntl(tree, F_GETFD));
	R(move(tree, "", "e", 4));
	options("a");
	options("e");
	close(tree);
	a = (struct attributes){ .clear = 2 };
	tree = T(syscall(OPEN_TREE_ATTR, AT_FDCWD, "e", 0, &a, 32));
	options("e");
	close(tree);
	R(umount2("e", MNT_DETACH));
	a = (struct attributes){ 1ul << 40 };
	R(syscall(OPEN_TREE_ATTR, AT_FDCWD, "a", 1, &a, 32));
	a = (struct attributes){ 0 };
	tree = T(syscall(OPEN_TREE_ATTR, AT_FDCWD, "file", 0, &a, 32));
	close(tree);
	a.set = 1;
	R(syscall(OPEN_TREE_ATTR, AT_FDCWD, "file", 0, &a, 32));
}

/* What statfs(2) says of it. */
static void told(unsigned long flags)
{
	struct statfs about;

	MUST(mount("none", "e", "tmpfs", flags, NULL));
	MUST(statfs("e", &about));
	say("flags %lx: %lx\n", flags, (long)about.f_flags);
	MUST(umount2("e", 0));
}

static void trees(void)
{
	int tree, plain;

	R(syscall(OPEN_TREE, AT_FDCWD, "a", 0x8));
	R(syscall(OPEN_TREE, AT_FDCWD, "a", RECURSIVE));
	R(syscall(OPEN_TREE, AT_FDCWD, "nothing", 0));
	plain = T(syscall(OPEN_TREE, AT_FDCWD, "a", O_CLOEXEC));
	R(fcntl(plain, F_GETFD));
	R(fcntl(plain, F_GETFL) & O_PATH);
	tree = T(syscall(OPEN_TREE, AT_FDCWD, "a", 1));
	R(fcntl(tree, F_GETFD));
	R(opens(tree, "inside", O_RDONLY));
	R(move(tree, "", "b", 4));
	R(there("b/inside"));
	options("b");
	R(umount2("b", 0));
	close(tree);
	R(umount2("b", 0));
	MUST(mkdir("a/sub", 0700));
	MUST(mount("none", "a/sub", "tmpfs", 0, NULL));
	touch("a/sub/deep");
	tree = T(syscall(OPEN_TREE, AT_FDCWD, "a", 1));
	R(faccessat(tree, "sub/deep", F_OK, 0));
	close(tree);
	tree = T(syscall(OPEN_TREE, AT_FDCWD, "a", 1 | RECURSIVE));
	R(faccessat(tree, "sub/deep", F_OK, 0));
	R(move(tree, "sub", "b", 0));
	R(move(tree, "", "a/sub/nothing", 4));
	R(move(tree, "", "b", 4));
	R(there("b/sub/deep"));
	R(move(AT_FDCWD, "b", "b/sub", 0));
	R(move(AT_FDCWD, "b", "c", 0));
	R(there("b/sub/deep"));
	R(there("c/sub/deep"));
	R(move(AT_FDCWD, "c/inside", "b", 0));
	R(move(plain, "", "b", 4));
	R(there("b/sub/deep"));
	R(move(AT_FDCWD, "b", "a", 0));
	tree = T(syscall(OPEN_TREE, AT_FDCWD, "c/sub/deep", 1));
	R(move(tree, "", "file", 4));
	close(tree);
	R(umount2("file", 0));
	R(umount2("c", MNT_DETACH));
	tree = T(syscall(OPEN_TREE, AT_FDCWD, "a", 1));
	R(unlinkat(tree, "inside", 0));
	int inner = T(openat(tree, ".", O_RDONLY | O_DIRECTORY));
	close(tree);
	R(faccessat(inner, "inside", F_OK, 0));
	R(move(inner, "", "b", 4));
}

static void beneath(void)
{
	int tree;

	MUST(mount("one", "c", "tmpfs", 0, NULL));
	MUST(mount("two", "b", "tmpfs", 0, NULL));
	touch("c/one");
	touch("b/two");
	tree = MUST(syscall(OPEN_TREE, AT_FDCWD, "c", 1));
	R(move(tree, "", "d", 4 | 0x200));
	R(move(tree, "", "b", 4 | 0x200 | 0x100));
	R(move(tree, "", "b", 4 | 0x200));
	close(tree);
	R(there("b/two"));
	R(there("b/one"));
	R(umount2("b", 0));
	R(there("b/two"));
	R(there("b/one"));
	R(umount2("b", 0));
	R(there("b/one"));
	R(move(AT_FDCWD, "c", "c", 0x200));
	R(move(AT_FDCWD, "c", "/", 0x200));
	MUST(mount("two", "b", "tmpfs", 0, NULL));
	R(move(AT_FDCWD, "c", "b", 0x200));
	R(there("c/one"));
	R(umount2("b", 0));
	R(there("b/one"));
	R(umount2("b", 0));
}

static void settings(void)
{
	struct attributes a = {1};

	MUST(mount("set", "b", "tmpfs", 0, NULL));
	MUST(mkdir("b/sub", 0700));
	MUST(mount("set", "b/sub", "tmpfs", MS_NOEXEC, NULL));
	R(syscall(MOUNT_SETATTR, AT_FDCWD, "b", 0, &a, 31));
	R(syscall(MOUNT_SETATTR, AT_FDCWD, "b", 0, &a, 5000));
	a.more = 1;
	R(syscall(MOUNT_SETATTR, AT_FDCWD, "b", 0, &a, 40));
	R(syscall(MOUNT_SETATTR, AT_FDCWD, "b", 0, NULL, 32));
	R(change("b", 1, 1, 0, 0));
	R(change("b", 0, 0, 0, 0));
	R(change("nothing", 0, 0, 0, 0));
	R(change("nothing", 0, 1, 0, 0));
	R(change("d", 0, 1, 0, 0));
	R(change("b", 0, 1ul << 40, 0, 0));
	R(change("b", 0, 0x30, 0, 0));
	R(change("b", 0, 0x10, 0, 0));
	R(change("b", 0, 0, 0x10, 0));
	R(change("b", 0, 0, 0, 5));
	R(change("b", 0, 0, 0, MS_PRIVATE | MS_SHARED));
	R(change("b", 0, 0, 0, MS_PRIVATE));
	R(change("b", 0, 0x2 | 0x10, 0x70, 0));
	options("b");
	R(change("b", RECURSIVE, 0x1 | 0x20, 0x70 | 0x2, 0));
	options("b");
	options("sub");
	R(opens(AT_FDCWD, "b/file", O_CREAT | O_WRONLY));
	R(change("b", RECURSIVE, 0, 0x1 | 0x8 | 0x70, 0));
	options("b");
	options("sub");
	int fd = T(open("b/file", O_CREAT | O_WRONLY, 0600));
	R(change("b", 0, 1, 0, 0));
	close(fd);
	R(change("b", 0, 1, 0, 0));
	R(change("b", 0, 0x80 | 0x200000, 0, 0));
	options("b");
	fd = MUST(open("b", O_PATH));
	a.more = 0;
	a.set = 4;
	R(syscall(MOUNT_SETATTR, fd, "", AT_EMPTY_PATH, &a, 40));
	options("b");
	fd = MUST(syscall(OPEN_TREE, AT_FDCWD, "b", 1));
	a.set = 8;
	R(syscall(MOUNT_SETATTR, fd, "", AT_EMPTY_PATH, &a, 32));
	R(move(fd, "", "d", 4));
	options("d");
	options("b");
}

static void as_user(void)
{
	MUST(setresgid(1000, 1000, 1000));
	MUST(setresuid(1000, 1000, 1000));
	R(syscall(FSOPEN, "tmpfs", 2));
	R(syscall(FSPICK, AT_FDCWD, "nothing", 0));
	R(syscall(OPEN_TREE, AT_FDCWD, "nothing", 1));
	T(syscall(OPEN_TREE, AT_FDCWD, "d", 0));
	R(move(AT_FDCWD, "nothing", "nothing", 0x1000));
	R(change("nothing", 0, 1, 0, 0));
	R(change("nothing", 0, 0, 0, 0));
}

int main(void)
{
	own_mounts();
	if (syscall(FSOPEN, "tmpfs", 2) == -1 && errno == ENOSYS) {
		puts("the host has no fsopen");
		return 77;
	}
	for (const char *name = "a\0b\0c\0d\0e\0"; *name; name += 2)
		MUST(mkdir(name, 0755));
	touch("file");
	contexts();
	kinds();
	for (int bit = 0; bit < 12; bit++)
		told(1ul << bit & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | 0x100));
	changed_trees();
	trees();
	beneath();
	settings();
	in_child("as_user", as_user);
	return 0;
}
