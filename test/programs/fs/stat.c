/* stat(2), statx(2), chmod, umask, access, utimensat, statfs. */
#include "../check.h"
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static void mode(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		say("%s: %s\n", path, errno_name(errno));
	else
		say("%s: %o size %ld\n", path, st.st_mode, S_ISDIR(st.st_mode) ? 0 : (long)st.st_size);
}

static void times(const char *path)
{
	struct stat st;

	lstat(path, &st);
	say("%s: %ld.%09ld %ld.%09ld\n", path, st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

int main(void)
{
	struct stat st;
	struct statx sx;

	R(umask(027));
	close(MUST(open("f", O_CREAT | O_WRONLY, 0777)));
	mkdir("d", 0777);
	symlink("ffff", "s");
	mkfifo("p", 0666);
	mode("f");
	mode("d");
	mode("s");
	mode("p");
	mode("nope");
	R(umask(0));
	R(chmod("f", 04751));
	mode("f");
	R(chmod("d", 01777));
	mode("d");
	R(chmod("nope", 0));
	R(fchmodat(AT_FDCWD, "f", 0600, 0));
	int fd = MUST(open("f", O_RDWR));
	R(fchmod(fd, 0640));
	mode("f");
	R(stat("s", &st));
	R(fstatat(fd, "", &st, AT_EMPTY_PATH));
	R(fstatat(fd, "", &st, 0));
	R(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &sx));
	R(sx.stx_mask & STATX_BASIC_STATS);
	R(sx.stx_mode);
	R(statx(AT_FDCWD, "f", 0x10000, STATX_BASIC_STATS, &sx));
	R(stat("f", (void *)8));

	struct timespec ts[2] = {{100, 5}, {200, 7}};
	R(utimensat(AT_FDCWD, "f", ts, 0));
	times("f");
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_sec = 300;
	R(utimensat(AT_FDCWD, "f", ts, 0));
	times("f");
	ts[1].tv_nsec = 1000000000;
	R(utimensat(AT_FDCWD, "f", ts, 0));
	ts[0] = (struct timespec){1, 1};
	ts[1] = (struct timespec){2, 2};
	R(utimensat(AT_FDCWD, "s", ts, AT_SYMLINK_NOFOLLOW));
	stat("f", &st);
	long before = st.st_ctime;
	R(before > 1000000000);
	R(write(fd, "x", 1));
	fstat(fd, &st);
	R(st.st_mtime > 300);
	R(futimens(fd, NULL));

	R(access("f", R_OK | W_OK));
	R(access("f", 8));
	R(access("nope/x", F_OK));
	R(faccessat(AT_FDCWD, "s", F_OK, AT_SYMLINK_NOFOLLOW));
	R(faccessat(AT_FDCWD, "s", F_OK, 0));
	struct statfs fs;
	R(statfs(".", &fs));
	R(fs.f_namelen);
	R(fs.f_bsize);
	R(statfs("/proc", &fs));
	R(fs.f_type);
	stat("/dev/null", &st);
	say("null %o %d,%d\n", st.st_mode & S_IFMT, major(st.st_rdev), minor(st.st_rdev));
	stat("/dev/zero", &st);
	say("zero %o %d,%d\n", st.st_mode, major(st.st_rdev), minor(st.st_rdev));
	return 0;
}
