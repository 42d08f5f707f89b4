/* inotify(7): set-user-ID bits that a change takes away, splice(2), FIFOs; and flock(2) of what is open for neither way. */
#include "../check.h"
#include <sys/file.h>
#include <sys/inotify.h>

static int watch;

static void told(const char *what)
{
	char bytes[4096] __attribute__((aligned(8)));
	long n = read(watch, bytes, sizeof bytes);

	say("%s:", what);
	for (char *p = bytes; n > 0 && p < bytes + n;) {
		struct inotify_event *event = (void *)p;
		say(" %x", event->mask);
		p += sizeof *event + event->len;
	}
	say("\n");
}

int main(void)
{
	char dir[] = "/tmp/told-XXXXXX", bytes[16];

	MUST(mkdtemp(dir) == NULL ? -1 : 0);
	if (getuid() == 0) {
		MUST(chown(dir, 65534, 65534));
		MUST(setgid(65534));
		MUST(setuid(65534));
	}
	MUST(chdir(dir));
	watch = MUST(inotify_init1(IN_NONBLOCK));
	MUST(mkfifo("fifo", 0600));
	int file = MUST(open("file", O_CREAT | O_RDWR, 0600));
	MUST(inotify_add_watch(watch, ".", IN_ACCESS | IN_MODIFY | IN_ATTRIB));
	int fifo = MUST(open("fifo", O_RDWR));
	write(fifo, "abc", 3);
	told("write to a FIFO");
	read(fifo, bytes, 2);
	told("read of a FIFO");
	fchmod(file, 04755);
	told("chmod");
	write(file, "abcdef", 6);
	told("write");
	fchmod(file, 06755);
	told("chmod");
	ftruncate(file, 3);
	told("ftruncate");
	fchmod(file, 06755);
	told("chmod");
	truncate("file", 2);
	told("truncate");
	fchmod(file, 06755);
	told("chmod");
	posix_fallocate(file, 0, 100);
	told("fallocate");
	int ends[2];
	loff_t at = 0;
	MUST(pipe(ends));
	R(splice(file, &at, ends[1], NULL, 10, 0));
	told("splice from a file");
	at = 0;
	R(splice(ends[0], NULL, file, &at, 5, 0));
	told("splice to a file");
	int neither = MUST(open("file", 3));
	R(flock(neither, LOCK_SH | LOCK_NB));
	R(flock(neither, LOCK_EX | LOCK_NB));
	R(flock(neither, LOCK_UN));
	unlink("fifo");
	unlink("file");
	return 0;
}
