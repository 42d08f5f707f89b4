/* rename(2), link(2), unlink(2): what replaces what, and which errors come first. */
#include "../check.h"

static ino_t ino(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_ino;
}

static int nlink(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -1 : (int)st.st_nlink;
}

static void put(const char *path, const char *text)
{
	int fd = MUST(open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600));

	MUST(write(fd, text, strlen(text)));
	close(fd);
}

static void show(const char *path)
{
	char buf[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, buf, 63) < 0)
		say("%s: %s\n", path, errno_name(errno));
	else
		say("%s: %s\n", path, buf);
	close(fd);
}

int main(void)
{
	put("a", "A");
	put("b", "B");
	R(rename("a", "b"));
	show("a");
	show("b");
	R(rename("nope", "b"));
	R(rename("b", "no/b"));
	mkdir("d", 0755);
	mkdir("e", 0755);
	put("d/in", "IN");
	R(rename("b", "d"));
	R(rename("d", "b"));
	R(rename("e", "d"));
	R(rename("d", "e"));
	show("e/in");
	R(rename("e", "e/sub"));
	R(rename("e", "e"));
	R(rename("e/.", "x"));
	R(rename("b", "b"));
	R(link("b", "c"));
	R(nlink("b"));
	R(ino("b") == ino("c"));
	R(rename("b", "c"));
	R(nlink("c"));
	R(link("b", "c"));
	R(link("e", "f"));
	R(link("nope", "f"));
	R(unlink("b"));
	R(nlink("c"));
	R(symlink("c", "s"));
	R(link("s", "t"));
	char target[16] = "";
	R(readlink("t", target, 15));
	say("%s\n", target);
	R(readlink("t", target, 0));
	R(readlink("c", target, 15));
	R(linkat(AT_FDCWD, "s", AT_FDCWD, "u", AT_SYMLINK_FOLLOW));
	R(ino("u") == ino("c"));
	R(symlink("x", "s"));
	R(symlink("", "empty"));
	R(renameat2(AT_FDCWD, "c", AT_FDCWD, "u", RENAME_NOREPLACE));
	R(renameat2(AT_FDCWD, "c", AT_FDCWD, "new", RENAME_NOREPLACE));
	put("p", "P");
	put("q", "Q");
	R(renameat2(AT_FDCWD, "p", AT_FDCWD, "q", RENAME_EXCHANGE));
	show("p");
	R(renameat2(AT_FDCWD, "p", AT_FDCWD, "q", RENAME_EXCHANGE | RENAME_NOREPLACE));
	R(renameat2(AT_FDCWD, "p", AT_FDCWD, "nope", RENAME_EXCHANGE));
	int fd = MUST(open("p", O_RDWR));
	R(unlink("p"));
	R(write(fd, "still", 5));
	struct stat st;
	R(fstat(fd, &st));
	R(st.st_nlink);
	R(unlink("p"));
	R(unlink("q/"));
	R(unlink("e/"));
	R(rename("q", "q/"));
	R(rename("e", "g/"));
	R(access("g", F_OK));
	return 0;
}
