/* MSG_OOB on AF_UNIX streams: a byte that others do not hide (unix(7), recv(2), sockatmark(3)). */
#include "../check.h"
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int sv[2], on = 1;
static volatile int urgent;

static void count(int signal)
{
	(void)signal;
	urgent++;
}

static void state(const char *what)
{
	struct pollfd p = {sv[1], POLLIN | POLLPRI | POLLRDBAND, 0};
	int mark = -1;

	poll(&p, 1, 0);
	int marked = ioctl(sv[1], SIOCATMARK, &mark);
	say("%s: ready %x, mark %d %d, signals %d\n", what, p.revents, marked, mark, urgent);
}

static void get(long len, int flags)
{
	char bytes[16] = "", what[64];
	struct iovec iov = {bytes, len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	long n = recvmsg(sv[1], &m, flags | MSG_DONTWAIT);

	if (n < 0)
		snprintf(what, sizeof what, "recv %ld %x: %s", len, flags, errno_name(errno));
	else
		snprintf(what, sizeof what, "recv %ld %x: '%s' %x", len, flags, bytes, m.msg_flags);
	state(what);
}

static void begin(int inline_too)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	MUST(setsockopt(sv[1], SOL_SOCKET, SO_OOBINLINE, &inline_too, sizeof on));
	MUST(fcntl(sv[1], F_SETOWN, getpid()));
	say("inline %d\n", inline_too);
}

static void put(const char *text, int flags)
{
	say("send '%s' %x: ", text, flags);
	R(send(sv[0], text, strlen(text), flags));
	state("sent");
}

static void one(int inline_too)
{
	begin(inline_too);
	get(1, MSG_OOB);
	put("", MSG_OOB);
	put("x", MSG_OOB);
	get(5, MSG_OOB | MSG_PEEK);
	get(5, MSG_OOB);
	get(5, MSG_OOB);
	get(5, 0);
	begin(inline_too);
	put("hello", MSG_OOB);
	get(9, MSG_PEEK);
	get(2, 0);
	get(9, 0);
	get(9, MSG_PEEK);
	get(9, MSG_OOB);
	get(9, 0);
	begin(inline_too);
	put("hello", MSG_OOB);
	put("world", 0);
	get(9, MSG_PEEK);
	get(9, 0);
	get(9, MSG_PEEK);
	get(9, 0);
	get(9, 0);
	begin(inline_too);
	put("hello", MSG_OOB);
	put("world", MSG_OOB);
	get(16, 0);
	get(1, MSG_OOB);
	get(16, 0);
	begin(inline_too);
	put("hello", MSG_OOB);
	put("more", 0);
	get(1, MSG_OOB);
	get(16, MSG_PEEK);
	get(2, 0);
	get(16, 0);
	get(16, 0);
	begin(inline_too);
	put("x", MSG_OOB);
	close(sv[0]);
	get(9, 0);
	get(9, 0);
}

int main(void)
{
	signal(SIGURG, count);
	one(0);
	one(1);
	return 0;
}
