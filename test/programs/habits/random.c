/*
 * Programs that begin as they did the last times, and then do something else: a random script of calls, five times the
 * same, then with other ends. What each call answers, and what is in memory, is told at the end, as telling is a call.
 */
#define _GNU_SOURCE
#include "../check.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/random.h>
#include <sys/resource.h>

#define PAGE 4096L
#define MAPS 5
#define FILES 4
#define STEPS 28

/* Programs run; each begins with so many equal ones. */
#define SCRIPTS 24
#define EQUAL 5
#define OTHERS 7

static const char *const names[] = {
	"/etc/passwd", "/usr/include/stdio.h", "/usr/bin", "/bin/sh", "/etc/passwd/x", "/usr/include", "/etc",
};

static char text[60000];
static int length;
static uint64_t state;
static sigjmp_buf out_of_fault;
static volatile int ticks;
static char *heap;

static struct {
	char *at;
	long pages;
} maps[MAPS];
static int fds[FILES] = { -1, -1, -1, -1 };

static unsigned rnd(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static void seed(unsigned n)
{
	state = n * 0x9e3779b97f4a7c15u;
	rnd(1);
}

static void tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	length += vsnprintf(text + length, sizeof text - length - 1, format, args);
	va_end(args);
}

static void tell_result(const char *what, long result)
{
	tell("%s %ld %s\n", what, result, result < 0 ? errno_name(errno) : "");
}

static unsigned sum(const char *bytes, long n)
{
	unsigned s = 17;

	for (long i = 0; i < n; i++)
		s = s * 31 + (unsigned char)bytes[i];
	return s;
}

static void on_fault(int signal)
{
	siglongjmp(out_of_fault, signal);
}

static void on_tick(int signal)
{
	int fd = open("/etc/passwd", O_RDONLY);

	tell("tick %d\n", fd);
	close(fd);
	ticks++;
}

/* What is there, or the signal. */
static void touch(char *at, int writes)
{
	int signal = sigsetjmp(out_of_fault, 0);

	if (signal)
		tell("fault %d\n", signal);
	else if (writes)
		tell("wrote %d\n", *(volatile char *)at = (char)rnd(100));
	else
		tell("there %d\n", *(volatile char *)at);
}

static void map(int i, long pages, int prot, int flags, int fd)
{
	char *at = mmap(NULL, pages * PAGE, prot, flags, fd, 0);

	tell_result("mmap", at == MAP_FAILED ? -1 : 0);
	if (at == MAP_FAILED)
		return;
	if (maps[i].at)
		tell_result("munmap", munmap(maps[i].at, maps[i].pages * PAGE));
	maps[i].at = at;
	maps[i].pages = pages;
}

static void over(int i, int fd)
{
	long page = rnd(2) % maps[i].pages;
	int flags = MAP_FIXED | MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0);
	char *at = mmap(maps[i].at + page * PAGE, PAGE, PROT_READ | PROT_WRITE, flags, fd, fd < 0 ? 0 : PAGE);

	tell_result("over", at == MAP_FAILED ? -1 : at - maps[i].at);
}

