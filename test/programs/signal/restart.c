/* Which calls restart after a handler, which fail with EINTR (signal(7)). */
#include "../check.h"
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

static volatile int signals;
static int fds[2];

static void handler(int signal)
{
	(void)signal;
	signals++;
}

static void install(int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigaction(SIGALRM, &action, NULL);
}

/* SIGALRM after 30 ms; data in the pipe after 90. */
static pid_t start(int data)
{
	pid_t pid = MUST(fork());

	if (pid == 0) {
		sleep_ms(30);
		kill(getppid(), SIGALRM);
		sleep_ms(60);
		if (data)
			write(fds[1], "x", 1);
		_exit(0);
	}
	return pid;
}

static void end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	say("  signals %d\n", signals);
	signals = 0;
}

static void try_all(int flags)
{
	char c;
	pid_t pid;
	int status;

	install(flags);
	pid = start(1);
	R(read(fds[0], &c, 1));
	if (flags == 0)
		MUST(read(fds[0], &c, 1));
	end(pid);
	pid = start(0);
	R(waitpid(pid, &status, 0) > 0);
	end(pid);
	struct pollfd poller = {fds[0], POLLIN, 0};
	pid = start(0);
	R(poll(&poller, 1, 60));
	end(pid);
	struct timeval tv = {0, 60000};
	fd_set set;
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	pid = start(0);
	R(select(fds[0] + 1, &set, NULL, NULL, &tv));
	end(pid);
	struct timespec ts = {0, 60000000}, left;
	pid = start(0);
	R(nanosleep(&ts, &left));
	R(left.tv_nsec > 0 && left.tv_nsec <= 40000000);
	end(pid);
	pid = start(0);
	R(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL) == EINTR);
	end(pid);
	pid = start(0);
	R(pause());
	end(pid);
	int epfd = epoll_create1(0);
	struct epoll_event event;
	pid = start(0);
	R(epoll_wait(epfd, &event, 1, 60));
	end(pid);
	close(epfd);
	sem_t sem;
	sem_init(&sem, 0, 0);
	pid = start(0);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 60000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	R(sem_timedwait(&sem, &until));
	end(pid);
	sigset_t none;
	sigemptyset(&none);
	pid = start(0);
	R(sigsuspend(&none));
	end(pid);
	int sv[2];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	struct timeval receive = {0, 60000};
	setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &receive, sizeof receive);
	pid = start(0);
	R(recv(sv[0], &c, 1, 0));
	end(pid);
	close(sv[0]);
	close(sv[1]);
}

int main(void)
{
	MUST(pipe(fds));
	say("without SA_RESTART\n");
	try_all(0);
	say("with SA_RESTART\n");
	try_all(SA_RESTART);
	return 0;
}
