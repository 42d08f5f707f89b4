/* Options of AF_UNIX sockets and what they bring along: times, pidfds, places to peek at (socket(7), unix(7)). */
#include "../check.h"
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif
#define SCM_PIDFD 4

static int on = 1, off = 0;

static void show(int fd, int option)
{
	unsigned char value[16];
	socklen_t len = sizeof value;
	long result = getsockopt(fd, SOL_SOCKET, option, value, &len);

	say("  get %d: %s", option, result == 0 ? "" : errno_name(errno));
	for (unsigned i = 0; result == 0 && i < len; i++)
		say("%02x", value[i]);
	say("\n");
}

/* All that change nothing here, or something that is asked for below. */
static const int options[] = {SO_DEBUG, SO_REUSEPORT, SO_PASSCRED, SO_TIMESTAMP, SO_PASSSEC, SO_TIMESTAMPNS, SO_MARK, SO_PEEK_OFF,
			      SO_BUSY_POLL, SO_INCOMING_CPU, 63, 64, SO_PASSPIDFD, SO_PASSRIGHTS};
#define COUNT (sizeof options / sizeof *options)

static void values(void)
{
	static const int numbers[] = {1, 0, -1, 5};
	int sv[2];

	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
	for (unsigned i = 0; i < COUNT; i++) {
		show(sv[0], options[i]);
		for (int j = 0; j < 4; j++) {
			say("option %d to %d: ", options[i], numbers[j]);
			R(setsockopt(sv[0], SOL_SOCKET, options[i], &numbers[j], sizeof(int)));
			show(sv[0], options[i]);
		}
	}
	for (unsigned i = 0; i < COUNT; i++)
		show(sv[0], options[i]);
	MUST(setsockopt(sv[1], SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on));
	show(sv[1], SO_TIMESTAMP);
	show(sv[1], SO_TIMESTAMPNS);
	MUST(setsockopt(sv[1], SOL_SOCKET, SO_TIMESTAMP, &off, sizeof off));
	show(sv[1], SO_TIMESTAMPNS);
	R(setsockopt(sv[1], SOL_SOCKET, SO_COOKIE, &on, sizeof on));
	R(setsockopt(sv[1], SOL_SOCKET, SO_PEERGROUPS, &on, sizeof on));
	R(setsockopt(sv[1], SOL_SOCKET, SO_PEERPIDFD, &on, sizeof on));
}

static void values_of_nobody(void)
{
	MUST(setresuid(65534, 65534, 65534));
	values();
}

static void cookies(void)
{
	int sv[2];
	uint64_t a = 0, b = 0, again = 0;
	socklen_t len = 4;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	R(getsockopt(sv[0], SOL_SOCKET, SO_COOKIE, &a, &len));
	len = sizeof a;
	R(getsockopt(sv[0], SOL_SOCKET, SO_COOKIE, &a, &len));
	R(getsockopt(sv[1], SOL_SOCKET, SO_COOKIE, &b, &len));
	R(getsockopt(sv[0], SOL_SOCKET, SO_COOKIE, &again, &len));
	say("cookies %d %d %d\n", a != 0, a != b, a == again);
}

static void peer_groups(void)
{
	static const gid_t mine[] = {7, 1000, 70000};
	gid_t got[8] = {0};
	int sv[2];

	if (getuid() == 0)
		MUST(syscall(SYS_setgroups, 3, mine));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	if (getuid() == 0)
		MUST(syscall(SYS_setgroups, 1, mine));
	for (socklen_t room = 0; room <= 32; room += 8) {
		socklen_t len = room;

		R(getsockopt(sv[0], SOL_SOCKET, SO_PEERGROUPS, got, &len));
		say("room %d: %d, %d %d %d\n", room, len, got[0], got[1], got[2]);
	}
	int alone = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	show(alone, SO_PEERGROUPS);
	show(alone, SO_PEERPIDFD);
}

static void show_pidfd(const char *what, int pidfd, pid_t expected)
{
	char path[64], text[256] = "", *pid;

	if (pidfd < 0) {
		say("%s: %d\n", what, pidfd);
		return;
	}
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
	int fd = MUST(open(path, O_RDONLY));
	MUST(read(fd, text, sizeof text - 1));
	close(fd);
	pid = strstr(text, "Pid:\t");
	struct pollfd p = {pidfd, POLLIN, 0};
	poll(&p, 1, 0);
	say("%s: %s, flags %x, ready %x\n", what,
	    !pid ? "no pidfd" : atoi(pid + 5) == expected ? "as expected" : atoi(pid + 5) == -1 ? "gone" : "another",
	    fcntl(pidfd, F_GETFD), p.revents);
	close(pidfd);
}

