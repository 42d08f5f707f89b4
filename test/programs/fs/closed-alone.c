/*
 * Files that a program closes are closed for others at once, though it makes no other call then: whoever asks whether a file is
 * in use, or is told of what happens to it, hears the truth. And what is read from /dev/urandom is never the same.
 */
#include "../check.h"
#include <dirent.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>

/* Long enough to be past what a program does at its beginning. */
#define BEGINNING 400

static volatile int *step;

static void be_past_the_beginning(void)
{
	for (int i = 0; i < BEGINNING; i++)
		umask(022);
}

/* Opens, uses and closes the file, says so, and makes no call at all until it may. */
static pid_t closes(const char *name, int flags, int mode)
{
	*step = 0;
	pid_t pid = MUST(fork());

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_past_the_beginning();
		int fd = MUST(open(name, flags, mode));
		if ((flags & O_ACCMODE) != O_RDONLY)
			MUST(write(fd, "#!/bin/true\n", 12));
		MUST(close(fd));
		*step = 1;
		while (*step != 2)
			;
		_exit(0);
	}
	while (*step != 1)
		sched_yield();
	return pid;
}

static void lets_go(pid_t pid)
{
	int status;

	*step = 2;
	MUST(waitpid(pid, &status, 0));
	say_status("who closed it", status);
}

static void a_script_can_run(void)
{
	pid_t pid = closes("script", O_WRONLY | O_CREAT | O_TRUNC, 0755);
	int status;
	pid_t runs = MUST(fork());

	if (runs == 0) {
		execl("./script", "script", NULL);
		say("execve: %s\n", errno_name(errno));
		_exit(1);
	}
	MUST(waitpid(runs, &status, 0));
	say_status("the script", status);
	lets_go(pid);
}

static void a_lease_is_given(void)
{
	pid_t pid = closes("leased", O_RDWR | O_CREAT, 0644);
	int fd = MUST(open("leased", O_RDWR));

	R(fcntl(fd, F_SETLEASE, F_WRLCK));
	R(fcntl(fd, F_SETLEASE, F_UNLCK));
	close(fd);
	lets_go(pid);
}

static int descriptors_of(pid_t pid)
{
	char path[64];
	int count = 0;

	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	while (dir != NULL && readdir(dir) != NULL)
		count++;
	if (dir != NULL)
		closedir(dir);
	return count;
}

static void proc_says_so(void)
{
	pid_t pid = closes("seen", O_RDWR | O_CREAT, 0644);

	say("as many descriptors as we have: %d\n", descriptors_of(pid) == descriptors_of(getpid()) - 1);
	lets_go(pid);
	pid = closes("/dev/urandom", O_RDONLY, 0);
	say("as many descriptors as we have: %d\n", descriptors_of(pid) == descriptors_of(getpid()) - 1);
	lets_go(pid);
}

static void events(int fd)
{
	char buffer[4096] __attribute__((aligned(8)));
	ssize_t n = read(fd, buffer, sizeof buffer);

	if (n == -1)
		say("no event: %s\n", errno_name(errno));
	for (char *at = buffer; n > 0 && at < buffer + n; at += sizeof(struct inotify_event) + ((struct inotify_event *)at)->len)
		say("event %x\n", ((struct inotify_event *)at)->mask);
}

static void watchers_hear_of_it(void)
{
	int fd = MUST(inotify_init1(IN_NONBLOCK));
	pid_t pid;

	close(MUST(open("watched", O_RDWR | O_CREAT, 0644)));
	pid = closes("watched", O_RDWR, 0);
	/* It was closed before anybody watched. */
	MUST(inotify_add_watch(fd, "watched", IN_CLOSE));
	lets_go(pid);
	events(fd);
	pid = closes("watched", O_RDONLY, 0);
	events(fd);
	lets_go(pid);
	pid = closes("watched", O_RDWR, 0);
	events(fd);
	lets_go(pid);
	close(fd);
}

