/*
 * How large pipes are for who may have no more: fs.pipe-user-pages-soft counts the pages of all pipes of a user.
 * test: needs root
 */
#include "../check.h"
#include <sys/resource.h>

#define MOST 2000

static int ends[MOST][2];

static long number(const char *name)
{
	char path[80], text[40] = "";
	int fd;

	snprintf(path, sizeof path, "/proc/sys/fs/%s", name);
	fd = MUST(open(path, O_RDONLY));
	MUST(read(fd, text, sizeof text - 1));
	close(fd);
	return atol(text);
}

/* How many pipes of each size it gets, until there are `count`. */
static void many(int from, int count)
{
	long size = 0, same = 0;

	for (int i = from; i < from + count; i++) {
		MUST(pipe(ends[i]));
		long now = MUST(fcntl(ends[i][0], F_GETPIPE_SZ));
		if (now != size && same > 0)
			printf("%ld of %ld\n", same, size);
		same = now == size ? same + 1 : 1;
		size = now;
	}
	say("%ld of %ld\n", same, size);
}

int main(void)
{
	int size;

	MUST(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 2 * MOST + 10, 2 * MOST + 10 }));
	/* The usual settings, and nobody else's pipes. */
	if (number("pipe-max-size") != 1 << 20 || number("pipe-user-pages-soft") != 16384 ||
	    number("pipe-user-pages-hard") != 0)
		return 77;
	/* Root may have as many as it likes. */
	many(0, 1100);
	for (int i = 0; i < 1100; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
	MUST(setresuid(54321, 54321, 54321));

	many(0, 1020);
	R(fcntl(ends[0][0], F_SETPIPE_SZ, 1 << 20));
	R(fcntl(ends[0][0], F_SETPIPE_SZ, 1 << 17));
	R(fcntl(ends[0][0], F_SETPIPE_SZ, (1 << 20) + 1));
	R(fcntl(ends[0][0], F_SETPIPE_SZ, 1 << 12));
	R(fcntl(ends[0][0], F_SETPIPE_SZ, 1 << 16));
	many(1020, 20);
	R(fcntl(ends[1030][0], F_SETPIPE_SZ, 1 << 14));
	R(fcntl(ends[1030][0], F_SETPIPE_SZ, 1 << 12));
	R(fcntl(ends[1031][0], F_SETPIPE_SZ, 1 << 13));

	/* A closed end is not yet a pipe less. */
	for (int i = 100; i < 110; i++)
		close(ends[i][0]);
	R(fcntl(ends[1031][0], F_SETPIPE_SZ, 1 << 14));
	for (int i = 100; i < 110; i++)
		close(ends[i][1]);
	R(fcntl(ends[1031][0], F_SETPIPE_SZ, 1 << 14));
	many(1040, 20);

	/* FIFOs count, too, while somebody has them open. */
	R(mkfifo("/tmp/pipe-limits-fifo", 0600));
	size = MUST(open("/tmp/pipe-limits-fifo", O_RDWR));
	R(unlink("/tmp/pipe-limits-fifo"));
	R(fcntl(size, F_GETPIPE_SZ));
	return 0;
}