/* What comes with a message, of which there is so much room. */
static int control(int fd, size_t room, int flags, pid_t expected)
{
	char bytes[64], space[512] __attribute__((aligned(8)));
	struct iovec iov = {bytes, sizeof bytes};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = room};
	long n = recvmsg(fd, &m, flags);
	int pidfd = -1;

	if (n < 0) {
		say("recvmsg %s\n", errno_name(errno));
		return -1;
	}
	say("recvmsg %ld flags %x control %zu\n", n, m.msg_flags, (size_t)m.msg_controllen);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		say("  type %d len %zu\n", c->cmsg_type, (size_t)c->cmsg_len);
		if (c->cmsg_type == SCM_PIDFD) {
			memcpy(&pidfd, CMSG_DATA(c), sizeof pidfd);
			show_pidfd("  pidfd", pidfd, expected);
		}
		if (c->cmsg_type == SCM_RIGHTS) {
			memcpy(&pidfd, CMSG_DATA(c), sizeof pidfd);
			close(pidfd);
		}
		if (c->cmsg_len == CMSG_LEN(16)) {
			long stamp[2];
			struct timespec now;

			memcpy(stamp, CMSG_DATA(c), sizeof stamp);
			clock_gettime(CLOCK_REALTIME, &now);
			int nano = c->cmsg_type == SO_TIMESTAMPNS || c->cmsg_type == 64;
			double age = now.tv_sec - stamp[0] + (now.tv_nsec - (nano ? 1 : 1000) * stamp[1]) / 1e9;
			say("  a time %s\n", age < -0.01 ? "to come" : age < 0.09 ? "of now" : age < 90 ? "of before" : "long ago");
		}
	}
	return 0;
}

