/*
 * A signalfd that parent and child share shows each its own signals (signalfd(2), "fork(2) semantics"), also while both
 * wait for it. An epoll instance hears of the signals of the one who added it, and asks for those of the one who waits.
 */
#include "../check.h"
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>

static int fd, ep;

static void read_one(const char *who)
{
	struct signalfd_siginfo info;
	long n = read(fd, &info, sizeof info);

	say("%s: read %ld, signal %d\n", who, n, n > 0 ? (int)info.ssi_signo : 0);
}

static int with_poll(void)
{
	return poll(&(struct pollfd){fd, POLLIN, 0}, 1, 3000);
}

static int with_select(void)
{
	struct timeval limit = {3, 0};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, &set, NULL, NULL, &limit);
}

static int with_read(void)
{
	return 1;
}

static int with_own_epoll(void)
{
	struct epoll_event event = {EPOLLIN, {0}};
	int own = MUST(epoll_create1(0));

	MUST(epoll_ctl(own, EPOLL_CTL_ADD, fd, &event));
	int n = epoll_wait(own, &event, 1, 3000);
	close(own);
	return n;
}

static int with_polled_epoll(void)
{
	struct epoll_event event = {EPOLLIN, {0}};
	int own = MUST(epoll_create1(0));

	MUST(epoll_ctl(own, EPOLL_CTL_ADD, fd, &event));
	int n = poll(&(struct pollfd){own, POLLIN, 0}, 1, 3000);
	close(own);
	return n;
}

/* Two processes wait; each gets a signal of its own, the one that began to wait first being the first. */
static void both(const char *how, int (*wait_for)(void))
{
	pid_t pids[2];

	for (int i = 0; i < 2; i++) {
		pids[i] = MUST(fork());
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			say("%s %d: %d\n", how, i, wait_for());
			read_one(how);
			_exit(0);
		}
		until(state_of(pids[i]) == 'S');
	}
	for (int i = 0; i < 2; i++) {
		MUST(kill(pids[i], i == 0 ? SIGUSR1 : SIGUSR2));
		MUST(waitpid(pids[i], NULL, 0));
	}
}

static int look(void)
{
	struct epoll_event event;

	return epoll_wait(ep, &event, 1, 0);
}

static int is_ready(int file)
{
	return poll(&(struct pollfd){file, POLLIN, 0}, 1, 0);
}

/* What a child sees of an instance that its parent has made. */
static void inherited(int for_parent, int for_child, unsigned events)
{
	struct epoll_event event = {events, {0}};

	ep = MUST(epoll_create1(0));
	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	if (for_parent)
		raise(SIGUSR1);
	pid_t pid = MUST(fork());
	if (pid == 0) {
		if (for_child)
			raise(SIGUSR2);
		say("child: %d of itself, %d of the instance, %d from it\n", is_ready(fd), is_ready(ep), look());
		read_one("child");
		_exit(0);
	}
	MUST(waitpid(pid, NULL, 0));
	say("parent: %d of itself, %d of the instance, %d from it\n", is_ready(fd), is_ready(ep), look());
	read_one("parent");
	close(ep);
}

int main(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = MUST(signalfd(-1, &set, 0));
	both("poll", with_poll);
	both("select", with_select);
	both("read", with_read);
	both("epoll", with_own_epoll);
	both("poll of epoll", with_polled_epoll);
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
	for (int i = 0; i < 8; i++) {
		say("signals for %s%s, %s\n", i & 1 ? "the parent " : "", i & 2 ? "the child" : "", i & 4 ? "edges" : "levels");
		inherited(i & 1, i & 2, i & 4 ? EPOLLIN | EPOLLET : EPOLLIN);
	}
	return 0;
}
