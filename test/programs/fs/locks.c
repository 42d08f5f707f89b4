/* fcntl(2) record locks, open file description locks, flock(2). */
#include "../check.h"
#include <sys/file.h>

static int fd;

static long lock(int cmd, int type, off_t from, off_t len)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = len};

	return fcntl(fd, cmd, &l);
}

static void get(int type, off_t from, off_t len)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = len};

	R(fcntl(fd, F_GETLK, &l));
	say("type %d from %ld len %ld ours %d\n", l.l_type, (long)l.l_start, (long)l.l_len, l.l_pid == getppid());
}

static void child(void)
{
	get(F_WRLCK, 0, 0);
	get(F_RDLCK, 0, 0);
	get(F_RDLCK, 25, 5);
	R(lock(F_SETLK, F_RDLCK, 0, 10));
	R(lock(F_SETLK, F_WRLCK, 12, 2));
	R(lock(F_SETLK, F_WRLCK, 14, 2));
	R(lock(F_SETLK, F_WRLCK, 50, 10));
}

static int waiting_child(void)
{
	return lock(F_SETLKW, F_WRLCK, 0, 0);
}

static int flock_child(void)
{
	int other = MUST(open("f", O_RDWR));

	R(flock(other, LOCK_SH | LOCK_NB));
	R(flock(fd, LOCK_EX | LOCK_NB));
	return flock(other, LOCK_EX);
}

/* A child that waits for a lock in this call; what it got is its status. */
static pid_t start(int (*body)(void), long nr)
{
	pid_t pid = MUST(fork());

	if (pid == 0)
		_exit(body());
	until(sleeps_in(pid, nr));
	return pid;
}

static void end(pid_t pid)
{
	int status;

	MUST(waitpid(pid, &status, 0));
	say_status("who waited for the lock", status);
}

static void takes_all(void)
{
	R(lock(F_SETLKW, F_WRLCK, 0, 0));
}

static void tries_all(void)
{
	R(lock(F_SETLK, F_WRLCK, 0, 0));
}

int main(void)
{
	fd = MUST(open("f", O_CREAT | O_RDWR, 0600));
	R(lock(F_SETLK, F_WRLCK, 10, 10));
	R(lock(F_SETLK, F_RDLCK, 30, 0));
	R(lock(F_SETLK, F_UNLCK, 14, 2));
	R(lock(F_SETLK, 77, 0, 0));
	R(lock(F_SETLK, F_WRLCK, -5, 2));
	in_child("child", child);

	pid_t pid = start(waiting_child, SYS_fcntl);
	R(lock(F_SETLK, F_UNLCK, 0, 0));
	end(pid);

	R(lock(F_SETLK, F_WRLCK, 0, 0));
	close(MUST(open("f", O_RDONLY)));
	get(F_WRLCK, 0, 0);
	in_child("gone with any close", takes_all);
	R(lock(F_SETLK, F_WRLCK, 0, 0));
	close(MUST(open("f", O_PATH)));
	in_child("kept when a path is closed", tries_all);
	R(lock(F_SETLK, F_UNLCK, 0, 0));

	int other = MUST(open("f", O_RDWR));
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	R(fcntl(fd, F_OFD_SETLK, &l));
	R(fcntl(other, F_OFD_SETLK, &l));
	l.l_type = F_UNLCK;
	R(fcntl(fd, F_OFD_SETLK, &l));

	R(flock(fd, LOCK_EX));
	pid = start(flock_child, SYS_flock);
	R(flock(fd, LOCK_UN));
	end(pid);
	R(flock(fd, 77));
	return 0;
}
