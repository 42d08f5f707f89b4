/* Extended attributes (xattr(7)), on a file of the overlay's upper side. */
#include "../check.h"
#include <sys/xattr.h>

int main(void)
{
	char buf[256];

	close(MUST(open("f", O_CREAT | O_RDWR, 0600)));
	if (setxattr("f", "user.probe", "", 0, 0) == -1 && errno == EOPNOTSUPP) {
		puts("no user attributes here");
		return 77;
	}
	removexattr("f", "user.probe");
	R(setxattr("f", "user.one", "value", 5, 0));
	R(setxattr("f", "user.one", "other", 5, XATTR_CREATE));
	R(setxattr("f", "user.two", "other", 5, XATTR_REPLACE));
	R(setxattr("f", "user.two", "", 0, 0));
	R(getxattr("f", "user.one", NULL, 0));
	R(getxattr("f", "user.one", buf, 2));
	R(getxattr("f", "user.one", buf, sizeof buf));
	say("%.5s\n", buf);
	R(getxattr("f", "user.none", buf, sizeof buf));
	R(getxattr("f", "nonsense", buf, sizeof buf));
	R(listxattr("f", NULL, 0));
	R(listxattr("f", buf, 3));
	R(removexattr("f", "user.one"));
	R(removexattr("f", "user.one"));
	R(listxattr("f", buf, sizeof buf));
	say("%s\n", buf);
	R(setxattr("f", "user.bad", "x", 1, 99));
	symlink("f", "s");
	R(lsetxattr("s", "user.one", "x", 1, 0));
	R(getxattr("nope", "user.one", buf, sizeof buf));
	return 0;
}
