/* AF_UNIX sockets: unix(7). Streams, datagrams, descriptors, credentials, names. */
#include "../check.h"
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t name(struct sockaddr_un *a, const char *path)
{
	memset(a, 0, sizeof *a);
	a->sun_family = AF_UNIX;
	if (path[0] == '@') {
		snprintf(a->sun_path + 1, sizeof a->sun_path - 1, "%s-%d", path + 1, getppid());
		return offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a->sun_path + 1);
	}
	strcpy(a->sun_path, path);
	return sizeof *a;
}

static long send_fd(int sock, int fd)
{
	char data = 'F', control[CMSG_SPACE(sizeof fd)] = "";
	struct iovec iov = {&data, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(sock, &m, 0);
}

static int receive_fd(int sock, int flags, size_t room)
{
	char data[4], control[256] = "";
	struct iovec iov = {data, 4};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
	long n = recvmsg(sock, &m, flags);
	int fd = -1;

	say("recvmsg %ld flags %x", n, m.msg_flags);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		say(" cmsg level %d type %d len %zu", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
		if (c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof fd);
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred *u = (struct ucred *)CMSG_DATA(c);
			say(" uid %d pid %d", u->uid == getuid(), u->pid == getpid());
		}
	}
	say("\n");
	return fd;
}

static void streams(void)
{
	struct sockaddr_un a, got;
	socklen_t len = name(&a, "sock"), got_len = sizeof got;
	int listener = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	char buf[64];

	R(listen(listener, 1));
	R(bind(listener, (struct sockaddr *)&a, len));
	R(bind(listener, (struct sockaddr *)&a, len));
	int other = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	R(bind(other, (struct sockaddr *)&a, len));
	R(connect(other, (struct sockaddr *)&a, len));
	R(listen(listener, 1));
	struct stat st;
	R(stat("sock", &st));
	R(S_ISSOCK(st.st_mode));
	R(open("sock", O_RDWR));
	R(connect(other, (struct sockaddr *)&a, len));
	R(connect(other, (struct sockaddr *)&a, len));
	R(write(other, "early", 5));
	int conn = MUST(accept4(listener, (struct sockaddr *)&got, &got_len, SOCK_NONBLOCK));
	say("peer of length %d family %d\n", got_len, got.sun_family);
	got_len = sizeof got;
	R(getpeername(other, (struct sockaddr *)&got, &got_len));
	say("%s %d\n", got.sun_path, got_len);
	got_len = sizeof got;
	R(getsockname(other, (struct sockaddr *)&got, &got_len));
	R(got_len);
	R(read(conn, buf, 64));
	R(read(conn, buf, 64));
	R(recv(conn, buf, 1, MSG_PEEK | MSG_DONTWAIT));
	R(send(conn, "abcdef", 6, 0));
	int available;
	R(ioctl(other, FIONREAD, &available));
	R(available);
	R(recv(other, buf, 3, MSG_PEEK));
	R(recv(other, buf, 64, MSG_WAITALL | MSG_DONTWAIT));
	struct ucred cred;
	socklen_t cl = sizeof cred;
	R(getsockopt(other, SOL_SOCKET, SO_PEERCRED, &cred, &cl));
	R(cred.pid == getpid());
	int value;
	cl = sizeof value;
	R(getsockopt(other, SOL_SOCKET, SO_TYPE, &value, &cl));
	R(value);
	R(getsockopt(other, SOL_SOCKET, SO_ACCEPTCONN, &value, &cl));
	R(value);
	R(getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &value, &cl));
	R(value);
	R(getsockopt(other, SOL_SOCKET, 9999, &value, &cl));
	R(shutdown(conn, SHUT_WR));
	R(read(other, buf, 1));
	R(write(other, "x", 1));
	R(read(conn, buf, 1));
	R(shutdown(conn, 9));
	close(conn);
	R(send(other, "x", 1, MSG_NOSIGNAL));
	R(accept4(other, NULL, NULL, 0));
	fcntl(listener, F_SETFL, O_NONBLOCK);
	R(accept(listener, NULL, NULL));
	close(listener);
	int late = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	R(connect(late, (struct sockaddr *)&a, len));
	unlink("sock");
	R(connect(late, (struct sockaddr *)&a, len));
	len = name(&a, "@abstract");
	listener = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	R(bind(listener, (struct sockaddr *)&a, len));
	R(listen(listener, 5));
	R(connect(late, (struct sockaddr *)&a, len));
	a.sun_family = AF_INET;
	R(connect(late, (struct sockaddr *)&a, len));
}

