/* A socket's protocol, as an attribute of its inode. */
#include "../check.h"
#include <sys/socket.h>
#include <sys/xattr.h>

static void show(int fd)
{
	char value[64] = "", list[256] = "";

	R(fgetxattr(fd, "system.sockprotoname", value, sizeof value));
	say("%s\n", value);
	R(fgetxattr(fd, "system.sockprotoname", value, 3));
	R(fgetxattr(fd, "system.sockprotoname", NULL, 0));
	long n = R(flistxattr(fd, list, sizeof list));
	for (char *at = list; at < list + n; at += strlen(at) + 1)
		say("%s\n", at);
	R(fsetxattr(fd, "system.sockprotoname", "x", 1, 0));
	R(fremovexattr(fd, "system.sockprotoname"));
}

int main(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	char value[8];
	int ends[2];

	for (int i = 0; i < 3; i++) {
		MUST(socketpair(AF_UNIX, types[i], 0, ends));
		show(ends[0]);
		close(ends[0]);
		close(ends[1]);
	}
	MUST(pipe(ends));
	R(fgetxattr(ends[0], "system.sockprotoname", value, sizeof value));
	return 0;
}
