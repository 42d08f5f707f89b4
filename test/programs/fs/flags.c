/*
 * Flags of files (ioctl_iflags(2), chattr(1)) on tmpfs: what is immutable stays, what is append-only grows.
 * test: needs root
 */
#include "own-mounts.h"
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

static int flags_of(int fd)
{
	int flags = -1;

	return ioctl(fd, FS_IOC_GETFLAGS, &flags) == -1 ? -1 : flags;
}

static int set(int fd, int flags)
{
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static void attributes(const char *name)
{
	struct statx st;

	MUST(statx(AT_FDCWD, name, 0, STATX_BASIC_STATS, &st));
	say("  attributes %llx of %llx\n", (long long)st.stx_attributes & 0x70, (long long)st.stx_attributes_mask & 0x70);
}

/* All that may be done to a file. */
static void change(int fd)
{
	struct timespec times[2] = {{5, 0}, {6, 0}};
	int other;

	attributes("f");
	R(write(fd, "x", 1));
	R(ftruncate(fd, 2));
	R(truncate("f", 1));
	R(fallocate(fd, 0, 0, 10));
	R(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 10));
	R(other = open("f", O_WRONLY));
	close(other);
	R((other = open("f", O_WRONLY | O_APPEND)) >= 0);
	if (other >= 0) {
		R(write(other, "y", 1));
		R(fcntl(other, F_SETFL, 0));
		R(mmap(NULL, 1, PROT_WRITE, MAP_SHARED, other, 0) == MAP_FAILED);
		close(other);
	}
	R((other = open("f", O_RDWR | O_APPEND)) >= 0);
	R(mmap(NULL, 1, PROT_READ, MAP_SHARED, other, 0) == MAP_FAILED);
	R(mmap(NULL, 1, PROT_READ, MAP_PRIVATE, other, 0) == MAP_FAILED);
	close(other);
	R(open("f", O_WRONLY | O_APPEND | O_TRUNC));
	R((other = open("f", O_RDONLY)) >= 0);
	close(other);
	R(open("f", O_RDONLY | O_TRUNC));
	R(chmod("f", 0600));
	R(chown("f", 1, 1));
	R(utimensat(AT_FDCWD, "f", times, 0));
	R(utimensat(AT_FDCWD, "f", NULL, 0));
	R(link("f", "g"));
	R(rename("f", "h"));
	R(rename("other", "f"));
	R(setxattr("f", "user.a", "b", 1, 0));
	R(setxattr("f", "trusted.a", "b", 1, 0));
	R(access("f", W_OK));
	R(unlink("f"));
}

static void in_directory(void)
{
	int fd;

	attributes("d");
	R((fd = open("d/new", O_CREAT | O_WRONLY, 0600)) >= 0);
	close(fd);
	R(write(open("d/old", O_WRONLY), "x", 1));
	R(mkdir("d/sub", 0700));
	R(unlink("d/old"));
	R(rename("d/old", "d/renamed"));
	R(rename("other", "d/other"));
	R(chmod("d", 0711));
	R(rmdir("d"));
	R(rename("d", "e"));
}

static void without_right(void)
{
	int fd = MUST(open("mine", O_CREAT | O_RDWR, 0666)), theirs = MUST(open("theirs", O_CREAT | O_RDWR, 0666));

	MUST(fchown(fd, 65534, 65534));
	MUST(setuid(65534));
	R(set(fd, FS_NODUMP_FL | FS_NOATIME_FL));
	R(set(fd, FS_NODUMP_FL | FS_IMMUTABLE_FL));
	R(set(fd, FS_APPEND_FL));
	R(set(theirs, FS_NODUMP_FL));
	say("%x\n", flags_of(fd));
	attributes("mine");
}

int main(void)
{
	int fd, dir, fifo;

	own_tmpfs();
	fd = MUST(open("f", O_CREAT | O_RDWR, 0644));
	if (set(fd, 0) == -1) {
		puts("the host's tmpfs has no flags");
		return 77;
	}
	close(MUST(open("other", O_CREAT | O_RDWR, 0644)));
	MUST(mkfifo("fifo", 0600));
	fifo = MUST(open("fifo", O_RDWR));
	say("%x\n", flags_of(fd));
	say("%x %s\n", flags_of(fifo), errno_name(errno));
	R(set(fifo, FS_APPEND_FL));
	R(set(fd, FS_COMPR_FL));
	R(set(fd, FS_SYNC_FL | FS_APPEND_FL));
	R(ioctl(fd, FS_IOC_GETFLAGS, 8));
	R(ioctl(fd, FS_IOC_SETFLAGS, 8));
	R(set(fd, FS_IMMUTABLE_FL));
	say("%x\n", flags_of(fd));
	change(fd);
	R(set(fd, FS_APPEND_FL));
	change(fd);
	R(set(fd, 0));
	R(unlink("f"));

	MUST(mkdir("d", 0700));
	close(MUST(open("d/old", O_CREAT | O_RDWR, 0644)));
	dir = MUST(open("d", O_RDONLY));
	close(MUST(open("other", O_CREAT | O_RDWR, 0644)));
	R(set(dir, FS_IMMUTABLE_FL));
	in_directory();
	R(set(dir, FS_APPEND_FL));
	in_directory();
	R(set(dir, 0));
	in_child("without the right", without_right);
	return 0;
}