static void locks_go(void)
{
	int fd = MUST(open("locked", O_RDWR | O_CREAT, 0644));

	*step = 0;
	pid_t pid = MUST(fork());
	if (pid == 0) {
		be_past_the_beginning();
		int own = MUST(open("locked", O_RDWR)), other = MUST(open("locked", O_RDWR));
		MUST(fcntl(own, F_SETLK, &(struct flock){.l_type = F_WRLCK}));
		MUST(flock(own, LOCK_EX));
		*step = 1;
		while (*step != 2)
			;
		int third = MUST(open("locked", O_RDONLY));
		/* Of any descriptor: all of the process's locks on the file go. */
		close(third);
		*step = 3;
		while (*step != 4)
			;
		close(own);
		*step = 5;
		while (*step != 6)
			;
		close(other);
		_exit(0);
	}
	while (*step != 1)
		sched_yield();
	R(fcntl(fd, F_SETLK, &(struct flock){.l_type = F_WRLCK}));
	R(flock(fd, LOCK_EX | LOCK_NB));
	*step = 2;
	while (*step != 3)
		sched_yield();
	R(fcntl(fd, F_SETLK, &(struct flock){.l_type = F_WRLCK}));
	R(flock(fd, LOCK_EX | LOCK_NB));
	*step = 4;
	while (*step != 5)
		sched_yield();
	R(flock(fd, LOCK_EX | LOCK_NB));
	*step = 6;
	MUST(wait(NULL));
	close(fd);
}

/* What it does with a descriptor that it closed, and with one that has its number then. */
static void numbers(void)
{
	char buffer[8];
	int fd = MUST(open("numbers", O_RDWR | O_CREAT | O_TRUNC, 0644));

	R(write(fd, "abcdef", 6));
	R(lseek(fd, 1, SEEK_SET));
	R(lseek(fd, 1, SEEK_CUR));
	R(read(fd, buffer, 2));
	R(lseek(fd, 0, SEEK_CUR));
	R(close(fd));
	R(close(fd));
	R(read(fd, buffer, 2));
	R(lseek(fd, 0, SEEK_CUR));
	int again = MUST(open("numbers", O_RDWR | O_APPEND));
	say("the same number: %d\n", again == fd);
	R(write(again, "gh", 2));
	R(lseek(again, 0, SEEK_CUR));
	int copy = MUST(dup(again));
	R(close(again));
	R(lseek(copy, 0, SEEK_CUR));
	R(pread(copy, buffer, 8, 0));
	say("%.8s\n", buffer);
	R(close(copy));
	fd = MUST(open("numbers", O_RDONLY));
	if (fork() == 0) {
		be_past_the_beginning();
		R(read(fd, buffer, 3));
		R(close(fd));
		R(close(fd));
		_exit(0);
	}
	MUST(wait(NULL));
	R(read(fd, buffer, 3));
	say("%.3s\n", buffer);
	R(close(fd));
	R(unlink("numbers"));
}

/* One that is read and written so often that the program may do so by itself, then closed. */
static void used_often(void)
{
	static char bytes[65536];
	int late = 0;

	for (int i = 0; i < 30; i++) {
		int fd = MUST(open("often", O_RDWR | O_CREAT, 0644));

		for (int k = 0; k < 100; k++) {
			MUST(pwrite(fd, bytes, sizeof bytes, k % 10 * sizeof bytes));
			MUST(pread(fd, bytes, sizeof bytes, k % 10 * sizeof bytes));
		}
		MUST(lseek(fd, 100, SEEK_SET));
		MUST(close(fd));
		late += pread(fd, bytes, sizeof bytes, 0) != -1;
		late += pwrite(fd, bytes, sizeof bytes, 0) != -1;
	}
	say("late: %d\n", late);
}

