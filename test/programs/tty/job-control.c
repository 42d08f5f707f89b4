/* A session with a controlling terminal: foreground and background groups, ^C, ^Z, hangup. */
#include "../check.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave, report;
static volatile int interrupts;

static void tell(const char *format, ...)
{
	char line[128];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	write(report, line, n);
}

static void on_interrupt(int signal)
{
	interrupts = signal;
}

static pid_t start(int foreground, void (*body)(void))
{
	pid_t pid = MUST(fork());

	if (pid == 0) {
		setpgid(0, 0);
		if (foreground) {
			signal(SIGTTOU, SIG_IGN);
			tcsetpgrp(slave, getpid());
			signal(SIGTTOU, SIG_DFL);
		}
		body();
		_exit(0);
	}
	setpgid(pid, pid);
	return pid;
}

static void reads(void)
{
	char c;

	_exit(read(slave, &c, 1) == 1 ? c : 100);
}

static void writes(void)
{
	write(slave, "x", 1);
	_exit(5);
}

static void sleeps(void)
{
	for (;;)
		pause();
}

static void ended(const char *what, pid_t pid, int options)
{
	int status;

	if (waitpid(pid, &status, options) != pid)
		tell("%s: %s\n", what, errno_name(errno));
	else if (WIFSTOPPED(status))
		tell("%s stopped by %s\n", what, strsignal(WSTOPSIG(status)));
	else if (WIFSIGNALED(status))
		tell("%s killed by %s\n", what, strsignal(WTERMSIG(status)));
	else
		tell("%s exited %d\n", what, WEXITSTATUS(status));
}

static void ask(pid_t foreground, char c)
{
	until(tcgetpgrp(slave) == foreground);
	write(master, &c, 1);
}

static void leader(void)
{
	struct termios t;
	pid_t pid;

	tell("setsid %d\n", setsid() == getpid());
	tell("no tty %d\n", open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
	tell("TIOCSCTTY %d\n", ioctl(slave, TIOCSCTTY, 0));
	tell("/dev/tty %d\n", open("/dev/tty", O_RDWR) >= 0);
	tell("tcgetpgrp %d tcgetsid %d\n", tcgetpgrp(slave) == getpid(), tcgetsid(slave) == getpid());
	signal(SIGTTOU, SIG_IGN);

	pid = start(1, sleeps);
	ask(pid, 3);
	ended("^C", pid, 0);
	pid = start(1, sleeps);
	ask(pid, 034);
	ended("^\\", pid, 0);
	pid = start(1, sleeps);
	ask(pid, 032);
	ended("^Z", pid, WUNTRACED);
	tell("foreground %d\n", tcgetpgrp(slave) == pid);
	tcsetpgrp(slave, getpid());
	kill(-pid, SIGCONT);
	kill(-pid, SIGTERM);
	ended("term", pid, 0);

	pid = start(0, reads);
	ended("background read", pid, WUNTRACED);
	tcsetpgrp(slave, pid);
	kill(-pid, SIGCONT);
	write(master, "q\n", 2);
	ended("then in the foreground", pid, 0);
	tcsetpgrp(slave, getpid());
	tcflush(slave, TCIFLUSH);

	pid = start(0, writes);
	ended("background write", pid, WUNTRACED);
	tcgetattr(slave, &t);
	t.c_lflag |= TOSTOP;
	tcsetattr(slave, TCSANOW, &t);
	pid = start(0, writes);
	ended("with tostop", pid, WUNTRACED);
	kill(-pid, SIGKILL);
	ended("kill", pid, 0);
	signal(SIGINT, on_interrupt);
	write(master, "\003", 1);
	until(interrupts != 0);
	tell("leader interrupted %d\n", interrupts);
	tell("tcsetpgrp of nobody %d\n", tcsetpgrp(slave, 99999999) == -1 ? errno : 0);
	tell("TIOCNOTTY %d\n", ioctl(slave, TIOCNOTTY, 0));
	tell("/dev/tty gone %d\n", open("/dev/tty", O_RDWR) == -1);
	tell("TIOCSCTTY %d\n", ioctl(slave, TIOCSCTTY, 0));
	interrupts = 0;
	signal(SIGHUP, on_interrupt);
	pid = start(1, sleeps);
	until(tcgetpgrp(slave) == pid);
	close(master);
	until(interrupts != 0);
	tell("hangup, foreground %d\n", waitpid(pid, NULL, WNOHANG | WUNTRACED));
	tell("leader hung up %d\n", interrupts == SIGHUP);
	kill(pid, SIGKILL);
	_exit(0);
}

int main(void)
{
	int fds[2], status;
	char buf[4096];
	ssize_t n;

	MUST(openpty(&master, &slave, NULL, NULL, NULL));
	MUST(pipe(fds));
	report = fds[1];
	pid_t pid = MUST(fork());
	if (pid == 0)
		leader();
	close(master);
	close(slave);
	close(fds[1]);
	while ((n = read(fds[0], buf, sizeof buf)) > 0)
		fwrite(buf, 1, n, stdout);
	waitpid(pid, &status, 0);
	say_status("leader", status);
	return 0;
}
