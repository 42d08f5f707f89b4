/*
 * A file that is read and written at positions so often that programs need not ask: its times, its rights, who watches it, what
 * others see of it, and what its descriptor comes to be, are what they would be if they asked.
 */
#define _GNU_SOURCE
#include "../check.h"
#include "../random.h"
#include <sys/inotify.h>
#include <sys/resource.h>

#define SIZE 65536
#define PIECE 4096

static char buffer[SIZE + PIECE];
static volatile int *shared;
static char *volatile nowhere = (char *)16, *volatile beyond = (char *)-4096L;

static double seconds(struct timespec t)
{
	return t.tv_sec + t.tv_nsec / 1e9;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return seconds(t);
}

static double changed(const char *name)
{
	struct stat st;

	MUST(stat(name, &st));
	return seconds(st.st_mtim);
}

static int make(const char *name)
{
	int fd = MUST(open(name, O_CREAT | O_RDWR | O_TRUNC, 0644));

	memset(buffer, 'o', sizeof buffer);
	MUST(write(fd, buffer, SIZE));
	return fd;
}

/* So often that whoever can goes on without asking. */
static void warm(int fd)
{
	for (int i = 0; i < 60; i++) {
		MUST(pwrite(fd, buffer, PIECE, i % 16 * PIECE));
		MUST(pread(fd, buffer, PIECE, i % 16 * PIECE));
	}
}

static void await(int step)
{
	while (shared[0] < step)
		sched_yield();
}

/* The same without a call: nothing that goes along is given back meanwhile. */
static void spin(int step)
{
	while (shared[0] < step)
		__builtin_ia32_pause();
}

static void busy(double time)
{
	for (double begin = now(); now() - begin < time;)
		;
}

/* The child writes; we look. Of calls that it makes in between nobody hears. */
static void times(void)
{
	int fd = make("times");
	double before, after, then;
	pid_t child = fork();

	if (child == 0) {
		warm(fd);
		shared[0] = 1;
		spin(2);
		for (int i = 0; i < 50; i++)
			MUST(pwrite(fd, buffer, PIECE, 0));
		shared[0] = 3;
		spin(4);
		warm(fd);
		busy(0.015);
		MUST(pwrite(fd, buffer, 100, 8192));
		shared[0] = 5;
		busy(0.3);
		shared[0] = 6;
		spin(7);
		_exit(0);
	}
	await(1);
	busy(0.1);
	before = now();
	shared[0] = 2;
	spin(3);
	then = changed("times");
	say("changed when written: %d\n", then > before - 0.05 && then < now() + 0.01);
	usleep(30000);
	say("not since: %d\n", changed("times") == then);
	shared[0] = 4;
	await(5);
	after = now();
	await(6);
	then = changed("times");
	say("changed then, not when looked at: %d\n", then > after - 0.05 && then < after + 0.05);
	shared[0] = 7;
	waitpid(child, NULL, 0);
	close(fd);
}

/* Who watches hears of the first write that comes after. */
static void watched(void)
{
	int fd = make("watched"), told = MUST(inotify_init1(IN_NONBLOCK));
	char events[1000];
	pid_t child;

	shared[0] = 0;
	child = fork();
	if (child == 0) {
		warm(fd);
		shared[0] = 1;
		spin(2);
		MUST(pwrite(fd, buffer, 2000, 4096));
		MUST(pread(fd, buffer, 2000, 4096));
		shared[0] = 3;
		_exit(0);
	}
	await(1);
	MUST(inotify_add_watch(told, "watched", IN_MODIFY | IN_ACCESS));
	shared[0] = 2;
	spin(3);
	ssize_t n = read(told, events, sizeof events);
	for (ssize_t at = 0; at < n;) {
		struct inotify_event *event = (void *)(events + at);

		say("event %x\n", event->mask);
		at += sizeof *event + event->len;
	}
	waitpid(child, NULL, 0);
	close(told);
	close(fd);
}

/* Others see what is written, and what they write is seen. */
static void seen(void)
{
	int fd = make("seen"), wrong = 0;
	pid_t child;

	shared[0] = 0;
	child = fork();
	if (child == 0) {
		int own = MUST(open("seen", O_RDWR));

		for (int i = 0; i < 300; i++) {
			spin(2 * i + 1);
			MUST(pread(own, buffer, PIECE, 4096));
			wrong += buffer[0] != (char)i || buffer[PIECE - 1] != (char)i;
			memset(buffer, i + 1, 2048);
			MUST(pwrite(own, buffer, 2048, 10000));
			shared[0] = 2 * i + 2;
		}
		say("seen by the child: %d wrong\n", wrong);
		_exit(0);
	}
	for (int i = 0; i < 300; i++) {
		memset(buffer, i, PIECE);
		MUST(pwrite(fd, buffer, PIECE, 4096));
		shared[0] = 2 * i + 1;
		spin(2 * i + 2);
		MUST(pread(fd, buffer, 2048, 10000));
		wrong += buffer[0] != (char)(i + 1) || buffer[2047] != (char)(i + 1);
	}
	waitpid(child, NULL, 0);
	say("seen by the parent: %d wrong\n", wrong);
	close(fd);
}

