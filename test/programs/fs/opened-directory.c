/*
 * What follows an open of a directory that never changes: attributes, entries, positions and close, in any order, by the
 * program itself, by its children and through other descriptors.
 */
#define _GNU_SOURCE
#include "../check.h"
#include "../random.h"
#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

static unsigned seed = 11;

static void show(const char *what, long r)
{
	printf("%s %ld %s\n", what, r, r < 0 ? errno_name(errno) : "");
}

/* All that are left, in pieces: names and types, whatever their order and positions. */
static void entries(const char *what, int fd, unsigned room)
{
	static char bytes[70000];
	unsigned sum = 0, count = 0;
	long r;

	while ((r = syscall(SYS_getdents64, fd, bytes, room)) > 0) {
		for (long at = 0; at < r; at += ((struct dirent64 *)(bytes + at))->d_reclen, count++) {
			struct dirent64 *entry = (struct dirent64 *)(bytes + at);
			unsigned hash = entry->d_type;

			for (char *c = entry->d_name; *c; c++)
				hash = hash * 31 + (unsigned char)*c;
			sum += hash;
		}
	}
	printf("%s %ld %s %u %u\n", what, r, r < 0 ? errno_name(errno) : "", count, sum);
}

static void step(int *fd, const char *name)
{
	char bytes[100];
	struct stat st;
	int other, status;

	switch (rnd(16)) {
	case 0:
		show("fstat", fstat(*fd, &st));
		printf("%o %ld %ld %ld\n", st.st_mode, (long)st.st_nlink, (long)st.st_size, (long)st.st_mtime);
		break;
	case 1:
		show("fstatat", fstatat(*fd, "", &st, AT_EMPTY_PATH));
		printf("%o %ld\n", st.st_mode, (long)st.st_ino);
		break;
	case 2: case 3: case 4:
		entries("entries", *fd, rnd(3) ? 65536 : 100 + rnd(600));
		break;
	case 5:
		show("rewind", lseek(*fd, 0, SEEK_SET));
		break;
	case 6:
		show("back", lseek(*fd, -1, SEEK_SET));
		break;
	case 7:
		show("read", read(*fd, bytes, 0));
		show("pread", pread(*fd, bytes, rnd(2) * 10, rnd(3)));
		break;
	case 8:
		show("ioctl", ioctl(*fd, 0x5401, bytes));
		show("fadvise", posix_fadvise(*fd, 0, 0, POSIX_FADV_SEQUENTIAL));
		break;
	case 9:
		printf("flags %x\n", fcntl(*fd, F_GETFL));
		printf("closes %d\n", fcntl(*fd, F_GETFD));
		break;
	case 10:
		show("close", close(*fd));
		entries("entries of what is closed", *fd, 4096);
		show("close again", close(*fd));
		*fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		break;
	case 11:
		show("close", close(*fd));
		*fd = open(name, O_RDONLY);
		break;
	case 12:
		other = dup(*fd);
		entries("entries by the other", other, 300);
		show("rewind the other", rnd(2) ? lseek(other, 0, SEEK_SET) : 0);
		close(other);
		break;
	case 13:
		fflush(stdout);
		if (fork() == 0) {
			entries("entries for a child", *fd, 200);
			fflush(stdout);
			_exit(0);
		}
		wait(&status);
		break;
	case 14:
		show("write", write(*fd, bytes, 5));
		show("fchdir", fchdir(*fd));
		show("stat", fstatat(*fd, "..", &st, 0));
		break;
	default:
		other = openat(*fd, ".", O_RDONLY);
		entries("entries by name", other, 65536);
		show("close", close(other));
		break;
	}
}

int main(void)
{
	static const char *const names[] = { "/usr", "/usr/bin", "/etc/alternatives" };

	for (int i = 0; i < 3; i++) {
		int fd = open(names[i], O_RDONLY | O_DIRECTORY);

		for (int n = 0; n < 200; n++)
			step(&fd, names[i]);
		close(fd);
	}
	return 0;
}
