/*
 * A filesystem that is unmounted ends the watches on its files (inotify(7), IN_UNMOUNT).
 * test: needs root
 */
#include "../check.h"
#include <sys/inotify.h>
#include <sys/mount.h>

static void drain(int fd)
{
	char data[4096];
	long n = read(fd, data, sizeof data);

	if (n < 0)
		say("%s\n", errno_name(errno));
	for (long i = 0; i < n;) {
		struct inotify_event *event = (void *)(data + i);

		say("wd %d mask %x %s\n", event->wd, event->mask, event->len ? event->name : "");
		i += sizeof *event + event->len;
	}
}

int main(void)
{
	int fd = MUST(inotify_init1(IN_NONBLOCK));

	MUST(mkdir("at", 0700));
	if (mount("none", "at", "tmpfs", 0, NULL) == -1) {
		puts("may not mount");
		return 77;
	}
	MUST(mkdir("again", 0700));
	MUST(mount("at", "again", NULL, MS_BIND, NULL));
	R(inotify_add_watch(fd, "at", IN_CREATE));
	R(umount("again"));
	drain(fd);
	R(umount("at"));
	drain(fd);
	R(inotify_rm_watch(fd, 1));
	R(inotify_add_watch(fd, "at", IN_CREATE));
	MUST(mkdir("at/new", 0700));
	drain(fd);
	return 0;
}
