/* ioctl_ficlone(2), ioctl_fideduperange(2): what is refused, and how. */
#include <linux/fs.h>
#include <sys/ioctl.h>
#include "../check.h"

static void clone_file(const char *what, int out, long in)
{
	int r = ioctl(out, FICLONE, in);
	printf("%s: %s\n", what, r == 0 ? "cloned" : strerror(errno));
}

static void clone_range(const char *what, int out, void *address)
{
	int r = ioctl(out, FICLONERANGE, address);
	printf("%s: %s\n", what, r == 0 ? "cloned" : strerror(errno));
}

static void dedupe(const char *what, int in, void *address)
{
	int r = ioctl(in, FIDEDUPERANGE, address);
	printf("%s: %s\n", what, r == 0 ? "same" : strerror(errno));
}

int main(void)
{
	int a = open("a", O_RDWR | O_CREAT, 0600), b = open("b", O_RDWR | O_CREAT, 0600);
	int reader = open("a", O_RDONLY), append = open("b", O_RDWR | O_APPEND), dir = open(".", O_RDONLY), ends[2];
	struct file_clone_range whole = { .src_fd = a };
	struct file_dedupe_range same = { .src_length = 4096 };
	pipe(ends);
	write(a, "text", 4);
	clone_file("files", b, a);
	clone_file("no file", b, -1);
	clone_file("into a reader", reader, b);
	clone_file("into an appender", append, a);
	clone_file("a directory", b, dir);
	clone_file("across filesystems", b, ends[0]);
	clone_file("a pipe", ends[1], ends[0]);
	clone_range("range", b, &whole);
	clone_range("no range", b, NULL);
	dedupe("dedupe", a, &same);
	dedupe("nowhere", a, NULL);
	dedupe("a directory", dir, &same);
	dedupe("a pipe", ends[0], &same);
	same.reserved1 = 1;
	dedupe("reserved", a, &same);
	return 0;
}
