/*
 * A program does what it did the last times, and others come between two of its calls: they change the files that it is going
 * to open, or look at it. It waits for them without any call.
 * test: prepare for i in $(seq 1 30); do mkdir -p $i/d; for f in a b c d/e; do echo $f of $i >$i/$f; done; done
 */
#define _GNU_SOURCE
#include "../check.h"
#include <dirent.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>

#define EQUAL 5
#define BLOCK (64 * 4096L)

struct shared {
	volatile int stage, signals;
	char *volatile middle;
	char *volatile gone;
};

static const char *self;
static struct shared *shared;
static char home[1000];

static char text[8000];
static int length;

static void tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	length += vsnprintf(text + length, sizeof text - length - 1, format, args);
	va_end(args);
}

/* Without a call. */
static void wait_for(int stage)
{
	while (shared->stage < stage)
		;
}

static void on_signal(int signal)
{
	int fd = open("d/e", O_RDONLY);

	tell("signal: %d\n", fd);
	close(fd);
	shared->signals++;
}

static void show(const char *name)
{
	struct stat st = { 0 };
	char bytes[100];
	int fd = open(name, O_RDONLY);
	long n = fd < 0 ? 0 : read(fd, bytes, sizeof bytes);

	tell("%s: %d %s %.*s\n", name, fd, fd < 0 ? errno_name(errno) : "", (int)(n < 0 ? 0 : n), bytes);
	fstat(fd, &st);
	tell("%o\n", st.st_mode & S_IXUSR);
	close(fd);
}

