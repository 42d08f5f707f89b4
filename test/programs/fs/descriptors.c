/* dup, fcntl, close-on-exec and shared file positions. */
#include "../check.h"
#include <sys/resource.h>

static int fd;

static void child(void)
{
	R(lseek(fd, 0, SEEK_CUR));
	R(lseek(fd, 3, SEEK_SET));
}

int main(void)
{
	char c;

	fd = MUST(open("f", O_CREAT | O_RDWR, 0600));
	write(fd, "0123456789", 10);
	R(dup(fd));
	R(dup2(fd, 10));
	R(dup2(fd, fd));
	R(dup2(99, 5));
	R(dup2(fd, -1));
	R(dup3(fd, fd, 0));
	R(dup3(fd, 11, O_CLOEXEC));
	R(dup3(fd, 11, O_APPEND));
	R(fcntl(11, F_GETFD));
	R(fcntl(10, F_GETFD));
	R(fcntl(fd, F_DUPFD, 20));
	R(fcntl(fd, F_DUPFD_CLOEXEC, 20));
	R(fcntl(21, F_GETFD));
	R(fcntl(fd, F_SETFD, FD_CLOEXEC));
	R(fcntl(fd, F_GETFD));
	R(fcntl(fd, F_DUPFD, -1));
	R(fcntl(fd, 9999));
	R(fcntl(99, F_GETFD));
	R(lseek(10, 2, SEEK_SET));
	R(read(fd, &c, 1));
	say("%c\n", c);
	R(lseek(20, 0, SEEK_CUR));
	in_child("child", child);
	R(lseek(fd, 0, SEEK_CUR));
	R(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	R(fcntl(10, F_GETFL) & (O_APPEND | O_NONBLOCK | O_ACCMODE));
	R(write(10, "end", 3));
	R(lseek(fd, 0, SEEK_CUR));
	struct rlimit limit = {30, 30};
	R(setrlimit(RLIMIT_NOFILE, &limit));
	R(fcntl(fd, F_DUPFD, 30));
	R(dup2(fd, 30));
	R(dup2(fd, 29));
	int last = 0;
	for (int i = 0; i < 40 && last >= 0; i++)
		last = dup(fd);
	R(last);
	R(errno == EMFILE);
	return 0;
}
