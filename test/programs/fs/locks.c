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

/* Says what it got a little later, so that the parent's line comes first. */
static void waiting_child(void)
{
	long result = lock(F_SETLKW, F_WRLCK, 0, 0);

	sleep_ms(50);
	say("waited for the lock: %ld\n", result);
}

static void flock_child(void)
{
	int other = MUST(open("f", O_RDWR));

	R(flock(other, LOCK_SH | LOCK_NB));
	R(flock(fd, LOCK_EX | LOCK_NB));
	long result = flock(other, LOCK_EX);
	sleep_ms(50);
	say("waited for the lock: %ld\n", result);
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

	pid_t pid = fork();
	if (pid == 0) {
		waiting_child();
		_exit(0);
	}
	sleep_ms(100);
	say("unlock\n");
	R(lock(F_SETLK, F_UNLCK, 0, 0));
	waitpid(pid, NULL, 0);

	R(lock(F_SETLK, F_WRLCK, 0, 0));
	close(MUST(open("f", O_RDONLY)));
	get(F_WRLCK, 0, 0);
	in_child("gone with any close", waiting_child);

	int other = MUST(open("f", O_RDWR));
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	R(fcntl(fd, F_OFD_SETLK, &l));
	R(fcntl(other, F_OFD_SETLK, &l));
	l.l_type = F_UNLCK;
	R(fcntl(fd, F_OFD_SETLK, &l));

	R(flock(fd, LOCK_EX));
	pid = fork();
	if (pid == 0) {
		flock_child();
		_exit(0);
	}
	sleep_ms(100);
	say("unlock\n");
	R(flock(fd, LOCK_UN));
	waitpid(pid, NULL, 0);
	R(flock(fd, 77));
	return 0;
}