static void pairs(void)
{
	int sv[2], fds[2];
	char buf[64] = "";

	R(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	R(socketpair(AF_UNIX, 99, 0, fds));
	R(socketpair(AF_UNIX, SOCK_STREAM, 77, fds));
	MUST(pipe(fds));
	R(send_fd(sv[0], fds[1]));
	close(fds[1]);
	int fd = receive_fd(sv[1], 0, 256);
	R(write(fd, "passed", 6));
	close(fd);
	R(read(fds[0], buf, 64));
	R(read(fds[0], buf, 64));
	send_fd(sv[0], fds[0]);
	fd = receive_fd(sv[1], MSG_CMSG_CLOEXEC, 256);
	R(fcntl(fd, F_GETFD));
	send_fd(sv[0], fds[0]);
	receive_fd(sv[1], 0, 8);
	R(send_fd(sv[0], 99));
	send_fd(sv[0], sv[0]);
	send_fd(sv[1], sv[1]);
	int on = 1;
	R(setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
	R(write(sv[0], "c", 1));
	receive_fd(sv[1], 0, 256);
	receive_fd(sv[1], 0, 256);

	R(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
	R(send(fds[0], "one", 3, 0));
	R(send(fds[0], "", 0, 0));
	R(send(fds[0], "three", 5, 0));
	R(recv(fds[1], buf, 2, 0));
	R(recv(fds[1], buf, 10, 0));
	R(recv(fds[1], buf, 2, MSG_TRUNC));
	R(recv(fds[1], buf, 2, MSG_DONTWAIT));
	close(fds[0]);
	R(send(fds[1], "x", 1, 0));
	R(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
	R(send(fds[0], "packet", 6, 0));
	R(send(fds[0], "second", 6, 0));
	R(read(fds[1], buf, 64));
	close(fds[0]);
	R(read(fds[1], buf, 64));
	R(read(fds[1], buf, 64));
}

static void datagrams(void)
{
	struct sockaddr_un a, b, from;
	socklen_t len = sizeof from;
	char buf[32];
	int x = MUST(socket(AF_UNIX, SOCK_DGRAM, 0)), y = MUST(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));

	R(bind(x, (struct sockaddr *)&a, name(&a, "dx")));
	R(bind(y, (struct sockaddr *)&b, name(&b, "dy")));
	R(sendto(y, "hi", 2, 0, (struct sockaddr *)&a, sizeof a));
	R(recvfrom(x, buf, 32, 0, (struct sockaddr *)&from, &len));
	say("from %s\n", from.sun_path);
	R(send(y, "hi", 2, 0));
	R(sendto(y, "hi", 2, 0, (struct sockaddr *)&from, sizeof from));
	R(connect(x, (struct sockaddr *)&b, sizeof b));
	R(send(x, "to y", 4, 0));
	R(recv(y, buf, 32, 0));
	R(recv(y, buf, 32, 0));
	R(recv(y, buf, 32, 0));
	R(sendto(y, "hi", 2, 0, (struct sockaddr *)&a, 2));
	R(listen(x, 1));
	R(shutdown(y, SHUT_RD));
	R(send(x, "z", 1, MSG_NOSIGNAL));
	R(socket(AF_UNIX, SOCK_RAW, 0) >= 0);
	R(socket(9999, SOCK_STREAM, 0));
	int file = MUST(open("/dev/null", O_WRONLY));
	R(send(file, "x", 1, 0) == -1 && errno == ENOTSOCK);
	R(bind(99, (struct sockaddr *)&a, sizeof a));
}

int main(void)
{
	in_child("streams", streams);
	in_child("pairs", pairs);
	in_child("datagrams", datagrams);
	return 0;
}
