/* Pipes and FIFOs: pipe(7). */
#include "../check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

static char big[1 << 20];

static void *reader_of_all(int fd)
{
	long total = 0, n;

	while ((n = read(fd, big, sizeof big)) > 0)
		total += n;
	say("reader got %ld\n", total);
	return NULL;
}

int main(void)
{
	int fds[2], n;
	char buf[16];

	R(pipe2(fds, 0777777));
	R(pipe((int *)8));
	R(pipe2(fds, O_NONBLOCK));
	R(read(fds[0], buf, 1));
	R(write(fds[1], "hello", 5));
	R(ioctl(fds[0], FIONREAD, &n));
	R(n);
	R(read(fds[0], buf, 2));
	R(read(fds[0], buf, 10));
	R(write(fds[1], big, sizeof big));
	R(write(fds[1], big, 1));
	R(fcntl(fds[1], F_GETPIPE_SZ));
	R(read(fds[0], big, 4095));
	R(write(fds[1], big, 4096));
	R(read(fds[0], big, 1));
	R(write(fds[1], big, 4096));
	R(write(fds[1], big, 5000));
	R(lseek(fds[0], 0, SEEK_SET));
	R(read(fds[1], buf, 1));
	R(write(fds[0], buf, 1));
	R(fcntl(fds[1], F_SETPIPE_SZ, 4096));
	R(fcntl(fds[1], F_SETPIPE_SZ, 200000));
	struct pollfd p = {fds[0], POLLIN, 0};
	R(poll(&p, 1, 0));
	R(p.revents);
	close(fds[1]);
	R(poll(&p, 1, 0));
	R(p.revents);
	while (read(fds[0], big, sizeof big) > 0)
		;
	R(poll(&p, 1, 0));
	R(p.revents);
	close(fds[0]);

	MUST(pipe(fds));
	fflush(stdout);
	pid_t pid = MUST(fork());
	if (pid == 0) {
		close(fds[1]);
		reader_of_all(fds[0]);
		_exit(0);
	}
	close(fds[0]);
	R(write(fds[1], big, sizeof big));
	R(write(fds[1], big, 12345));
	close(fds[1]);
	waitpid(pid, NULL, 0);

	R(mkfifo("fifo", 0600));
	R(mkfifo("fifo", 0600));
	R(open("fifo", O_WRONLY | O_NONBLOCK));
	R(open("fifo", O_RDONLY | O_NONBLOCK));
	int rd = 3;
	R(read(rd, buf, 1));
	R(open("fifo", O_WRONLY | O_NONBLOCK));
	R(read(rd, buf, 1));
	R(write(4, "x", 1));
	R(close(4));
	R(read(rd, buf, 2));
	R(read(rd, buf, 2));
	close(rd);
	pid = MUST(fork());
	if (pid == 0) {
		sleep_ms(30);
		int w = MUST(open("fifo", O_WRONLY));
		write(w, "late", 4);
		_exit(0);
	}
	rd = MUST(open("fifo", O_RDONLY));
	R(read(rd, buf, 10));
	R(read(rd, buf, 10));
	waitpid(pid, NULL, 0);

	MUST(pipe(fds));
	int file = MUST(open("f", O_CREAT | O_RDWR, 0600));
	MUST(write(file, "splice me", 9));
	off_t from = 0;
	R(splice(file, &from, fds[1], NULL, 100, 0));
	R(from);
	int other[2];
	MUST(pipe(other));
	R(tee(fds[0], other[1], 6, 0));
	R(read(fds[0], buf, 16));
	R(splice(other[0], NULL, file, NULL, 100, 0));
	R(lseek(file, 0, SEEK_CUR));
	R(splice(file, NULL, file, NULL, 1, 0));

	/* What is wrong first: positions of pipes, where positions are told, how files are open, and only then what they are. */
	off_t before = -1, *nowhere = (off_t *)8;
	int dir = MUST(open(".", O_RDONLY | O_DIRECTORY)), zero = MUST(open("/dev/zero", O_RDONLY));
	R(splice(file, NULL, dir, NULL, 1, 0));
	R(splice(dir, NULL, file, NULL, 1, 0));
	R(splice(file, NULL, zero, NULL, 1, 0));
	R(splice(zero, nowhere, zero, NULL, 1, 0));
	R(splice(zero, NULL, zero, nowhere, 1, 0));
	R(splice(zero, NULL, other[0], &before, 1, 0));
	R(splice(other[1], &before, zero, NULL, 1, 0));
	R(splice(other[1], NULL, zero, NULL, 1, 0));
	R(splice(other[0], NULL, zero, &before, 1, 0));
	R(splice(other[0], NULL, file, &before, 1, 0));
	R(splice(file, &before, other[1], NULL, 1, 0));

	/* What takes nothing from a pipe does not wait for it, either. */
	int none[] = {
		MUST(eventfd(0, 0)), MUST(epoll_create(1)), MUST(timerfd_create(CLOCK_MONOTONIC, 0)),
		(int)MUST(syscall(SYS_pidfd_open, getpid(), 0)), MUST(open("/dev/full", O_WRONLY)),
	};
	MUST(pipe(fds));
	for (unsigned i = 0; i < sizeof none / sizeof *none; i++) {
		R(splice(fds[0], NULL, none[i], NULL, 8, 0));
		MUST(write(fds[1], "12345678", 8));
		R(splice(fds[0], NULL, none[i], NULL, 8, 0));
		MUST(read(fds[0], buf, 8));
	}
	return 0;
}
