/* test: needs root */
/*
 * Whose links are followed, whose files opened with O_CREAT, in directories that many may write to: protected_symlinks,
 * protected_fifos and protected_regular in proc_sys_fs(5).
 */
#include "../check.h"
#include <sys/syscall.h>

#define OTHER 1000

static int setting(const char *name)
{
	char path[64], value = '?';
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/fs/protected_%s", name);
	fd = MUST(open(path, O_RDONLY));
	MUST(read(fd, &value, 1));
	close(fd);
	return value - '0';
}

static void try_open(const char *name, int flags)
{
	int fd = open(name, flags | O_NONBLOCK, 0600);

	say("%s %#x: %s\n", name, flags, fd < 0 ? strerror(errno) : "opened");
	if (fd >= 0)
		close(fd);
}

static void try_links(const char *dir)
{
	struct stat status;
	char name[64];
	int top = MUST(open(".", O_RDONLY));

	MUST(chdir(dir));
	say("%s\n", dir);
	try_open("mine", O_RDONLY);
	try_open("root's", O_RDONLY);
	try_open("root's", O_WRONLY | O_CREAT);
	try_open("root's", O_RDONLY | O_NOFOLLOW);
	try_open("root's", O_PATH | O_NOFOLLOW);
	try_open("root's/", O_RDONLY);
	try_open("to-dir", O_RDONLY);
	try_open("to-dir/", O_RDONLY);
	try_open("to-dir/.", O_RDONLY);
	try_open("to-dir/in", O_RDONLY);
	try_open("to-link", O_RDONLY);
	try_open("missing", O_RDONLY);
	try_open("missing", O_WRONLY | O_CREAT);
	R(stat("root's", &status));
	R(lstat("root's", &status));
	R(access("root's", F_OK));
	R(readlink("root's", name, sizeof(name)) > 0);
	R(truncate("root's", 0));
	R(link("root's", "hard") == 0 ? unlink("hard") : -1);
	R(linkat(AT_FDCWD, "root's", AT_FDCWD, "hard", AT_SYMLINK_FOLLOW) == 0 ? unlink("hard") : -1);
	R(chdir("to-dir"));
	MUST(fchdir(top));
	close(top);
}

static void make_links(const char *dir, mode_t mode, uid_t owner)
{
	MUST(mkdir(dir, 0755));
	MUST(chdir(dir));
	close(MUST(open("file", O_CREAT | O_WRONLY, 0666)));
	MUST(chmod("file", 0666));
	MUST(mkdir("dir", 0755));
	close(MUST(open("dir/in", O_CREAT | O_WRONLY, 0644)));
	MUST(symlink("file", "mine"));
	MUST(lchown("mine", OTHER, OTHER));
	MUST(symlink("file", "root's"));
	MUST(symlink("dir", "to-dir"));
	MUST(symlink("mine", "to-link"));
	MUST(symlink("nothing", "missing"));
	MUST(chdir(".."));
	MUST(chown(dir, owner, owner));
	MUST(chmod(dir, mode));
}

static void all_links(void)
{
	try_links("sticky");
	try_links("writable");
	try_links("only-sticky");
	try_links("root's-sticky");
}

static void try_files(const char *dir)
{
	char name[64];

	for (const char **at = (const char *[]){ "file", "fifo", "mine", 0 }; *at; at++) {
		snprintf(name, sizeof(name), "%s/%s", dir, *at);
		try_open(name, O_RDWR);
		try_open(name, O_RDWR | O_CREAT);
		try_open(name, O_RDWR | O_CREAT | O_EXCL);
	}
}

static void make_files(const char *dir, mode_t mode, uid_t owner)
{
	char name[64];

	MUST(mkdir(dir, 0755));
	for (const char **at = (const char *[]){ "file", "mine", 0 }; *at; at++) {
		snprintf(name, sizeof(name), "%s/%s", dir, *at);
		close(MUST(open(name, O_CREAT | O_WRONLY, 0666)));
		MUST(chmod(name, 0666));
	}
	MUST(chown(name, OTHER, OTHER));
	snprintf(name, sizeof(name), "%s/fifo", dir);
	MUST(mkfifo(name, 0666));
	MUST(chmod(name, 0666));
	MUST(chown(dir, owner, owner));
	MUST(chmod(dir, mode));
}

static void all_files(void)
{
	try_files("all");
	try_files("group");
	try_files("own");
}

static void as_other(void)
{
	MUST(setresgid(OTHER, OTHER, OTHER));
	MUST(setresuid(OTHER, OTHER, OTHER));
	all_links();
	all_files();
}

static void moved(void)
{
	struct stat status;

	/* What was known of the names holds no more. */
	MUST(setresgid(-1, OTHER, -1));
	MUST(setresuid(-1, OTHER, -1));
	R(stat("sticky/mine", &status));
	MUST(setresuid(-1, 0, -1));
	MUST(lchown("sticky/mine", 0, 0));
	MUST(setresuid(-1, OTHER, -1));
	R(stat("sticky/mine", &status));
	MUST(setresuid(-1, 0, -1));
	MUST(chmod("sticky", 0777));
	MUST(setresuid(-1, OTHER, -1));
	R(stat("sticky/mine", &status));
}

int main(void)
{
	if (setting("symlinks") != 1 || setting("fifos") != 0 || setting("regular") != 0)
		return 77;
	MUST(chmod(".", 0755));
	umask(0);
	make_links("sticky", 01777, 2000);
	make_links("writable", 0777, 2000);
	make_links("only-sticky", 01775, 2000);
	make_links("root's-sticky", 01777, 0);
	make_files("all", 01777, 2000);
	make_files("group", 01770, OTHER);
	make_files("own", 01777, 0);
	in_child("user", as_other);
	all_links();
	all_files();
	in_child("moved", moved);
	return 0;
}
