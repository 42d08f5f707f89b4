/*
 * Host names of one's own (uts_namespaces(7)): unshare, clone, setns, what /proc shows.
 * test: needs root
 */
#include "../check.h"
#include <sys/utsname.h>

static char first[65];

/* Names as they are told by uname and by /proc; the machine's own is not printed. */
static void show(const char *who)
{
	struct utsname name;
	char text[100] = "";
	int fd = MUST(open("/proc/sys/kernel/hostname", O_RDONLY));
	long n = MUST(read(fd, text, sizeof text - 1));

	close(fd);
	text[n - 1] = 0;
	uname(&name);
	say("%s: %s %s, %s\n", who, strcmp(name.nodename, first) ? name.nodename : "the first's",
	    strcmp(text, first) ? text : "the first's", strcmp(name.domainname, "a.domain") ? "no domain" : "a domain");
}

static ino_t number(const char *path)
{
	struct stat st;

	MUST(stat(path, &st));
	return st.st_ino;
}

static void child(void)
{
	show("child");
	R(sethostname("of-the-child", 12));
	R(setdomainname("a.domain", 8));
	show("child");
}

static void write_proc(const char *text)
{
	int fd = MUST(open("/proc/sys/kernel/hostname", O_WRONLY));

	R(write(fd, text, strlen(text)) == (long)strlen(text));
	close(fd);
}

int main(void)
{
	struct utsname name;
	int outside = MUST(open("/proc/self/ns/uts", O_RDONLY)), inside, status;
	ino_t was = number("/proc/self/ns/uts");
	pid_t pid;

	uname(&name);
	strcpy(first, name.nodename);
	if (unshare(CLONE_NEWUTS) == -1) {
		puts("may not unshare");
		return 77;
	}
	R(number("/proc/self/ns/uts") != was);
	show("unshared");
	R(sethostname("inside", 6));
	show("named");
	in_child("a child in the same", child);
	show("after the child");
	write_proc("through-proc");
	show("through proc");
	inside = MUST(open("/proc/self/ns/uts", O_RDONLY));
	pid = syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		show("cloned");
		R(sethostname("deeper", 6));
		show("cloned");
		R(setns(outside, CLONE_NEWNS));
		R(setns(outside, CLONE_NEWUTS));
		R(number("/proc/self/ns/uts") == was);
		show("back outside");
		R(setns(inside, 0));
		show("inside again");
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	show("parent");
	pid = MUST(fork());
	if (pid == 0) {
		MUST(setuid(65534));
		R(unshare(CLONE_NEWUTS));
		R(syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0));
		R(sethostname("x", 1));
		R(setns(outside, 0));
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	R(setns(outside, 0));
	show("outside");
	return 0;
}
