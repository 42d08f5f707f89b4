/* Directories: mkdir, rmdir, getdents, chdir, getcwd and what they refuse. */
#include "../check.h"
#include <dirent.h>

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char **)a, *(char **)b);
}

static void list(const char *path)
{
	char *names[2000];
	int n = 0;
	DIR *dir = opendir(path);
	struct dirent *e;

	if (!dir) {
		say("opendir %s: %s\n", path, errno_name(errno));
		return;
	}
	while (n < 2000 && (e = readdir(dir)))
		asprintf(&names[n++], "%s:%d", e->d_name, e->d_type);
	qsort(names, n, sizeof *names, by_name);
	say("%s has %d:", path, n);
	for (int i = 0; i < n && i < 8; i++)
		say(" %s", names[i]);
	say("\n");
	rewinddir(dir);
	int again = 0;
	while (readdir(dir))
		again++;
	say("again %d\n", again);
	closedir(dir);
}

int main(void)
{
	char cwd[4096], *base = strdup(getcwd(cwd, sizeof cwd));

	R(mkdir("d", 0755));
	R(mkdir("d", 0755));
	R(mkdir("no/d", 0755));
	R(mkdir("d/", 0755));
	R(mkdir("d/e", 0700));
	R(rmdir("d"));
	R(rmdir("."));
	R(rmdir("d/.."));
	R(rmdir("nope"));
	R(close(open("d/file", O_CREAT, 0600)));
	R(rmdir("d/file"));
	R(unlink("d"));
	R(unlink("d/nope"));
	R(mkfifo("d/fifo", 0600));
	R(symlink("x", "d/sym"));
	R(mknod("d/node", S_IFREG | 0600, 0));
	list("d");
	list("nope");
	list("d/file");
	R(chdir("d/e"));
	say("%s\n", getcwd(cwd, sizeof cwd) + strlen(base));
	R(syscall(SYS_getcwd, cwd, 3));
	R(chdir("../file"));
	R(rmdir("../e"));
	R(syscall(SYS_getcwd, cwd, sizeof cwd));
	R(open("new", O_CREAT | O_RDWR, 0600));
	R(chdir(base));
	int fd = MUST(open("d", O_RDONLY | O_DIRECTORY));
	R(fchdir(fd));
	R(access("file", F_OK));
	R(unlinkat(fd, "file", AT_REMOVEDIR));
	R(unlinkat(fd, "file", 0));
	R(mkdirat(fd, "m", 0755));
	R(unlinkat(fd, "m", AT_REMOVEDIR));
	R(mkdir("many", 0755));
	for (int i = 0; i < 1000; i++) {
		char name[64];
		snprintf(name, sizeof name, "many/a-file-with-a-longer-name-%d", i);
		MUST(close(MUST(open(name, O_CREAT | O_WRONLY, 0600))));
	}
	list("many");
	DIR *dir = opendir("many");
	struct dirent *e;
	int removed = 0;
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			removed += unlinkat(dirfd(dir), e->d_name, 0) == 0;
	say("removed %d\n", removed);
	R(rmdir("many"));
	struct stat st;
	R(fstat(dirfd(dir), &st));
	R(st.st_nlink);
	R(syscall(SYS_getdents64, dirfd(dir), cwd, 4096));
	R(syscall(SYS_getdents64, fd, cwd, 2));
	R(syscall(SYS_getdents64, 0, cwd, 4096));
	return 0;
}
