/* What /proc/PID/fdinfo tells of an epoll instance (proc_pid_fdinfo(5)): events, and data as it was given. */
#include "../check.h"
#include <sys/epoll.h>

int main(void)
{
	unsigned events[] = {EPOLLIN, EPOLLIN | EPOLLWAKEUP, EPOLLOUT | EPOLLWAKEUP | EPOLLONESHOT, EPOLLET | EPOLLIN};
	uint64_t data[] = {0, 5, 0x100000002, 0xffffffff00000000};
	int epoll = MUST(epoll_create1(0)), ends[2];
	char name[64], text[512];

	MUST(pipe(ends));
	for (int i = 0; i < 4; i++) {
		struct epoll_event event = {.events = events[i], .data.u64 = data[i]};
		MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
		snprintf(name, sizeof name, "/proc/self/fdinfo/%d", epoll);
		int fd = MUST(open(name, O_RDONLY));
		long n = read(fd, text, sizeof text - 1);
		close(fd);
		text[n > 0 ? n : 0] = 0;
		char *from = strstr(text, "events:"), *to = from ? strstr(from, "pos:") : NULL;
		say("%.*s\n", to ? (int)(to - from) : 0, from ? from : "");
		MUST(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[0], NULL));
	}
	return 0;
}
