/* AF_UNIX: what an end of a connection tells: SIGPIPE, SCM_CREDENTIALS, SIGIO; and MSG_WAITALL before an urgent byte. */
#include "../check.h"
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static volatile int signals;

static void count(int signal)
{
	(void)signal;
	signals++;
}

static void nothing_written(int type)
{
	int sv[2];

	MUST(socketpair(AF_UNIX, type, 0, sv));
	close(sv[1]);
	signals = 0;
	long n = write(sv[0], "", 0);
	say("type %d: write of nothing %s, signals %d\n", type, n < 0 ? errno_name(errno) : "done", signals);
	close(sv[0]);
}

static void end_told(int type, size_t room)
{
	int sv[2], on = 1;
	char control[128], bytes[8];
	struct iovec iov = {bytes, sizeof bytes};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room ? control : NULL, .msg_controllen = room};

	MUST(socketpair(AF_UNIX, type, 0, sv));
	MUST(setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
	close(sv[0]);
	long n = recvmsg(sv[1], &m, 0);
	say("type %d: end %ld, flags %x, control %zu", type, n, m.msg_flags, m.msg_controllen);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (c != NULL) {
		struct ucred *u = (void *)CMSG_DATA(c);
		say(", process %d of %d, %d", u->pid, u->uid, u->gid);
	}
	say("\n");
	close(sv[1]);
}

static void shut_down(int how, int listens)
{
	int sv[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	MUST(fcntl(sv[listens], F_SETOWN, getpid()));
	MUST(fcntl(sv[listens], F_SETFL, O_ASYNC | O_NONBLOCK));
	signals = 0;
	MUST(shutdown(sv[0], how));
	say("shutdown %d, %s: signals %d\n", how, listens ? "the other end" : "this end", signals);
	close(sv[0]);
	close(sv[1]);
}

int main(void)
{
	int sv[2], left = -1;
	char bytes[16];
	struct pollfd p = {.events = POLLIN | POLLPRI};

	signal(SIGPIPE, count);
	signal(SIGIO, count);
	nothing_written(SOCK_STREAM);
	nothing_written(SOCK_SEQPACKET);
	for (int room = 0; room < 2; room++) {
		end_told(SOCK_STREAM, room * 128);
		end_told(SOCK_SEQPACKET, room * 128);
	}
	for (int how = 0; how < 3; how++) {
		shut_down(how, 0);
		shut_down(how, 1);
	}
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv));
	MUST(send(sv[0], "hello", 5, MSG_OOB));
	R(recv(sv[1], bytes, sizeof bytes, MSG_WAITALL));
	p.fd = sv[1];
	poll(&p, 1, 0);
	MUST(ioctl(sv[1], FIONREAD, &left));
	say("ready %x, %d left\n", p.revents, left);
	R(recv(sv[1], bytes, sizeof bytes, MSG_OOB));
	return 0;
}
