/* mq_overview(7), by the system calls themselves. */
#include "../check.h"
#include <mqueue.h>
#include <sys/resource.h>

static char name[32];

static void on_message(int signal, siginfo_t *info, void *context)
{
	(void)context;
	printf("signal %d code %d value %d from me %d\n", signal, info->si_code, info->si_value.sival_int,
	       info->si_pid == getpid());
}

static long setting(const char *which)
{
	char path[64], text[32] = "";
	snprintf(path, sizeof path, "/proc/sys/fs/mqueue/%s", which);
	int fd = MUST(open(path, O_RDONLY));
	MUST(read(fd, text, sizeof text - 1));
	close(fd);
	return atol(text);
}

/* What /proc says of the limits is what holds for those who are nobody in particular. */
static void limits(void)
{
	if (fork() == 0) {
		struct mq_attr attr = {.mq_maxmsg = setting("msg_max"), .mq_msgsize = 8};
		if (geteuid() == 0)
			MUST(setuid(65534));
		mqd_t q = T(mq_open(name, O_RDWR | O_CREAT, 0600, &attr));
		mq_close(q);
		mq_unlink(name);
		attr.mq_maxmsg++;
		R(mq_open(name, O_RDWR | O_CREAT, 0600, &attr));
		attr.mq_maxmsg = 1;
		attr.mq_msgsize = setting("msgsize_max") + 1;
		R(mq_open(name, O_RDWR | O_CREAT, 0600, &attr));
		q = T(mq_open(name, O_RDWR | O_CREAT, 0600, NULL));
		MUST(mq_getattr(q, &attr));
		R(attr.mq_maxmsg == setting("msg_default") && attr.mq_msgsize == setting("msgsize_default"));
		mq_unlink(name);
		exit(0);
	}
	wait(NULL);
}

/*
 * A queue counts against RLIMIT_MSGQUEUE of its maker's real user until it has no name and is not open. Only root can become
 * a user who has no queues yet.
 */
static void charged(void)
{
	struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 100};
	long bytes = 10 * (100 + 48 + 48);

	if (geteuid() != 0)
		return;
	MUST(setresuid(61234, 61235, 61235));
	setrlimit(RLIMIT_MSGQUEUE, &(struct rlimit){bytes - 1, 4 * bytes});
	R(mq_open(name, O_RDWR | O_CREAT, 0600, &attr));
	setrlimit(RLIMIT_MSGQUEUE, &(struct rlimit){2 * bytes - 1, 4 * bytes});
	mqd_t q = T(mq_open(name, O_RDWR | O_CREAT, 0600, &attr));
	R(mq_unlink(name));
	R(mq_open(name, O_RDWR | O_CREAT, 0600, &attr));
	mqd_t other = MUST(dup(q));
	R(mq_close(q));
	R(mq_open(name, O_RDWR | O_CREAT, 0600, &attr));
	R(mq_close(other));
	q = T(mq_open(name, O_RDWR | O_CREAT, 0600, &attr));
	R(mq_close(q));
	R(mq_unlink(name));
	q = T(mq_open(name, O_RDWR | O_CREAT, 0600, &attr));
	R(mq_unlink(name));
}

int main(void)
{
	struct mq_attr attr = {.mq_maxmsg = 3, .mq_msgsize = 16}, got;
	struct timespec past = {1, 0};
	struct sigaction action = {.sa_sigaction = on_message, .sa_flags = SA_SIGINFO};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
	char text[32];
	unsigned priority;
	struct pollfd p;

	snprintf(name, sizeof name, "/uml-mqueue-%d", getpid()); /* others may test, too */
	limits();
	in_child("charged", charged);
	R(mq_open(name, O_RDWR) == -1);
	R(mq_open("/a/b", O_RDWR | O_CREAT, 0600, NULL));
	R(mq_open(name, O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 0, .mq_msgsize = 1}));
	mqd_t q = MUST(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr));
	R(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr));
	mqd_t reader = MUST(mq_open(name, O_RDONLY | O_NONBLOCK));
	R(mq_send(reader, "x", 1, 0));
	R(mq_receive(reader, text, 32, NULL));
	R(mq_receive(reader, text, 8, NULL));

	sigaction(SIGUSR1, &action, NULL);
	R(mq_notify(q, &event));
	R(mq_notify(q, &event));
	R(mq_send(q, "low", 3, 1));
	R(mq_send(q, "high", 4, 7));
	R(mq_send(q, "low2", 4, 1));
	R(mq_timedsend(q, "no", 2, 1, &past));
	R(mq_send(q, "no", 2, 40000));
	R(mq_send(q, text, 17, 0));
	memset(text, 0, sizeof text);
	R(pread(reader, text, 16, 0));
	puts(text);
	R(pread(reader, text, 2, 500));
	R(lseek(reader, 3, SEEK_SET));
	R(read(reader, text, 1));
	putchar(text[0]);
	R(mq_getattr(reader, &got));
	R(got.mq_flags);
	R(got.mq_maxmsg);
	R(got.mq_msgsize);
	R(got.mq_curmsgs);
	p = (struct pollfd){q, POLLIN | POLLOUT, 0};
	R(poll(&p, 1, 0));
	R(p.revents);
	for (int i = 0; i < 3; i++) {
		memset(text, 0, sizeof text);
		R(mq_receive(q, text, 32, &priority));
		R(priority);
		puts(text);
	}
	R(mq_timedreceive(q, text, 32, NULL, &past));
	pid_t child = fork();
	if (child == 0)
		_exit(mq_receive(q, text, 32, NULL));
	R(mq_send(q, "to the child", 12, 0));
	int status;
	waitpid(child, &status, 0);
	R(WEXITSTATUS(status));
	R(mq_setattr(q, &(struct mq_attr){.mq_flags = O_NONBLOCK}, NULL));
	R(mq_receive(q, text, 32, NULL));
	R(mq_unlink(name));
	R(mq_unlink(name));
	R(mq_send(q, "still", 5, 0));
	R(mq_close(q));
	R(mq_close(q));
	return 0;
}
