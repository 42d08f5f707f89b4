/* Calls with a mask of their own, which lets a pending signal through: what comes first, the signal, an event or no time. */
#include "../check.h"
#include <sys/epoll.h>
#include <sys/select.h>

static const struct timespec no_time;
static sigset_t none;

static void handler(int signal)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	say("handler of %d, SIGUSR2 blocked %d\n", signal, sigismember(&set, SIGUSR2));
}

static void wait_in_all_ways(int epoll, int fd)
{
	struct epoll_event event;
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	fd_set set;

	raise(SIGUSR1);
	R(epoll_pwait(epoll, &event, 1, 0, &none));
	R(epoll_pwait(epoll, &event, 1, 1, &none));
	raise(SIGUSR1);
	FD_ZERO(&set);
	FD_SET(fd, &set);
	R(pselect(fd + 1, &set, NULL, NULL, &no_time, &none));
	raise(SIGUSR1);
	R(ppoll(&poll, 1, &no_time, &none));
	raise(SIGUSR1);
	R(ppoll(NULL, 0, &no_time, &none));
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = (int)MUST(epoll_create1(0)), fds[2];
	sigset_t all;

	sigfillset(&all);
	sigemptyset(&none);
	signal(SIGUSR1, handler);
	MUST(pipe(fds));
	MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event));
	MUST(sigprocmask(SIG_SETMASK, &all, NULL));
	wait_in_all_ways(epoll, fds[0]);
	MUST(write(fds[1], "x", 1));
	wait_in_all_ways(epoll, fds[0]);
	return 0;
}
