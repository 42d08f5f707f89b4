/* Access control lists that say what permission bits say: they are these. */
#include <sys/stat.h>
#include <sys/xattr.h>
#include "../check.h"

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

struct entry { unsigned short tag, perm; unsigned id; };
struct acl { unsigned version; struct entry entries[6]; } __attribute__((packed));

static void set(const char *what, const char *path, const char *name, struct acl acl, int count)
{
	struct stat st;
	int r = setxattr(path, name, &acl, 4 + 8 * count, 0);
	stat(path, &st);
	printf("%s: %s %o\n", what, r == 0 ? "set" : strerror(errno), st.st_mode & 07777);
}

static void get(const char *path, const char *name)
{
	char value[100];
	int n = getxattr(path, name, value, sizeof value);
	printf("%s: %s\n", path, n < 0 ? strerror(errno) : "a list");
}

int main(void)
{
	struct acl plain = { 2, { { 1, 6, -1 }, { 4, 5, -1 }, { 32, 1, -1 } } }, bad = plain, none = { 2 };
	close(open("f", O_CREAT | O_WRONLY, 0600));
	mkdir("d", 0700);
	chmod("f", 04600);
	symlink("f", "l");
	get("f", ACCESS);
	get("d", DEFAULT);
	set("bits", "f", ACCESS, plain, 3);
	get("f", ACCESS);
	set("bits of a directory", "d", ACCESS, plain, 3);
	set("no list", "f", ACCESS, none, 0);
	set("no default list", "d", DEFAULT, none, 0);
	bad.entries[1].tag = 3;
	set("no such tag", "f", ACCESS, bad, 3);
	bad = plain;
	bad.entries[2].perm = 8;
	set("no such permission", "f", ACCESS, bad, 3);
	set("nothing for others", "f", ACCESS, plain, 2);
	bad = plain;
	bad.entries[0] = plain.entries[1];
	bad.entries[1] = plain.entries[0];
	set("wrong order", "f", ACCESS, bad, 3);
	bad = plain;
	bad.version = 3;
	set("no such version", "f", ACCESS, bad, 3);
	set("a default list of a file", "f", DEFAULT, plain, 3);
	printf("cut short: %d\n", setxattr("f", ACCESS, &plain, 9, 0) == 0 ? 0 : errno);
	printf("of a link: %d\n", lsetxattr("l", ACCESS, &plain, 28, 0) == 0 ? 0 : errno);
	printf("removed: %d %d\n", removexattr("f", ACCESS), removexattr("d", DEFAULT));
	return 0;
}