/* What is run over and over. */
static void program(void)
{
	char *first, *second, name[1000];
	int fd = open("../shared", O_RDWR);

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	signal(SIGUSR1, on_signal);
	first = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	first[0] = 'f';
	show("a");
	shared->gone = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	shared->gone[0] = 'g';
	munmap(shared->gone, 4096);
	shared->middle = first;
	shared->stage = 1;
	wait_for(2);
	show("b");
	second = mmap(NULL, 4 * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	tell("mapped %d\n", second != MAP_FAILED);
	show("d/e");
	tell("isatty %d\n", isatty(0));
	tell("cwd %s\n", getcwd(name, sizeof name) ? name + strlen(home) : errno_name(errno));
	show("c");
	shared->stage = 3;
	wait_for(4);
	write(1, text, length);
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void say_descriptors(pid_t pid)
{
	int found[50], n = 0;
	struct dirent *entry;
	char name[40];
	DIR *dir;

	snprintf(name, sizeof name, "/proc/%d/fd", pid);
	dir = opendir(name);
	while (dir && (entry = readdir(dir)))
		if (isdigit(entry->d_name[0]))
			found[n++] = atoi(entry->d_name);
	closedir(dir);
	qsort(found, n, sizeof *found, compare);
	for (int i = 0; i < n; i++)
		say("%d ", found[i]);
	say("descriptors\n");
}

static long pages_of(pid_t pid)
{
	return atol(proc_text(pid, "statm"));
}

static long lines_of(pid_t pid)
{
	char line[4096], name[40];
	long n = 0;
	FILE *file;

	snprintf(name, sizeof name, "/proc/%d/maps", pid);
	file = fopen(name, "r");
	while (fgets(line, sizeof line, file))
		n++;
	fclose(file);
	return n;
}

static void write_file(const char *name, const char *what)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	write(fd, what, strlen(what));
	close(fd);
}

static int watch = -1, leased = -1;
static long pages, lines;

static void watched(pid_t pid)
{
	watch = inotify_init1(IN_NONBLOCK);
	R(inotify_add_watch(watch, "b", IN_OPEN | IN_CLOSE) > 0);
	R(inotify_add_watch(watch, "c", IN_OPEN | IN_CLOSE) > 0);
}

static void say_events(pid_t pid)
{
	char bytes[4096];
	ssize_t n = read(watch, bytes, sizeof bytes);

	for (ssize_t at = 0; at < n;) {
		struct inotify_event *event = (void *)(bytes + at);

		say("event %d %x\n", event->wd, event->mask);
		at += sizeof *event + event->len;
	}
	close(watch);
}

static void renamed(pid_t pid)
{
	R(rename("c", "b"));
}

static void unlinked(pid_t pid)
{
	R(unlink("b"));
}

static void changed(pid_t pid)
{
	write_file("b", "changed\n");
}

static void replaced(pid_t pid)
{
	R(unlink("b"));
	R(symlink("a", "b"));
}

static void created_again(pid_t pid)
{
	R(unlink("c"));
	write_file("c", "again\n");
}

static void directory_moved(pid_t pid)
{
	R(rename("d", "f"));
	R(mkdir("d", 0755));
	write_file("d/e", "other\n");
}

static void executable(pid_t pid)
{
	R(chmod("b", 0700));
	R(chmod("d", 0700));
	R(chmod("d/e", 0700));
}

static void home_moved(pid_t pid)
{
	R(rename("../20", "../moved"));
}

static void looked(pid_t pid)
{
	say_descriptors(pid);
	pages = pages_of(pid);
	lines = lines_of(pid);
}

static void looked_again(pid_t pid)
{
	say_descriptors(pid);
	say("%ld pages, %ld areas more\n", pages_of(pid) - pages, lines_of(pid) - lines);
}

static void reached(pid_t pid)
{
	char byte = 0;
	struct iovec here = { &byte, 1 }, there = { shared->middle, 1 };

	R(process_vm_readv(pid, &here, 1, &there, 1, 0));
	say("%c\n", byte);
	there.iov_base = shared->gone;
	R(process_vm_readv(pid, &here, 1, &there, 1, 0));
}

static void taken(pid_t pid)
{
	int other = (int)syscall(SYS_pidfd_open, pid, 0);

	for (int fd = 2; fd < 6; fd++) {
		int copy = (int)syscall(SYS_pidfd_getfd, other, fd, 0);

		say("descriptor %d %s\n", fd, copy < 0 ? errno_name(errno) : "");
		close(copy);
	}
	close(other);
}

static void limited(pid_t pid)
{
	R(prlimit(pid, RLIMIT_NOFILE, &(struct rlimit){ 3, 3 }, NULL));
}

static void limited_memory(pid_t pid)
{
	R(prlimit(pid, RLIMIT_AS, &(struct rlimit){ pages_of(pid) * 4096 + BLOCK, 1L << 40 }, NULL));
}

static void stopped(pid_t pid)
{
	int status;

	R(kill(pid, SIGSTOP));
	waitpid(pid, &status, WUNTRACED);
	say_descriptors(pid);
	R(kill(pid, SIGCONT));
}

static void killed(pid_t pid)
{
	R(kill(pid, SIGKILL));
}

static void told(pid_t pid)
{
	R(kill(pid, SIGUSR1));
	until(shared->signals == 1);
}

static void took_lease(pid_t pid)
{
	signal(SIGIO, SIG_IGN);
	leased = open("b", O_RDONLY);
	R(fcntl(leased, F_SETLEASE, F_RDLCK));
	close(leased);
	leased = open("b", O_RDWR);
	R(fcntl(leased, F_SETLEASE, F_WRLCK));
	R(fcntl(leased, F_SETLEASE, F_UNLCK));
	close(leased);
}

static void locked(pid_t pid)
{
	leased = open("b", O_RDWR);
	R(fcntl(leased, F_SETLK, &(struct flock){ .l_type = F_WRLCK }));
}

static void nothing(pid_t pid)
{
}

static const struct {
	const char *what;
	void (*meanwhile)(pid_t);
	void (*after)(pid_t);
} cases[] = {
	{ "nothing", nothing, nothing },
	{ "renamed", renamed, nothing },
	{ "unlinked", unlinked, nothing },
	{ "changed", changed, nothing },
	{ "replaced", replaced, nothing },
	{ "created again", created_again, nothing },
	{ "directory moved", directory_moved, nothing },
	{ "executable", executable, nothing },
	{ "watched", watched, say_events },
	{ "looked at", looked, looked_again },
	{ "reached", reached, nothing },
	{ "taken", taken, nothing },
	{ "limited", limited, nothing },
	{ "less memory", limited_memory, nothing },
	{ "stopped", stopped, nothing },
	{ "killed", killed, nothing },
	{ "told", told, nothing },
	{ "leased", took_lease, nothing },
	{ "locked", locked, nothing },
	{ "home moved", home_moved, nothing },
};

static void run(void (*meanwhile)(pid_t), void (*after)(pid_t))
{
	int status, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	shared->stage = 0;
	pid = MUST(fork());
	if (pid == 0) {
		dup2(null, 0);
		execl(self, self, home, NULL);
		_exit(99);
	}
	close(null);
	until(shared->stage >= 1);
	meanwhile(pid);
	shared->stage = 2;
	until(shared->stage >= 3 || waitid(P_PID, pid, &(siginfo_t){}, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	      state_of(pid) == 'Z');
	after(pid);
	shared->stage = 4;
	MUST(waitpid(pid, &status, 0));
	say_status("it", status);
}

int main(int argc, char **argv)
{
	char folder[20];
	int fd;

	self = "/proc/self/exe";
	if (argc == 2) {
		snprintf(home, sizeof home, "%s", argv[1]);
		program();
		return 0;
	}
	getcwd(home, sizeof home);
	fd = MUST(open("shared", O_RDWR | O_CREAT, 0600));
	MUST(ftruncate(fd, 4096));
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	close_range(3, ~0U, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(folder, sizeof folder, "%zu", i + 1);
		MUST(chdir(folder));
		for (int n = 0; n < EQUAL; n++)
			run(nothing, nothing);
		say("%s\n", cases[i].what);
		run(cases[i].meanwhile, cases[i].after);
		MUST(chdir(".."));
	}
	return 0;
}
