/* Leases (fcntl(2)): who may have one, who waits for whom, what the holder is told. */
/* test: flags -D_GNU_SOURCE */
#include "../check.h"
#include <sys/ioctl.h>

static siginfo_t seen;
static volatile int signals;

static void note(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	seen = *info;
	signals++;
}

static void catch(int signal)
{
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};

	MUST(sigaction(signal, &action, NULL));
}

static const char *const types[] = {"F_RDLCK", "F_WRLCK", "F_UNLCK"};

/* What /proc says of it: without its number, process, device and range. */
static void show_locks(int fd)
{
	char path[64], line[300];
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (fgets(line, sizeof line, f)) {
		char *kind = strstr(line, "LEASE");

		if (kind != NULL && strchr(kind + 18, ' ') != NULL)
			*strchr(kind + 18, ' ') = 0, say("  %s\n", kind);
	}
	fclose(f);
}

static void show(int fd)
{
	show_locks(fd);

	int type = fcntl(fd, F_GETLEASE);

	say("  lease %s\n", type < 0 ? "none" : types[type]);
}

/* Opens of the file by others, and which leases they leave possible. */
static void with_opens(void)
{
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};

	for (int own = 0; own < 3; own++) {
		for (int other = -1; other < 3; other++) {
			int fd = MUST(open("file", modes[own]));
			int fd2 = other < 0 ? -1 : MUST(open("file", modes[other]));

			say("own %d other %d\n", own, other);
			R(fcntl(fd, F_SETLEASE, F_RDLCK));
			R(fcntl(fd, F_SETLEASE, F_WRLCK));
			show(fd);
			R(fcntl(fd, F_SETLEASE, F_UNLCK));
			close(fd);
			close(fd2);
		}
	}
}

static void two_holders(void)
{
	int a = MUST(open("file", O_RDONLY)), b = MUST(open("file", O_RDONLY));

	R(fcntl(a, F_SETLEASE, F_RDLCK));
	R(fcntl(b, F_SETLEASE, F_RDLCK));
	R(fcntl(b, F_SETLEASE, F_WRLCK));
	show(a);
	show(b);
	int c = MUST(dup(a));
	show(c);
	close(a);
	show(c);
	close(c);
	R(fcntl(b, F_SETLEASE, F_WRLCK));
	show(b);
	close(b);
}

static void errors(void)
{
	int dir = MUST(open(".", O_RDONLY)), pipes[2], fd = MUST(open("file", O_RDONLY));
	int path = MUST(open("file", O_PATH));

	MUST(pipe(pipes));
	R(fcntl(dir, F_SETLEASE, F_UNLCK));
	R(fcntl(pipes[0], F_SETLEASE, F_RDLCK));
	R(fcntl(pipes[0], F_GETLEASE));
	R(fcntl(path, F_SETLEASE, F_RDLCK));
	R(fcntl(path, F_GETLEASE));
	R(fcntl(fd, F_SETLEASE, 3));
	R(fcntl(fd, F_SETLEASE, F_UNLCK));
	R(fcntl(fd, F_GETLEASE));
	close(dir);
	close(pipes[0]);
	close(pipes[1]);
	close(path);
	close(fd);
}

/* What the breaker does; its errno. */
static int breaker(int how)
{
	static const int modes[] = {O_RDONLY, O_WRONLY, 0, O_RDWR | O_NONBLOCK, 0, O_RDONLY | O_TRUNC};
	int result;

	if (how == 2)
		result = truncate("file", 3);
	else if (how == 4)
		result = chmod("file", 0640) | rename("file", "other") | rename("other", "file");
	else
		result = open("file", modes[how]);
	return result < 0 ? errno : 0;
}

static void broken(int lease, int how, int reaction)
{
	int fd = MUST(open("file", O_RDONLY)), status;
	siginfo_t ended = {0};
	pid_t pid;

	say("%s broken by %d, then %d\n", types[lease], how, reaction);
	signals = 0;
	memset(&seen, 0, sizeof seen);
	R(fcntl(fd, F_SETSIG, how % 2 ? SIGUSR1 : 0));
	R(fcntl(fd, F_SETLEASE, lease));
	R(fcntl(fd, F_GETOWN) == getpid());
	pid = MUST(fork());
	if (pid == 0) {
		close(fd);
		_exit(breaker(how));
	}
	until(signals > 0 || (waitid(P_PID, pid, &ended, WEXITED | WNOWAIT | WNOHANG) == 0 && ended.si_pid == pid));
	say("  signals %d signo %d fd %d band %lx code %d\n", signals, seen.si_signo, signals && how % 2 ? seen.si_fd == fd : 0,
	    how % 2 ? seen.si_band : 0l, seen.si_code);
	show(fd);
	if (reaction == F_RDLCK && how != 0)
		R(fcntl(fd, F_SETLEASE, F_WRLCK));
	if (reaction >= 0)
		R(fcntl(fd, F_SETLEASE, reaction));
	close(fd);
	MUST(waitpid(pid, &status, 0));
	say("  the breaker: %s\n", strerror(WEXITSTATUS(status)));
}

static void interrupted(void)
{
	int fd = MUST(open("file", O_RDONLY)), status;
	pid_t pid;

	signal(SIGIO, SIG_IGN);
	R(fcntl(fd, F_SETLEASE, F_RDLCK));
	pid = MUST(fork());
	if (pid == 0) {
		struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};

		sigaction(SIGALRM, &action, NULL);
		R(open("file", O_WRONLY));
		_exit(0);
	}
	until(sleeps_in(pid, SYS_openat));
	kill(pid, SIGALRM);
	waitpid(pid, &status, 0);
	show(fd);
	R(fcntl(fd, F_SETLEASE, F_RDLCK));
	R(fcntl(fd, F_SETLEASE, F_UNLCK));
	close(fd);
	catch(SIGIO);
}

static void runs(void)
{
	int fd = MUST(open("program", O_CREAT | O_WRONLY, 0700)), status;
	pid_t pid;

	MUST(write(fd, "#!/bin/sh\nexit 3\n", 17));
	close(fd);
	fd = MUST(open("program", O_RDONLY));
	signals = 0;
	R(fcntl(fd, F_SETLEASE, F_WRLCK));
	pid = MUST(fork());
	if (pid == 0) {
		close(fd);
		execl("program", "program", NULL);
		_exit(1);
	}
	until(signals > 0);
	show(fd);
	R(fcntl(fd, F_SETLEASE, F_RDLCK));
	MUST(waitpid(pid, &status, 0));
	say_status("program", status);
	show(fd);
	close(fd);
}

int main(void)
{
	close(MUST(open("file", O_CREAT | O_WRONLY, 0600)));
	catch(SIGIO);
	catch(SIGUSR1);
	errors();
	with_opens();
	two_holders();
	broken(F_WRLCK, 0, F_RDLCK);
	broken(F_WRLCK, 0, F_UNLCK);
	broken(F_WRLCK, 1, F_RDLCK);
	broken(F_WRLCK, 1, F_UNLCK);
	broken(F_RDLCK, 1, F_UNLCK);
	broken(F_RDLCK, 0, F_UNLCK);
	broken(F_RDLCK, 2, -1);
	broken(F_WRLCK, 3, F_UNLCK);
	broken(F_WRLCK, 4, F_UNLCK);
	broken(F_RDLCK, 5, F_UNLCK);
	interrupted();
	runs();
	return 0;
}
