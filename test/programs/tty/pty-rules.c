/* Pseudoterminals: newlines that are editing characters, what concerns the master alone, what a flush leaves. */
#include "../check.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#ifndef TIOCGEXCL
#define TIOCGEXCL 0x80045440
#endif
#ifndef TIOCSIG
#define TIOCSIG 0x40045436
#endif

static int master, slave;

/* What is typed and what is written pass through queues of the host's kernel, which take a moment. */
static void show(const char *what, int fd)
{
	char bytes[8192];
	long n;

	sleep_ms(60);
	n = read(fd, bytes, sizeof bytes);
	say("%s: %ld", what, n);
	for (long i = 0; i < n && i < 40; i++) say(" %02x", (unsigned char)bytes[i]);
	say("\n");
}

static void edit(const char *what, int at, int other, const char *typed)
{
	struct termios t;

	tcgetattr(slave, &t);
	struct termios old = t;
	t.c_cc[at] = '\n';
	if (other >= 0) t.c_cc[other] = '\n';
	tcsetattr(slave, TCSANOW, &t);
	write(master, typed, strlen(typed));
	say("%s\n", what);
	show(" line", slave);
	show(" echo", master);
	tcsetattr(slave, TCSAFLUSH, &old);
	sleep_ms(20);
}

int main(void)
{
	int on = -1;
	char text[6000];

	MUST(openpty(&master, &slave, NULL, NULL, NULL));
	fcntl(master, F_SETFL, O_NONBLOCK);
	fcntl(slave, F_SETFL, O_NONBLOCK);
	edit("VKILL", VKILL, -1, "abc\nde\r");
	edit("VREPRINT", VREPRINT, -1, "abc\nde\004");
	edit("VLNEXT", VLNEXT, -1, "abc\n\nde\004");
	edit("VERASE", VERASE, -1, "abc\nde\004");
	edit("VKILL and VWERASE", VKILL, VWERASE, "abc de\nf\004");
	R(ioctl(master, TIOCSIG, SIGHUP));
	R(ioctl(master, TIOCSIG, SIGINT));
	R(ioctl(master, TIOCEXCL));
	MUST(ioctl(slave, TIOCGEXCL, &on));
	say("slave exclusive: %d\n", on);
	R(ioctl(master, TIOCNXCL));
	R(tcflow(master, TCIOFF));
	sleep_ms(20);
	R(write(slave, "x", 1));
	R(tcflow(master, TCION));
	sleep_ms(20);
	R(write(slave, "x", 1));
	show("output", master);
	R(tcflow(slave, TCOOFF));
	R(tcflow(slave, TCIOFF));
	R(tcflow(slave, TCOON));
	show("output", master);

	struct termios t;
	tcgetattr(slave, &t);
	cfmakeraw(&t);
	tcsetattr(slave, TCSANOW, &t);
	memset(text, 'a', 4095);
	memset(text + 4095, 'b', sizeof text - 4095);
	R(write(master, text, sizeof text));
	sleep_ms(60);
	R(tcsetattr(slave, TCSAFLUSH, &t));
	show("input after TCSAFLUSH", slave);
	R(write(master, text, sizeof text));
	sleep_ms(60);
	R(tcflush(slave, TCIFLUSH));
	show("input after tcflush", slave);
	return 0;
}