static long send_rights(int sock, int fd)
{
	char data = 'F', space[CMSG_SPACE(sizeof fd)] __attribute__((aligned(8))) = "";
	struct iovec iov = {&data, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

static void times(void)
{
	static const int stamps[] = {SO_TIMESTAMP, SO_TIMESTAMPNS, 63, 64};
	static const size_t rooms[] = {0, 8, 20, 32};
	int sv[2];

	for (int t = 0; t < 3; t++) {
		MUST(socketpair(AF_UNIX, types[t], 0, sv));
		MUST(write(sv[0], "before", 6));
		for (int i = 0; i < 4; i++) {
			R(setsockopt(sv[1], SOL_SOCKET, stamps[i], &on, sizeof on));
			sleep_ms(i == 0 ? 100 : 0);
			MUST(write(sv[0], "stamped", 7));
			control(sv[1], 512, 0, 0);
		}
		sleep_ms(100);
		control(sv[1], 512, MSG_PEEK | MSG_DONTWAIT, 0);
		control(sv[1], 512, MSG_DONTWAIT, 0);
		for (int i = 0; i < 4; i++) {
			MUST(write(sv[0], "x", 1));
			control(sv[1], rooms[i], 0, 0);
		}
		R(setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
		MUST(write(sv[0], "both", 4));
		control(sv[1], 512, 0, 0);
		MUST(write(sv[0], "both", 4));
		control(sv[1], 40, 0, 0);
	}
}

static void pidfds(void)
{
	pid_t me = getpid(), child;
	int sv[2];

	for (int t = 0; t < 3; t++) {
		MUST(socketpair(AF_UNIX, types[t], 0, sv));
		R(setsockopt(sv[1], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof on));
		MUST(write(sv[0], "mine", 4));
		control(sv[1], 512, MSG_PEEK, me);
		control(sv[1], 512, 0, me);
		for (size_t room = 0; room < 33; room += 4) {
			MUST(write(sv[0], "room", 4));
			control(sv[1], room, 0, me);
		}
		R(setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
		R(send_rights(sv[0], 0));
		control(sv[1], 512, 0, me);
		if ((child = MUST(fork())) == 0) {
			MUST(write(sv[0], "child", 5));
			_exit(0);
		}
		MUST(waitid(P_PID, child, NULL, WEXITED | WNOWAIT));
		MUST(write(sv[0], "me", 2));
		control(sv[1], 512, MSG_PEEK, child);
		MUST(waitpid(child, NULL, 0));
		control(sv[1], 512, 0, child);
		control(sv[1], 512, 0, me);
		int pidfd = -1;
		socklen_t len = sizeof pidfd + 4;
		R(getsockopt(sv[0], SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len));
		R(len);
		show_pidfd("peer", pidfd, me);
	}
}

/* The peer that listened, and the one that connected, which has ended. */
static void peers(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = sizeof a, size = sizeof(int);
	int listener = MUST(socket(AF_UNIX, SOCK_STREAM, 0)), pidfd;

	MUST(bind(listener, (struct sockaddr *)&a, sizeof a.sun_family));
	MUST(getsockname(listener, (struct sockaddr *)&a, &len));
	MUST(listen(listener, 5));
	for (unsigned i = 0; i < COUNT; i++)
		setsockopt(listener, SOL_SOCKET, options[i], options[i] == SO_PASSRIGHTS ? &off : &on, sizeof on);
	int client = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(connect(client, (struct sockaddr *)&a, len));
	pid_t child = MUST(fork());
	if (child == 0) {
		client = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
		MUST(connect(client, (struct sockaddr *)&a, len));
		MUST(getsockopt(client, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size));
		show_pidfd("listened", pidfd, getppid());
		_exit(0);
	}
	MUST(waitpid(child, NULL, 0));
	for (int i = 0; i < 2; i++) {
		int conn = MUST(accept(listener, NULL, NULL));

		for (unsigned j = 0; i == 0 && j < COUNT; j++)
			show(conn, options[j]);
		struct ucred cred;
		socklen_t cred_size = sizeof cred;
		MUST(getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &cred, &cred_size));
		MUST(getsockopt(conn, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size));
		show_pidfd(cred.pid == child ? "child" : "me", pidfd, cred.pid);
	}
}

static void rights(void)
{
	int sv[2];

	for (int t = 0; t < 3; t++) {
		MUST(socketpair(AF_UNIX, types[t], 0, sv));
		R(send_rights(sv[0], 0));
		R(setsockopt(sv[1], SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off));
		R(send_rights(sv[0], 0));
		R(send_rights(sv[1], 0));
		control(sv[1], 512, MSG_DONTWAIT, 0);
		control(sv[1], 512, MSG_DONTWAIT, 0);
		R(shutdown(sv[1], SHUT_RD));
		R(send_rights(sv[0], 0) == -1 ? errno : 0);
	}
}

static void peek(int fd, long len, int flags)
{
	char bytes[16] = "";
	int at = 0;
	socklen_t size = sizeof at;
	long n = recv(fd, bytes, len, flags | MSG_DONTWAIT);

	getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &at, &size);
	if (n < 0)
		say("%s %ld: %s, at %d\n", flags ? "peek" : "recv", len, errno_name(errno), at);
	else
		say("%s %ld: %ld '%s', at %d\n", flags ? "peek" : "recv", len, n, bytes, at);
}

static void set_peek(int fd, int at)
{
	say("peek at %d: ", at);
	R(setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &at, sizeof at));
}

static void peeking(void)
{
	int sv[2];

	for (int t = 0; t < 3; t++) {
		say("type %d\n", types[t]);
		MUST(socketpair(AF_UNIX, types[t], 0, sv));
		MUST(send(sv[0], "abcd", 4, 0));
		if (types[t] != SOCK_STREAM)
			MUST(send(sv[0], "", 0, 0));
		MUST(send(sv[0], "efgh", 4, 0));
		peek(sv[1], 3, MSG_PEEK);
		set_peek(sv[1], 0);
		peek(sv[1], 3, MSG_PEEK);
		peek(sv[1], 3, MSG_PEEK);
		peek(sv[1], 3, MSG_PEEK);
		peek(sv[1], 3, MSG_PEEK | MSG_TRUNC);
		peek(sv[1], 3, MSG_PEEK);
		peek(sv[1], 3, MSG_PEEK);
		peek(sv[1], 2, 0);
		peek(sv[1], 3, MSG_PEEK);
		set_peek(sv[1], 1);
		peek(sv[1], 9, MSG_PEEK);
		peek(sv[1], 9, 0);
		peek(sv[1], 9, MSG_PEEK);
		set_peek(sv[1], 6);
		MUST(send(sv[0], "ij", 2, 0));
		MUST(send(sv[0], "klmnop", 6, 0));
		peek(sv[1], 9, MSG_PEEK);
		peek(sv[1], 9, MSG_PEEK);
		set_peek(sv[1], -1);
		peek(sv[1], 9, MSG_PEEK);
		peek(sv[1], 9, MSG_PEEK);
		set_peek(sv[1], 100);
		peek(sv[1], 9, MSG_PEEK);
		peek(sv[1], 9, 0);
		peek(sv[1], 9, 0);
	}
}

int main(void)
{
	in_child("values", values);
	in_child("values of nobody", values_of_nobody);
	in_child("cookies", cookies);
	in_child("peer_groups", peer_groups);
	in_child("times", times);
	in_child("pidfds", pidfds);
	in_child("peers", peers);
	in_child("rights", rights);
	in_child("peeking", peeking);
	return 0;
}
