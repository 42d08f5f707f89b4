/* eventfd(2), signalfd(2), timerfd_create(2), pidfd_open(2). */
#include "../check.h"
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

int main(void)
{
	uint64_t value = 0;
	int fd;

	fd = MUST(eventfd(3, EFD_NONBLOCK));
	R(read(fd, &value, 4));
	R(read(fd, &value, 8));
	R(value);
	R(read(fd, &value, 8));
	value = UINT64_MAX;
	R(write(fd, &value, 8));
	value = UINT64_MAX - 1;
	R(write(fd, &value, 8));
	value = 1;
	R(write(fd, &value, 8));
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};
	R(poll(&p, 1, 0));
	R(p.revents);
	fd = MUST(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
	R(read(fd, &value, 8));
	R(value);
	R(read(fd, &value, 8));
	R(read(fd, &value, 8));
	R(eventfd(0, 0x777));

	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = MUST(signalfd(-1, &set, SFD_NONBLOCK));
	struct signalfd_siginfo info[4];
	R(read(fd, info, sizeof info));
	raise(SIGUSR1);
	pid_t pid = MUST(fork());
	if (pid == 0)
		_exit(5);
	waitpid(pid, NULL, 0);
	R(read(fd, info, sizeof info) / sizeof info[0]);
	say("%d %d; %d %d %d\n", info[0].ssi_signo, info[0].ssi_code, info[1].ssi_signo, info[1].ssi_code, info[1].ssi_status);
	R(read(fd, info, 10));
	R(signalfd(0, &set, 0));

	R(timerfd_create(77, 0));
	fd = MUST(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	R(read(fd, &value, 8));
	struct itimerspec spec = {{0, 10000000}, {0, 20000000}}, now;
	long start = now_ms();
	R(timerfd_settime(fd, 0, &spec, &now));
	R(timerfd_gettime(fd, &now));
	R(now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 20000000);
	R(now.it_interval.tv_nsec);
	p = (struct pollfd){fd, POLLIN, 0};
	R(poll(&p, 1, -1));
	R(read(fd, &value, 8));
	long begin = now_ms(), before = value;
	sleep_ms(55);
	/* The timer may be later than the sleeper. */
	poll(&p, 1, -1);
	R(read(fd, &value, 8));
	R(value >= 4 && (long)value <= (now_ms() - start) / 10 - before);
	R(now_ms() - begin >= 55);
	spec = (struct itimerspec){{0, 0}, {0, 0}};
	R(timerfd_settime(fd, 0, &spec, NULL));
	R(poll(&p, 1, 30));
	spec.it_value.tv_nsec = 1000000000;
	R(timerfd_settime(fd, 0, &spec, NULL));
	fcntl(fd, F_SETFL, 0);
	clock_gettime(CLOCK_MONOTONIC, &spec.it_value);
	spec.it_value.tv_sec -= 1;
	R(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL));
	R(read(fd, &value, 8));
	R(value);

	int end[2];
	MUST(pipe(end));
	pid = MUST(fork());
	if (pid == 0) {
		close(end[1]);
		read(end[0], &value, 1);
		_exit(9);
	}
	int pidfd = MUST(syscall(SYS_pidfd_open, pid, 0));
	p = (struct pollfd){pidfd, POLLIN, 0};
	R(poll(&p, 1, 0));
	close(end[1]);
	R(poll(&p, 1, -1));
	siginfo_t si;
	R(waitid(P_PIDFD, pidfd, &si, WEXITED));
	R(si.si_status);
	R(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0));
	R(syscall(SYS_pidfd_open, 99999999, 0));
	R(syscall(SYS_pidfd_open, getpid(), 7777));
	return 0;
}
