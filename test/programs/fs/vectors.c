/* readv(2), writev(2), sendmsg(2) and their like with many pieces, large ones, and pieces that are not there, or not yet. */
#include "../check.h"
#include <sys/socket.h>
#include <sys/uio.h>

#define MOST 1024
#define LARGE 40000

static struct iovec pieces[MOST + 1];
static char from[4 * LARGE], to[4 * LARGE];
static int fd;

static unsigned sum(const char *bytes, long len)
{
	unsigned value = 0;

	while (len-- > 0)
		value = value * 31 + (unsigned char)*bytes++;
	return value;
}

/* `count` pieces of `len` bytes each, every second byte of `base` left out. */
static void cut(char *base, int count, size_t len)
{
	for (int i = 0; i < count; i++)
		pieces[i] = (struct iovec){ base + 2 * len * (size_t)i, len };
}

static void show(long len)
{
	memset(to, 0, sizeof to);
	R(pread(fd, to, sizeof to, 0));
	say("sum %08x\n", sum(to, len));
	MUST(ftruncate(fd, 0));
	MUST(lseek(fd, 0, SEEK_SET));
}

static void many(void)
{
	cut(from, MOST, 7);
	R(writev(fd, pieces, MOST));
	R(pwritev(fd, pieces, 16, 3));
	show(MOST * 7);
	R(writev(fd, pieces, MOST + 1));
	R(writev(fd, pieces, -1));
	R(writev(fd, pieces, 0));
	cut(from, 2, LARGE);
	R(writev(fd, pieces, 2));
	R(lseek(fd, 0, SEEK_CUR));
	show(2 * LARGE);
}

static void missing(void)
{
	char *hole = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec *last = (struct iovec *)(hole + 4096) - 1;
	int ends[2];

	MUST(munmap(hole + 4096, 4096));
	pieces[0] = (struct iovec){ from, 5 };
	pieces[1] = (struct iovec){ hole + 4096, 5 };
	pieces[2] = (struct iovec){ from, 5 };
	R(writev(fd, pieces, 3));
	R(writev(fd, pieces + 1, 2));
	show(10);
	*last = pieces[0];
	R(writev(fd, last, 1));
	R(writev(fd, last, 2));
	R(writev(fd, NULL, 1));
	pieces[2].iov_len = (size_t)-1;
	R(writev(fd, pieces, 3));
	show(10);
	MUST(pipe(ends));
	R(writev(ends[1], pieces + 1, 1));
	MUST(mprotect(hole, 4096, PROT_NONE));
	pieces[1] = (struct iovec){ hole, 5 };
	R(writev(ends[1], pieces + 1, 1));
	R(writev(fd, pieces, 2));
	show(10);
	close(ends[0]);
	close(ends[1]);
	MUST(munmap(hole, 4096));
	MUST(munmap(hole + 2 * 4096, 4096));
}

/* Pages of a file's that nobody has touched, of memory that was never written, of a stack that has yet to grow. */
static void untouched(void)
{
	char name[] = "untouched";
	int file = MUST(open(name, O_CREAT | O_RDWR, 0600));
	char *shared, *fresh;

	for (int i = 0; i < 8; i++)
		MUST(pwrite(file, from + i, 4096, i * 4096));
	shared = mmap(NULL, 8 * 4096, PROT_READ, MAP_SHARED, file, 0);
	fresh = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 8; i++)
		pieces[i] = (struct iovec){ (i % 2 ? fresh : shared) + i * 4096 + 4000, 150 };
	R(writev(fd, pieces, 7));
	show(7 * 150);
	munmap(shared, 8 * 4096);
	munmap(fresh, 8 * 4096);
	close(file);
	unlink(name);
}

static void messages(void)
{
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 20 };
	int ends[2];

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	cut(from, 20, 9);
	R(sendmsg(ends[0], &message, 0));
	R(recv(ends[1], to, sizeof to, 0));
	say("sum %08x\n", sum(to, 180));
	pieces[3].iov_base = NULL;
	R(sendmsg(ends[0], &message, 0));
	R(recv(ends[1], to, sizeof to, MSG_DONTWAIT));
	cut(from, 20, 9);
	R(sendmsg(ends[0], &message, 0));
	cut(to, 20, 3);
	R(recvmsg(ends[1], &message, 0));
	say("flags %x, sum %08x\n", message.msg_flags & MSG_TRUNC, sum(to, 120));
	close(ends[0]);
	close(ends[1]);
}

/* At the end, whatever place is asked for. */
static void appended(void)
{
	int other = MUST(open("vectors", O_WRONLY | O_APPEND));

	cut(from, 4, 11);
	R(writev(other, pieces, 4));
	R(pwritev(other, pieces, 4, 0));
	R(lseek(other, 0, SEEK_CUR));
	close(other);
	show(88);
}

int main(void)
{
	for (unsigned i = 0; i < sizeof from; i++)
		from[i] = (char)(i * 7 + i / 251);
	fd = MUST(open("vectors", O_CREAT | O_RDWR | O_TRUNC, 0600));
	many();
	missing();
	untouched();
	messages();
	appended();
	close(fd);
	unlink("vectors");
	return 0;
}
