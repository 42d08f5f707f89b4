/* Which calls restart after a handler, which fail with EINTR (signal(7)). */
#include "../check.h"
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

/* How many signals the parent has had: its children see it. */
static volatile int *signals;
static int fds[2];

static void handler(int signal)
{
	(void)signal;
	++*signals;
}

static void install(int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigaction(SIGALRM, &action, NULL);
}

/* SIGALRM once the parent sleeps; data in the pipe once it has handled that, and sleeps again if it does. */
static pid_t start(int data)
{
	pid_t pid = MUST(fork());

	if (pid == 0) {
		until(state_of(getppid()) == 'S');
		kill(getppid(), SIGALRM);
		until(*signals > 0 && (!data || state_of(getppid()) == 'S'));
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
	say("  signals %d\n", *signals);
	*signals = 0;
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
	R(poll(&poller, 1, 60000));
	end(pid);
	struct timeval tv = {60, 0};
	fd_set set;
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	pid = start(0);
	R(select(fds[0] + 1, &set, NULL, NULL, &tv));
	end(pid);
	struct timespec ts = {60, 0}, left;
	pid = start(0);
	R(nanosleep(&ts, &left));
	R(left.tv_sec < 60);
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
	R(epoll_wait(epfd, &event, 1, 60000));
	end(pid);
	close(epfd);
	sem_t sem;
	sem_init(&sem, 0, 0);
	pid = start(0);
	struct timespec limit;
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 60;
	R(sem_timedwait(&sem, &limit));
	end(pid);
	sigset_t none;
	sigemptyset(&none);
	pid = start(0);
	R(sigsuspend(&none));
	end(pid);
	int sv[2];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	struct timeval receive = {60, 0};
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
	signals = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	say("without SA_RESTART\n");
	try_all(0);
	say("with SA_RESTART\n");
	try_all(SA_RESTART);
	return 0;
}