/* Mode 3 is for ioctl(2) alone. */
static void rights(void)
{
	char byte = 'r';
	int fd = MUST(open("rights", O_RDWR | O_CREAT, 0644));

	MUST(write(fd, "abc", 3));
	close(fd);
	fd = MUST(open("rights", O_ACCMODE));
	R(read(fd, &byte, 1));
	R(write(fd, &byte, 1));
	R(pread(fd, &byte, 1, 0));
	R(ftruncate(fd, 0));
	say("mapped: %d\n", mmap(NULL, 3, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	close(fd);
	for (int mode = O_WRONLY; mode <= O_ACCMODE; mode++) {
		if (mode == O_RDWR)
			continue;
		fd = MUST(open("/dev/urandom", mode));
		R(read(fd, &byte, 1));
		R(write(fd, &byte, 1));
		R(close(fd));
	}
}

static volatile int rang;

static void on_alarm(int signo)
{
	rang += signo != 0;
	/* The handler opens and closes, too. */
	close(open("/dev/null", O_RDONLY));
}

static void with_signals(void)
{
	struct itimerval often = {{0, 200}, {0, 200}};
	int lost = 0;

	signal(SIGALRM, on_alarm);
	int before = descriptors_of(getpid());
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 5000 || rang < 20; i++) {
		int fd = open("stormy", O_RDWR | O_CREAT, 0644);
		lost += write(fd, &i, sizeof i) != sizeof i;
		lost += close(fd) != 0;
	}
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	say("lost %d, left open %d\n", lost, descriptors_of(getpid()) - before);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 8);
}

/* However it is read: by us, by a child that has the same file, in pieces, at a position. */
static void random_bytes(void)
{
	static uint64_t (*all)[256];
	int status, same = 0, fd;
	void *volatile nowhere = (void *)16;

	all = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 64; i++) {
		uint64_t *own = all[0] + 16 * i;

		fd = MUST(open("/dev/urandom", i % 2 ? O_RDONLY : O_RDWR));
		MUST(read(fd, own, 8));
		if (i % 4 == 0 && fork() == 0) {
			be_past_the_beginning();
			MUST(read(fd, own + 1, 16));
			_exit(0);
		}
		MUST(read(fd, own + 3, 8));
		MUST(pread(fd, own + 4, 8, 0));
		MUST(pread(fd, own + 5, 8, 8));
		MUST(lseek(fd, 0, SEEK_SET));
		MUST(read(fd, own + 6, 8));
		MUST(read(fd, own + 7, 64));
		MUST(close(fd));
		own[15] = own[3] + 1;
		if (i % 4 == 0)
			MUST(wait(&status));
		else
			own[1] = own[4] + 1, own[2] = own[5] + 1;
	}
	qsort(all, 1024, 8, compare);
	for (int i = 1; i < 1024; i++)
		same += all[0][i] == all[0][i - 1];
	say("came again: %d\n", same);
	fd = MUST(open("/dev/urandom", O_RDONLY));
	R(read(fd, NULL, 0));
	R(read(fd, nowhere, 8));
	R(lseek(fd, 5, SEEK_SET));
	R(lseek(fd, 0, SEEK_CUR));
	R(lseek(fd, 0, 77));
	R(read(fd, all, 32));
	R(read(fd, all, 1));
	R(read(fd, all, 16384));
	R(fcntl(fd, F_GETFL) & O_ACCMODE);
	R(close(fd));
	R(read(fd, all, 1));
}

int main(void)
{
	char dir[] = "/dev/shm/closed-alone.XXXXXX";

	step = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(mkdtemp(dir) == NULL ? -1 : chdir(dir));
	be_past_the_beginning();
	a_script_can_run();
	a_lease_is_given();
	proc_says_so();
	watchers_hear_of_it();
	locks_go();
	numbers();
	used_often();
	rights();
	with_signals();
	random_bytes();
	MUST(system("rm -r $PWD"));
	return 0;
}
