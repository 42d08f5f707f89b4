/* Pseudoterminals and the line discipline: pty(7), termios(3). */
#include "../check.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

/*
 * What was typed goes through a queue of the host's kernel, and what comes of it through another. Who finds nothing to
 * read waits for the queue; who sets attributes waits for whoever works on input, and its echo.
 */
static void settle(void)
{
	struct pollfd p = {slave, POLLIN, 0};
	struct termios t;

	poll(&p, 1, 0);
	tcgetattr(slave, &t);
	tcsetattr(slave, TCSANOW, &t);
}

static void show(const char *what, int fd)
{
	char buf[256];
	long n, more;

	settle();
	fcntl(fd, F_SETFL, O_NONBLOCK);
	n = read(fd, buf, sizeof buf);
	while (fd == master && n > 0 && (more = read(fd, buf + n, sizeof buf - n)) > 0)
		n += more;
	fcntl(fd, F_SETFL, 0);
	say("%s %ld", what, n);
	if (n < 0)
		say(" %s", errno_name(errno));
	for (long i = 0; i < n; i++)
		say(buf[i] >= ' ' && buf[i] < 127 ? " %c" : " %02x", (unsigned char)buf[i]);
	say("\n");
}

static void type(const char *text)
{
	say("type %zu\n", strlen(text));
	MUST(write(master, text, strlen(text)));
}

static void modes(unsigned iflag, unsigned oflag, unsigned lflag)
{
	struct termios t;

	tcgetattr(slave, &t);
	t.c_iflag = iflag;
	t.c_oflag = oflag;
	t.c_lflag = lflag;
	R(tcsetattr(slave, TCSANOW, &t));
}

int main(void)
{
	struct termios t;
	struct winsize size = {24, 80, 0, 0};
	char name[64];
	int n;

	R(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	R(unlockpt(3));
	R(ptsname_r(3, name, sizeof name));
	say("%.9s\n", name);
	close(3);
	R(openpty(&master, &slave, NULL, NULL, &size));
	R(isatty(master));
	R(isatty(slave));
	R(tcgetattr(slave, &t));
	say("%o %o %o %o\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
	for (int i = 0; i < 17; i++)
		say("%d ", t.c_cc[i]);
	say("\n");
	show("empty", slave);
	type("hello");
	show("echo", master);
	show("line not yet", slave);
	type("\n");
	show("echo", master);
	show("line", slave);
	type("abc\177\177x\n");
	show("erase echo", master);
	show("erase", slave);
	type("one two\027three\n");
	show("word erase echo", master);
	show("word erase", slave);
	type("kill me\025new\n");
	show("kill echo", master);
	show("kill", slave);
	type("lit\026\003eral\n");
	show("literal echo", master);
	show("literal", slave);
	type("tab\tctrl\001\n");
	show("control echo", master);
	show("control", slave);
	type("part\004");
	show("eof part", slave);
	type("\004");
	show("eof", slave);
	type("a\nb\nc\n");
	until(ioctl(slave, FIONREAD, &n) == 0 && n == 6);
	R(ioctl(slave, FIONREAD, &n));
	R(n);
	R(read(slave, name, 64));
	R(read(slave, name, 1));
	R(read(slave, name, 64));
	R(read(slave, name, 64));
	show("echo", master);
	R(write(slave, "out\nput", 7));
	show("opost", master);

	modes(0, 0, 0);
	R(tcgetattr(slave, &t));
	type("raw\r\n\003\004");
	show("raw", slave);
	R(write(slave, "a\nb", 3));
	show("no opost", master);
	modes(ICRNL | IUCLC, OPOST | OLCUC | ONLCR, ECHO | ICANON);
	type("MiXed\r");
	show("echo", master);
	show("icrnl iuclc", slave);
	modes(INLCR | IGNCR, 0, ECHO);
	type("a\r\nb");
	show("inlcr igncr", slave);
	modes(ISTRIP, 0, 0);
	type("\xe1\xe2");
	show("istrip", slave);
	tcgetattr(slave, &t);
	t.c_lflag = 0;
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 1;
	tcsetattr(slave, TCSANOW, &t);
	long begin = now_ms();
	R(read(slave, name, 10));
	R(now_ms() - begin >= 90);
	t.c_cc[VMIN] = 3;
	t.c_cc[VTIME] = 0;
	tcsetattr(slave, TCSANOW, &t);
	if (MUST(fork()) == 0) {
		write(master, "xy", 2);
		sleep_ms(30);
		write(master, "zw", 2);
		_exit(0);
	}
	R(read(slave, name, 10) >= 3);
	wait(NULL);
	show("rest", slave);
	struct termios lock = {.c_lflag = ECHO, .c_cc[VINTR] = 1}, wanted = t;
	R(ioctl(slave, TIOCSLCKTRMIOS, &lock));
	wanted.c_lflag ^= ECHO | ISIG;
	wanted.c_cc[VINTR] = 'x';
	wanted.c_cc[VQUIT] = 'y';
	R(tcsetattr(slave, TCSANOW, &wanted));
	R(tcgetattr(slave, &wanted));
	R((wanted.c_lflag ^ t.c_lflag) & (ECHO | ISIG));
	R(wanted.c_cc[VINTR] == t.c_cc[VINTR]);
	R(wanted.c_cc[VQUIT]);
	memset(&lock, 0, sizeof lock);
	R(ioctl(slave, TIOCGLCKTRMIOS, &lock));
	R(lock.c_lflag);
	memset(&lock, 0, sizeof lock);
	R(ioctl(slave, TIOCSLCKTRMIOS, &lock));
	R(tcsetattr(slave, TCSANOW, &t));
	R(tcflush(slave, TCIOFLUSH));
	R(ioctl(slave, TIOCGWINSZ, &size));
	say("%d %d\n", size.ws_row, size.ws_col);
	R(ioctl(slave, TIOCSTI, "x") == 0 || errno == EIO || errno == EPERM);
	R(tcgetpgrp(slave));
	/* A packet is what one read finds. */
	show("before packets", master);
	int on = 1;
	R(ioctl(master, TIOCPKT, &on));
	R(write(slave, "pkt", 3));
	show("packet", master);
	R(tcflow(slave, TCOOFF));
	show("stop", master);
	R(tcflow(slave, TCOON));
	show("start", master);
	on = 0;
	R(ioctl(master, TIOCPKT, &on));
	struct pollfd p = {master, POLLIN | POLLOUT, 0};
	R(poll(&p, 1, 0));
	R(p.revents);
	close(slave);
	R(poll(&p, 1, 0));
	R(p.revents);
	R(read(master, name, 1));
	R(write(master, "x", 1));
	R(ptsname_r(master, name, sizeof name));
	slave = MUST(open(name, O_RDWR | O_NOCTTY));
	show("again", slave);
	close(master);
	R(read(slave, name, 1));
	R(write(slave, "x", 1));
	R(access(name, F_OK));
	return 0;
}
