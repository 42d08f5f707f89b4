/* poll(2), select(2), epoll(7): levels, edges, one shot, nesting. */
#include "../check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>

static int ep;

static void add(int fd, unsigned events, int op)
{
	struct epoll_event e = {.events = events, .data.u64 = fd};

	R(epoll_ctl(ep, op, fd, &e));
}

static void look(int timeout)
{
	struct epoll_event events[8];
	int n = epoll_wait(ep, events, 8, timeout);

	say("  %d:", n);
	for (int i = 0; i < n; i++)
		say(" fd %d events %x", (int)events[i].data.u64, events[i].events);
	say("\n");
}

int main(void)
{
	int fds[2], sv[2];
	char c;

	MUST(pipe(fds));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	struct pollfd p[4] = {{fds[0], POLLIN, 0}, {fds[1], POLLOUT, 0}, {-1, POLLIN, 7}, {99, POLLIN, 0}};
	R(poll(p, 4, 0));
	say("%x %x %x %x\n", p[0].revents, p[1].revents, p[2].revents, p[3].revents);
	R(poll(NULL, 0, 5));
	R(poll(p, 100000000, 0));
	long begin = now_ms();
	R(poll(p, 1, 50));
	R(now_ms() - begin >= 50);
	int file = MUST(open("f", O_CREAT | O_RDWR, 0600));
	p[0].fd = file;
	p[0].events = POLLIN | POLLOUT | POLLPRI;
	R(poll(p, 1, -1));
	R(p[0].revents);
	fd_set in, out;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fds[0], &in);
	FD_SET(fds[1], &out);
	FD_SET(sv[0], &in);
	struct timeval tv = {0, 10000};
	R(select(20, &in, &out, NULL, &tv));
	say("%d %d %d\n", FD_ISSET(fds[0], &in), FD_ISSET(fds[1], &out), FD_ISSET(sv[0], &in));
	/* Only descriptors that the table has room for are looked at: a power of two, from the 64 of a child with few. */
	FD_SET(200, &in);
	close_range(64, ~0U, 0);
	pid_t child = MUST(fork());
	if (child == 0) {
		R(select(201, &in, NULL, NULL, &tv));
		exit(0);
	}
	waitpid(child, NULL, 0);
	MUST(dup2(file, 130));
	close(130);
	R(select(201, &in, NULL, NULL, &tv));
	R(select(-1, NULL, NULL, NULL, &tv));

	R(epoll_create(0));
	ep = MUST(epoll_create1(EPOLL_CLOEXEC));
	look(0);
	add(fds[0], EPOLLIN, EPOLL_CTL_ADD);
	add(fds[0], EPOLLIN, EPOLL_CTL_ADD);
	add(sv[0], EPOLLIN | EPOLLOUT | EPOLLET, EPOLL_CTL_MOD);
	add(sv[0], EPOLLIN | EPOLLOUT | EPOLLET, EPOLL_CTL_ADD);
	add(file, EPOLLIN, EPOLL_CTL_ADD);
	add(ep, EPOLLIN, EPOLL_CTL_ADD);
	add(99, EPOLLIN, EPOLL_CTL_ADD);
	look(0);
	look(0);
	write(fds[1], "ab", 2);
	look(0);
	read(fds[0], &c, 1);
	look(0);
	read(fds[0], &c, 1);
	look(0);
	write(sv[1], "x", 1);
	look(0);
	look(0);
	write(sv[1], "x", 1);
	look(0);
	close(sv[1]);
	look(0);
	add(fds[0], EPOLLIN | EPOLLONESHOT, EPOLL_CTL_MOD);
	write(fds[1], "ab", 2);
	look(0);
	look(0);
	add(fds[0], EPOLLIN | EPOLLONESHOT, EPOLL_CTL_MOD);
	look(0);
	int ev = MUST(eventfd(0, 0));
	add(ev, EPOLLIN, EPOLL_CTL_ADD);
	if (MUST(fork()) == 0) {
		sleep_ms(30);
		uint64_t one = 1;
		write(ev, &one, 8);
		_exit(0);
	}
	look(-1);
	wait(NULL);
	int outer = MUST(epoll_create1(0)), inner = ep;
	ep = outer;
	add(inner, EPOLLIN, EPOLL_CTL_ADD);
	look(0);
	ep = inner;
	add(ev, 0, EPOLL_CTL_DEL);
	add(ev, 0, EPOLL_CTL_DEL);
	ep = outer;
	look(0);
	ep = inner;
	int copy = dup(fds[0]);
	add(fds[0], EPOLLIN, EPOLL_CTL_MOD);
	close(fds[0]);
	look(0);
	close(copy);
	look(0);
	R(epoll_wait(ep, NULL, 0, 0));
	R(epoll_wait(0, (struct epoll_event *)sv, 1, 0));
	return 0;
}
