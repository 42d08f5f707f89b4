/* F_NOTIFY (fcntl(2)): signals for what happens in a directory. */
#include "../check.h"

static int first, second;
static volatile int in_first, in_second, other;

static void note(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	if (info->si_fd == first)
		in_first++;
	else if (info->si_fd == second)
		in_second++;
	else
		other++;
}

/* What a call makes heard. */
#define H(call) \
	do { \
		in_first = in_second = other = 0; \
		MUST(call); \
		say("%s: %d %d %d\n", #call, in_first > 0, in_second > 0, other); \
	} while (0)

static void all(void)
{
	char data[10];
	int fd;

	H(mkdir("a/dir", 0700));
	H(rmdir("a/dir"));
	H(fd = open("a/file", O_CREAT | O_RDWR, 0600));
	H(write(fd, "data", 4));
	H(pread(fd, data, 4, 0));
	H(ftruncate(fd, 1));
	H(fchmod(fd, 0644));
	H(utimensat(AT_FDCWD, "a/file", NULL, 0));
	H(link("a/file", "b/link"));
	H(rename("a/file", "a/renamed"));
	H(rename("a/renamed", "b/moved"));
	H(rename("b/moved", "a/file"));
	H(chmod("a", 0755));
	H(unlink("b/link"));
	H(unlink("a/file"));
	H(close(fd));
}

static void in_a(void)
{
	H(mkdir("a/dir", 0700));
	H(rmdir("a/dir"));
}

/* Waits for a child that does something to the watch. */
static void a_child(int copy, int mask)
{
	pid_t pid = MUST(fork());

	if (pid == 0) {
		if (copy)
			close(MUST(dup(first)));
		if (mask >= 0)
			MUST(fcntl(first, F_NOTIFY, mask));
		_exit(0);
	}
	MUST(waitpid(pid, NULL, 0));
	in_a();
}

/* Which descriptor the signal names, and whose closing ends the watch. */
static void descriptors(void)
{
	first = MUST(open("a", O_RDONLY));
	second = MUST(dup(first));
	R(fcntl(first, F_SETSIG, SIGUSR1));
	say("by the second descriptor, too\n");
	R(fcntl(first, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	R(fcntl(second, F_NOTIFY, DN_DELETE));
	in_a();
	say("by the first again\n");
	R(fcntl(first, F_NOTIFY, DN_DELETE));
	in_a();
	say("a copy is closed\n");
	R(close(second));
	in_a();
	say("another process\n");
	R(fcntl(first, F_NOTIFY, DN_CREATE | DN_DELETE | DN_MULTISHOT));
	a_child(0, -1);
	a_child(1, -1);
	a_child(0, 0);
	a_child(0, DN_CREATE);
	R(fcntl(first, F_NOTIFY, 0));
	in_a();
}

int main(void)
{
	static const int masks[] = {DN_ACCESS, DN_MODIFY, DN_CREATE, DN_DELETE, DN_RENAME, DN_ATTRIB};
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
	int file;

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGIO, &action, NULL);
	MUST(mkdir("a", 0700));
	MUST(mkdir("b", 0700));
	file = MUST(open("c", O_CREAT | O_RDWR, 0600));
	first = MUST(open("a", O_RDONLY));
	second = MUST(open("b", O_RDONLY));
	R(fcntl(file, F_NOTIFY, DN_CREATE));
	R(fcntl(file, F_NOTIFY, 0));
	R(fcntl(-1, F_NOTIFY, DN_CREATE));
	R(fcntl(first, F_SETSIG, SIGUSR1));
	R(fcntl(second, F_SETSIG, SIGUSR1));
	for (unsigned i = 0; i < sizeof masks / sizeof *masks; i++) {
		say("mask %d\n", masks[i]);
		R(fcntl(first, F_NOTIFY, masks[i] | DN_MULTISHOT));
		R(fcntl(second, F_NOTIFY, masks[i] | DN_MULTISHOT));
		R(fcntl(first, F_GETOWN) == getpid());
		all();
		R(fcntl(first, F_NOTIFY, 0));
		R(fcntl(second, F_NOTIFY, 0));
	}
	say("none\n");
	all();
	say("once\n");
	R(fcntl(first, F_NOTIFY, DN_CREATE | DN_DELETE));
	H(mkdir("a/dir", 0700));
	H(rmdir("a/dir"));
	say("added\n");
	R(fcntl(first, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	R(fcntl(first, F_NOTIFY, DN_DELETE));
	H(mkdir("a/dir", 0700));
	H(rmdir("a/dir"));
	H(mkdir("a/dir", 0700));
	say("without a signal of its own\n");
	R(fcntl(first, F_SETSIG, 0));
	H(rmdir("a/dir"));
	H(close(first));
	H(mkdir("a/dir", 0700));
	H(rmdir("a/dir"));
	descriptors();
	return 0;
}
