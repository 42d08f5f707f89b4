/* Reads into memory that is not all there: what did not fit stays to be read. */
#define _GNU_SOURCE
#include "../check.h"
#include <sys/socket.h>
#include <sys/uio.h>

#define PAGE 4096

/* Its first page can be written; a touch of the second is SIGSEGV, or SIGBUS. */
static char *segv, *bus;
static char data[70000];

static void make_memory(void)
{
	int fd = MUST(memfd_create("short", 0));

	segv = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(mprotect(segv + PAGE, PAGE, PROT_READ));
	MUST(ftruncate(fd, 100));
	bus = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(data, 'x', sizeof data);
}

/* What is there. */
static void rest(const char *what, int fd)
{
	static char some[sizeof data];
	long all = 0, n;

	while ((n = read(fd, some, sizeof some)) > 0)
		all += n;
	say("%s: %ld left\n", what, all);
}

static void from_file(void)
{
	int fd = MUST(memfd_create("file", 0));

	MUST(write(fd, data, 9000));
	for (int i = 0; i < 2; i++) {
		char *at = i == 0 ? segv : bus;
		struct iovec parts[] = {{at, 2}, {at + PAGE, 3}};

		MUST(lseek(fd, 0, SEEK_SET));
		R(read(fd, at + PAGE, 10));
		R(read(fd, at + PAGE, PAGE));
		R(pread(fd, at + PAGE, PAGE, 8999));
		R(pread(fd, at + PAGE, PAGE, 9000));
		R(lseek(fd, 0, SEEK_CUR));
		R(read(fd, at + PAGE - 96, PAGE));
		R(lseek(fd, 0, SEEK_CUR));
		R(readv(fd, parts, 2));
		R(lseek(fd, 0, SEEK_CUR));
	}
	R(pwrite(fd, bus + PAGE, 10, 0));
	R(pwrite(fd, bus + PAGE - 10, 20, 0));
}

/* A source that was filled by `first` and `second` bytes. */
static void filled(int write_end, long first, long second)
{
	MUST(write(write_end, data, first));
	if (second > 0)
		MUST(write(write_end, data, second));
}

static void from_ends(const char *what, int write_end, int read_end, long first, long second)
{
	say("%s, %ld and %ld bytes\n", what, first, second);
	for (int i = 0; i < 2; i++) {
		char *at = i == 0 ? segv : bus;
		char few[4];
		struct iovec later[] = {{few, 2}, {at + PAGE, 3}};
		struct iovec across[] = {{few, 4}, {at + PAGE - 1, 3}};

		R(read(read_end, at + PAGE, 5));
		filled(write_end, first, second);
		R(read(read_end, at + PAGE, 5));
		rest("at once bad", read_end);
		filled(write_end, first, second);
		R(read(read_end, at + PAGE - 3, 6));
		rest("bad across", read_end);
		filled(write_end, first, second);
		R(read(read_end, at + PAGE - 6, sizeof data));
		rest("bad after six", read_end);
		filled(write_end, first, second);
		R(readv(read_end, later, 2));
		rest("a bad part", read_end);
		filled(write_end, first, second);
		R(readv(read_end, across, 2));
		rest("a part across", read_end);
	}
}

static void from_pipe(int flags)
{
	int ends[2];

	MUST(pipe2(ends, O_NONBLOCK | flags));
	from_ends("pipe", ends[1], ends[0], 5, 0);
	from_ends("pipe", ends[1], ends[0], 4096, 5);
	from_ends("pipe", ends[1], ends[0], 2, 4096);
	close(ends[1]);
	R(read(ends[0], segv + PAGE, 5));
}

static void from_socket(int type)
{
	int ends[2];

	MUST(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends));
	from_ends("socket", ends[0], ends[1], 5, 0);
	from_ends("socket", ends[0], ends[1], 4, 5);
	from_ends("socket", ends[0], ends[1], 2, 4096);
	R(recv(ends[1], segv + PAGE, 5, 0));
	MUST(write(ends[0], data, 5));
	R(recv(ends[1], segv + PAGE, 5, MSG_PEEK));
	R(recv(ends[1], segv + PAGE - 2, 5, MSG_PEEK));
	R(recv(ends[1], segv + PAGE - 2, 2, MSG_PEEK));
	R(recv(ends[1], segv + PAGE - 2, 5, 0));
	rest("received", ends[1]);
	close(ends[0]);
	R(recv(ends[1], segv + PAGE, 5, 0));
}

/* A write that fills a pipe begins in the last slot, with what is more than whole pages, however long it is. */
static void merged(void)
{
	static const long sizes[][2] = {{500, 67318}, {500, 65536}, {4000, 67318}, {1, 65537}, {4095, 65537}};

	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		int ends[2];

		MUST(pipe2(ends, O_NONBLOCK));
		MUST(write(ends[1], data, sizes[i][0]));
		R(write(ends[1], data, sizes[i][1]));
		rest("merged", ends[0]);
	}
}

int main(void)
{
	make_memory();
	from_file();
	from_pipe(0);
	from_pipe(O_DIRECT);
	from_socket(SOCK_STREAM);
	from_socket(SOCK_DGRAM);
	from_socket(SOCK_SEQPACKET);
	merged();
	return 0;
}