/* What others do to the file while one is at it. */
static void cut(void)
{
	int fd = make("cut"), wrong = 0;
	pid_t child;

	shared[0] = 0;
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 40; i++) {
			long size;

			warm(fd);
			shared[0] = 2 * i + 1;
			spin(2 * i + 2);
			size = 1000 * (i % 30) + 1;
			wrong += pread(fd, buffer, PIECE, 0) != (size < PIECE ? size : PIECE);
			wrong += pread(fd, buffer, PIECE, size) != 0;
			wrong += pwrite(fd, buffer, PIECE, SIZE - PIECE) != PIECE;
			wrong += pread(fd, buffer, PIECE, size) != PIECE || (SIZE - PIECE - size >= 10 && buffer[9] != 0);
		}
		say("cut: %d wrong\n", wrong);
		_exit(0);
	}
	for (int i = 0; i < 40; i++) {
		await(2 * i + 1);
		MUST(truncate("cut", 1000 * (i % 30) + 1));
		shared[0] = 2 * i + 2;
	}
	waitpid(child, NULL, 0);
	close(fd);
}

static void descriptors(void)
{
	int fd = make("one"), other = make("two"), copy;
	struct rlimit small = { 20000, RLIM_INFINITY }, large = { RLIM_INFINITY, RLIM_INFINITY };

	warm(fd);
	MUST(copy = dup(fd));
	R(pwrite(fd, "first", 5, 0));
	R(pwrite(copy, "second", 6, 100));
	MUST(dup2(other, fd));
	R(pwrite(fd, "third", 5, 0));
	R(pread(copy, buffer, 5, 0));
	say("%.5s\n", buffer);
	R(pread(other, buffer, 5, 0));
	say("%.5s\n", buffer);
	warm(copy);
	R(fcntl(copy, F_SETFL, O_APPEND));
	R(pwrite(copy, "end", 3, 0));
	R(lseek(copy, 0, SEEK_END));
	R(fcntl(copy, F_SETFL, 0));
	warm(copy);
	signal(SIGXFSZ, SIG_IGN);
	MUST(setrlimit(RLIMIT_FSIZE, &small));
	R(pwrite(copy, buffer, PIECE, 0));
	R(pwrite(copy, buffer, PIECE, 18000));
	R(pwrite(copy, buffer, PIECE, 20000));
	MUST(setrlimit(RLIMIT_FSIZE, &large));
	warm(copy);
	R(pwrite(copy, nowhere, PIECE, 0));
	R(pwrite(copy, beyond, PIECE, 0));
	R(pread(copy, nowhere, PIECE, 0));
	R(pread(copy, buffer, PIECE, SIZE - 10));
	R(pread(copy, buffer, PIECE, -1));
	R(pwrite(copy, buffer, 0, 0));
	R(close(copy));
	R(pwrite(copy, buffer, PIECE, 0));
	R(pread(copy, buffer, PIECE, 0));
	copy = MUST(open("one", O_RDONLY));
	for (int i = 0; i < 60; i++)
		MUST(pread(copy, buffer, PIECE, 0));
	R(pwrite(copy, buffer, PIECE, 0));
	close(copy);
	copy = MUST(open("one", O_WRONLY));
	for (int i = 0; i < 60; i++)
		MUST(pwrite(copy, buffer, PIECE, 0));
	R(pread(copy, buffer, PIECE, 0));
}

/* A set-user-ID bit goes when somebody without rights writes, even if it came while he was at it. */
static void privileges(void)
{
	int fd = make("bits");
	struct stat st;
	pid_t child;

	shared[0] = 0;
	MUST(fchmod(fd, 0666));
	child = fork();
	if (child == 0) {
		if (geteuid() == 0)
			MUST(setresuid(1000, 1000, 1000));
		warm(fd);
		shared[0] = 1;
		spin(2);
		MUST(pwrite(fd, buffer, PIECE, 0));
		shared[0] = 3;
		_exit(0);
	}
	await(1);
	MUST(fchmod(fd, 06777));
	shared[0] = 2;
	spin(3);
	MUST(fstat(fd, &st));
	say("mode %o\n", st.st_mode);
	waitpid(child, NULL, 0);
	close(fd);
}

int main(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	times();
	watched();
	seen();
	cut();
	descriptors();
	privileges();
	return 0;
}
