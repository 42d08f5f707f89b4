/* Resource limits: getrlimit(2), prlimit(2), and what happens beyond. */
#include "../check.h"
#include <sys/resource.h>

static void show(int which)
{
	struct rlimit limit;

	R(getrlimit(which, &limit));
	say("%ld %ld\n", (long)limit.rlim_cur, (long)limit.rlim_max);
}

static void file_size(void)
{
	struct rlimit limit = {100, 200};
	char data[150] = "";
	int fd = MUST(open("f", O_CREAT | O_RDWR | O_TRUNC, 0600));

	R(setrlimit(RLIMIT_FSIZE, &limit));
	show(RLIMIT_FSIZE);
	R(write(fd, data, 150));
	signal(SIGXFSZ, SIG_IGN);
	R(write(fd, data, 1));
	R(ftruncate(fd, 300));
	signal(SIGXFSZ, SIG_DFL);
	R(write(fd, data, 1));
}

static void address_space(void)
{
	struct rlimit limit = {64 << 20, 64 << 20};

	R(setrlimit(RLIMIT_AS, &limit));
	R(mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	R(errno == ENOMEM);
	R(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static void cpu_time(void)
{
	struct rlimit limit = {1, 100};

	R(setrlimit(RLIMIT_CPU, &limit));
	for (;;)
		;
}

static void stack(void)
{
	struct rlimit limit = {1 << 20, RLIM_INFINITY};

	R(setrlimit(RLIMIT_STACK, &limit));
	R(system("ulimit -s"));
}

static void core(void)
{
	struct rlimit limit = {0, 0};

	R(setrlimit(RLIMIT_CORE, &limit));
	show(RLIMIT_CORE);
}

int main(void)
{
	struct rlimit limit = {10, 5};

	R(setrlimit(RLIMIT_NOFILE, &limit));
	R(getrlimit(99, &limit));
	limit = (struct rlimit){50, 100};
	R(setrlimit(RLIMIT_NOFILE, &limit));
	show(RLIMIT_NOFILE);
	struct rlimit old;
	R(prlimit(0, RLIMIT_NOFILE, NULL, &old));
	R(old.rlim_max);
	in_child("fsize", file_size);
	in_child("as", address_space);
	in_child("cpu", cpu_time);
	in_child("stack", stack);
	in_child("core", core);
	R(getpriority(PRIO_PROCESS, 0));
	R(setpriority(PRIO_PROCESS, 0, 5));
	R(getpriority(PRIO_PROCESS, 0));
	R(nice(3));
	R(getpriority(99, 0));
	struct rusage usage;
	R(getrusage(RUSAGE_SELF, &usage));
	R(getrusage(RUSAGE_CHILDREN, &usage));
	/* The limit counts what the program itself and the kernel for it have used. */
	R((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec > 0);
	R(getrusage(77, &usage));
	return 0;
}
