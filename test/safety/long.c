/* Calls that take seconds: meanwhile others are answered, and who made the call can be killed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1UL << 20)
#define PARTS 1000
static volatile int *stage;
static char *buffer;
static struct iovec parts[PARTS];

/* As often as it may be, the same piece of memory. */
static void prepare(unsigned long size)
{
	int i;

	buffer = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(buffer, 1, size);
	for (i = 0; i < PARTS; i++)
		parts[i] = (struct iovec){buffer, size};
}

static void random_parts(void)
{
	prepare(MIB);
	*stage = 1;
	readv(open("/dev/urandom", O_RDONLY), parts, PARTS);
}

static void random_whole(void)
{
	buffer = mmap(NULL, 1024 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	*stage = 1;
	getrandom(buffer, 1024 * MIB, 0);
}

static void another_memory(void)
{
	struct iovec theirs[PARTS];

	prepare(2 * MIB);
	memcpy(theirs, parts, sizeof(parts));
	*stage = 1;
	process_vm_readv(getpid(), parts, PARTS, theirs, PARTS, 0);
}

static void residency(void)
{
	char *far = mmap(NULL, 1UL << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned char *pages = mmap(NULL, 256 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*stage = 1;
	mincore(far, 1UL << 40, pages);
}

/* A line that never ends: the terminal throws away what has no room. */
static void endless_line(void)
{
	char *zeros = mmap(NULL, 1024 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);

	unlockpt(terminal);
	*stage = 1;
	while (write(terminal, zeros, 1024 * MIB) > 0)
		;
}

static const struct {
	const char *name;
	void (*run)(void);
} calls[] = {{"random parts", random_parts}, {"random whole", random_whole}, {"memory", another_memory}, {"residency", residency},
	     {"line", endless_line}};

int main(void)
{
	unsigned i;
	int k;

	stage = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int answered = 0, status;
		pid_t child;

		*stage = 0;
		child = fork();
		if (child == 0) {
			calls[i].run();
			*stage = 2;
			pause();
		}
		while (*stage == 0 && waitpid(child, &status, WNOHANG) == 0)
			usleep(1000);
		for (k = 0; k < 20; k++) {
			close(open("/dev/null", O_RDONLY));
			usleep(1000);
			answered += *stage == 1;
		}
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		printf("%s: answered %d, killed in time %d\n", calls[i].name, answered, *stage == 1);
	}
	return 0;
}
