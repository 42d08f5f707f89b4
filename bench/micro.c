/*
 * micro ROW...: prints "ROW value" for each, in microseconds an operation (the loop: milliseconds).
 * A value is the median of several batches; a batch is as many operations as take some 50 ms.
 * micro word: how many microseconds a word takes from one processor of the host to another. It means little elsewhere,
 * and makes later rows keep to one processor.
 * micro poweroff: ends a machine whose init this is.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 7
#define BATCH_NS 50e6
#define PAGE 4096
#define TOUCH_PAGES 4096

static char buffer[PAGE];
static int fd, to[2], from[2];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void check(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void one_getppid(void)
{
	getppid();
}

/* The cheapest of the calls for which the kernel must be asked. */
static void one_umask(void)
{
	umask(022);
}

static void open_self(void)
{
	check((fd = open("/proc/self/exe", O_RDONLY)) >= 0, "/proc/self/exe");
}

static void one_pread(void)
{
	check(pread(fd, buffer, PAGE, 0) == PAGE, "pread");
}

static void open_file(void)
{
	check((fd = open("micro.tmp", O_CREAT | O_RDWR | O_TRUNC, 0600)) >= 0, "micro.tmp");
	unlink("micro.tmp");
}

static void one_pwrite(void)
{
	check(pwrite(fd, buffer, PAGE, 0) == PAGE, "pwrite");
}

static void open_pipe(void)
{
	check(pipe(to) == 0 && pipe(from) == 0, "pipe");
}

static void one_pipe(void)
{
	check(write(to[1], buffer, 1) == 1 && read(to[0], buffer, 1) == 1, "pipe");
}

static void start_echo(void)
{
	open_pipe();
	if (fork() != 0) {
		close(to[0]);
		close(from[1]);
		return;
	}
	close(to[1]);
	close(from[0]);
	while (read(to[0], buffer, 1) == 1)
		check(write(from[1], buffer, 1) == 1, "echo");
	_exit(0);
}

static void one_ping(void)
{
	check(write(to[1], buffer, 1) == 1 && read(from[0], buffer, 1) == 1, "ping");
}

static void end_echo(void)
{
	close(to[1]);
	wait(NULL);
}

static void one_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	check(waitpid(pid, NULL, 0) == pid, "fork");
}

static void one_exec(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	check(waitpid(pid, &status, 0) == pid && status == 0, "exec");
}

/* One operation here is TOUCH_PAGES touches, of fresh pages; the time of the mapping is left out. */
static double touch_time;

static void one_touch(void)
{
	char *area = mmap(NULL, (size_t)TOUCH_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(area != MAP_FAILED, "mmap");
	madvise(area, (size_t)TOUCH_PAGES * PAGE, MADV_NOHUGEPAGE);
	double begin = now();
	for (int i = 0; i < TOUCH_PAGES; i++)
		((volatile char *)area)[(size_t)i * PAGE] = 1;
	touch_time += now() - begin;
	munmap(area, (size_t)TOUCH_PAGES * PAGE);
}

static void one_loop(void)
{
	unsigned long sum = 0;

	for (unsigned long i = 0; i < 250000000; i++) {
		sum += i;
		__asm__ volatile("" : "+r"(sum));
	}
}

static volatile int *word;
static pid_t answerer;

/* Keeps to the first or the last of the processors that it may use. */
static void keep_to(int last)
{
	cpu_set_t all, one;
	int cpu = -1;

	CPU_ZERO(&one);
	check(sched_getaffinity(0, sizeof all, &all) == 0, "sched_getaffinity");
	if (CPU_COUNT(&all) < 2) {
		fputs("word: there is one processor\n", stderr);
		exit(1);
	}
	for (int i = 0; i < CPU_SETSIZE && (cpu < 0 || last); i++)
		if (CPU_ISSET(i, &all))
			cpu = i;
	CPU_SET(cpu, &one);
	check(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
}

static void start_answerer(void)
{
	word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(word != MAP_FAILED && (answerer = fork()) >= 0, "word");
	keep_to(answerer == 0);
	if (answerer == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (answerer == 0)
		if (*word == 1)
			*word = 0;
}

static void one_word(void)
{
	*word = 1;
	while (*word)
		;
}

static void end_answerer(void)
{
	kill(answerer, SIGKILL);
	wait(NULL);
}

static const struct row {
	const char *name;
	void (*begin)(void), (*operation)(void), (*end)(void);
	double scale;
} rows[] = {
	{"getppid", NULL, one_getppid, NULL, 1e3},
	{"umask", NULL, one_umask, NULL, 1e3},
	{"pread", open_self, one_pread, NULL, 1e3},
	{"pwrite", open_file, one_pwrite, NULL, 1e3},
	{"pipe", open_pipe, one_pipe, NULL, 1e3},
	{"pingpong", start_echo, one_ping, end_echo, 1e3},
	{"fork", NULL, one_fork, NULL, 1e3},
	{"exec", NULL, one_exec, NULL, 1e3},
	{"touch", NULL, one_touch, NULL, 1e3 * TOUCH_PAGES},
	{"loop", NULL, one_loop, NULL, 1e6},
	{"word", start_answerer, one_word, end_answerer, 2e3},
};

/* Nanoseconds that `count` operations take. */
static double batch(const struct row *row, long count)
{
	double begin = now();

	touch_time = 0;
	for (long i = 0; i < count; i++)
		row->operation();
	return row->operation == one_touch ? touch_time : now() - begin;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void run(const struct row *row)
{
	double values[BATCHES], took;
	long count = 1;

	if (row->begin)
		row->begin();
	while ((took = batch(row, count)) < BATCH_NS / 4)
		count *= 2;
	if (took < BATCH_NS)
		count = count * BATCH_NS / took + 1;
	for (int i = 0; i < BATCHES; i++)
		values[i] = batch(row, count) / count / row->scale;
	if (row->end)
		row->end();
	qsort(values, BATCHES, sizeof *values, by_value);
	printf("%s %.6f\n", row->name, values[BATCHES / 2]);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "poweroff") == 0)
			reboot(RB_POWER_OFF);
		for (unsigned j = 0; j < sizeof rows / sizeof *rows; j++)
			if (strcmp(argv[i], rows[j].name) == 0)
				run(&rows[j]);
	}
	return 0;
}