static void memory(int i, int fd)
{
	long pages = 1 + rnd(4);
	char *at;

	switch (rnd(maps[i].at ? 12 : 5)) {
	case 0: case 1:
		return map(i, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	case 2:
		return map(i, pages, PROT_READ, MAP_PRIVATE, fd);
	case 3:
		return map(i, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	case 4:
		return map(i, pages, PROT_READ, MAP_PRIVATE | MAP_DENYWRITE, fd);
	case 5:
		return tell_result("protect", mprotect(maps[i].at, maps[i].pages * PAGE, PROT_READ));
	case 6:
		return tell_result("unprotect", mprotect(maps[i].at, PAGE, rnd(3) ? PROT_READ | PROT_WRITE : PROT_NONE));
	case 7:
		at = maps[i].at;
		tell_result("munmap", munmap(at, maps[i].pages * PAGE));
		maps[i].at = NULL;
		return rnd(3) ? (void)0 : touch(at, (int)rnd(2));
	case 8:
		return over(i, rnd(2) ? -1 : fd);
	case 9:
		return touch(maps[i].at + rnd((unsigned)maps[i].pages) * PAGE + rnd(9), 1);
	case 10:
		return tell_result("advise", madvise(maps[i].at, PAGE, MADV_DONTNEED));
	default:
		return touch(maps[i].at + rnd((unsigned)maps[i].pages) * PAGE + rnd(99), 0);
	}
}

static void files(int i)
{
	static char bytes[9000];
	struct stat st;
	long r;

	switch (rnd(fds[i] < 0 ? 4 : 16)) {
	case 0: case 1: case 2: case 3:
		r = open(names[rnd(7)], O_RDONLY | (rnd(2) ? O_CLOEXEC : 0));
		tell_result("open", r);
		if (fds[i] >= 0 && rnd(3))
			tell_result("close", close(fds[i]));
		fds[i] = (int)r;
		return;
	case 4: case 5: case 6: case 7:
		tell_result("close", close(fds[i]));
		fds[i] = -1;
		return;
	case 8: case 9:
		r = read(fds[i], bytes, rnd(2) ? 700 : sizeof bytes);
		tell_result("read", r);
		return tell("%u\n", r > 0 ? sum(bytes, r) : 0);
	case 10:
		r = fstat(fds[i], &st);
		tell_result("fstat", r);
		return tell("%ld\n", r < 0 ? 0 : (long)st.st_size);
	case 11:
		return tell_result("lseek", lseek(fds[i], rnd(300), SEEK_SET));
	case 12:
		r = dup(fds[i]);
		tell_result("dup", r);
		return tell_result("close", close((int)r));
	case 13:
		return tell_result("fcntl", fcntl(fds[i], F_GETFD));
	case 14:
		tell_result("close_range", (long)syscall(SYS_close_range, fds[i], fds[i], 0));
		fds[i] = -1;
		return;
	default:
		return tell_result("pread", pread(fds[i], bytes, 100, 50));
	}
}

/* What there is beside the calls that come again each time. */
static void look(int i)
{
	struct stat st, *to = maps[i].at ? (void *)maps[i].at : &st;
	char name[40];
	int fd = 3 + (int)rnd(4);

	switch (rnd(5)) {
	case 0:
		tell_result("stat", stat("/", to));
		if (to == &st || sigsetjmp(out_of_fault, 0) != 0)
			return;
		memset(to, 0, sizeof st);
		return;
	case 1:
		return tell_result("fstatat", fstatat(fd, "stdio.h", &st, 0));
	case 2:
		return tell_result("faccessat", faccessat(fd, "sh", F_OK, 0));
	case 3:
		return tell_result("fstat", fstatat(fd, "", &st, AT_EMPTY_PATH));
	default:
		snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
		return tell_result("fd", access(name, F_OK));
	}
}

static void in_a_child(void)
{
	int status, i = (int)rnd(MAPS);
	pid_t pid = fork();

	if (pid == 0) {
		length = 0;
		if (maps[i].at)
			touch(maps[i].at, 1);
		for (i = 3; i < 9; i++)
			tell("%d ", fcntl(i, F_GETFD));
		_exit((int)(sum(text, length) & 127));
	}
	waitpid(pid, &status, 0);
	tell("child %d\n", WEXITSTATUS(status));
}

static void interrupted(void)
{
	int before = ticks;

	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = 1 + rnd(300) }, NULL);
	while (ticks == before)
		;
}

static void *thread(void *arg)
{
	tell("thread\n");
	return arg;
}

static void others(void)
{
	static char bytes[4000];
	pthread_t id;
	long moved;

	switch (rnd(14)) {
	case 0: case 1: case 2:
		moved = (long)(rnd(5) + 1) * PAGE / 2;
		tell_result("sbrk", sbrk(moved) == (void *)-1 ? -1 : 0);
		return touch((char *)sbrk(0) - 1, 1);
	case 3:
		if ((char *)sbrk(0) - PAGE < heap)
			return;
		return tell_result("sbrk", sbrk(-PAGE) == (void *)-1 ? -1 : (char *)sbrk(0) - heap);
	case 4: case 5:
		return tell_result("getrandom", getrandom(bytes, 8 + rnd(2) * 8, 0));
	case 6:
		return tell("getcwd %s\n", getcwd(bytes, sizeof bytes) ? bytes : "");
	case 7:
		return tell("ids %d %d\n", getuid() == geteuid(), getgid() == getegid());
	case 8:
		return tell_result("isatty", isatty((int)rnd(5)));
	case 9:
		return tell_result("chdir", chdir(rnd(2) ? "/usr" : "/"));
	case 10:
		return in_a_child();
	case 11:
		return interrupted();
	case 12:
		return tell_result("limit", setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 4 + rnd(20), 1000 }));
	default:
		if (rnd(3) || pthread_create(&id, NULL, thread, NULL) != 0)
			return;
		pthread_join(id, NULL);
	}
}

static void step(void)
{
	unsigned which = rnd(20);
	int i = (int)rnd(MAPS), file = (int)rnd(FILES);

	tell("%u: ", which);
	if (which < 8)
		memory(i, fds[file]);
	else if (which < 15)
		files(file);
	else if (which < 17)
		look(i);
	else
		others();
}

/* `first` steps by one seed, the rest by another. */
static void run_script(unsigned by, int first, unsigned then)
{
	sigaction(SIGSEGV, &(struct sigaction){ .sa_handler = on_fault, .sa_flags = SA_NODEFER }, NULL);
	sigaction(SIGBUS, &(struct sigaction){ .sa_handler = on_fault, .sa_flags = SA_NODEFER }, NULL);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_tick, .sa_flags = SA_RESTART }, NULL);
	heap = sbrk(0);
	seed(by);
	for (int i = 0; i < STEPS; i++) {
		if (i == first)
			seed(then);
		step();
	}
	for (int i = 0; i < MAPS; i++)
		for (long page = 0; maps[i].at && page < maps[i].pages; page++)
			touch(maps[i].at + page * PAGE + 5, 0);
	for (int fd = 3; fd < 12; fd++)
		tell("%d ", fcntl(fd, F_GETFD));
	tell("\n");
	write(1, text, length);
}

static void run(const char *self, unsigned by, int first, unsigned then)
{
	char words[3][20];
	int status;
	pid_t pid;

	say("script %u, from %d on %u\n", by, first, then);
	snprintf(words[0], 20, "%u", by);
	snprintf(words[1], 20, "%d", first);
	snprintf(words[2], 20, "%u", then);
	pid = MUST(fork());
	if (pid == 0) {
		execl(self, self, words[0], words[1], words[2], NULL);
		_exit(99);
	}
	MUST(waitpid(pid, &status, 0));
	say_status("it", status);
}

int main(int argc, char **argv)
{
	unsigned from = argc == 3 ? (unsigned)atoi(argv[1]) : 1, to = argc == 3 ? (unsigned)atoi(argv[2]) : SCRIPTS;

	if (argc == 4) {
		run_script((unsigned)atoi(argv[1]), atoi(argv[2]), (unsigned)atoi(argv[3]));
		return 0;
	}
	close_range(3, ~0U, 0);
	for (unsigned by = from; by <= to; by++) {
		for (int i = 0; i < EQUAL; i++)
			run(argv[0], by, STEPS, 0);
		for (unsigned i = 1; i <= OTHERS; i++) {
			run(argv[0], by, (int)(i * STEPS / (OTHERS + 1)), by * 1000 + i);
			run(argv[0], by, STEPS, 0);
		}
	}
	return 0;
}
