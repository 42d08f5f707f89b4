/* Areas that grow downwards: MAP_GROWSDOWN, how far (stack_guard_gap, RLIMIT_STACK), and the stack itself. */
#include "../check.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/resource.h>

#define PAGE 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)
#define GAP 256

static sigjmp_buf back;

static void fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	siglongjmp(back, signal == SIGSEGV ? info->si_code : 100);
}

/* 0, or the code of the SIGSEGV. */
static int touch(volatile char *p)
{
	int code = sigsetjmp(back, 1);

	if (code)
		return code;
	*p = 1;
	return 0;
}

/* An area of a page that grows, at the end of so many free pages. */
static char *growing(int room)
{
	char *p = mmap(NULL, (room + 1) * PAGE, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

	munmap(p, (room + 1) * PAGE);
	return mmap(p + room * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
}

static int pages_of(char *address)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned long from, to;
	int pages = 0;

	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= (unsigned long)address && (unsigned long)address < to)
			pages = (to - from) / PAGE;
	fclose(maps);
	return pages;
}

static void guard(const char *what, int prot, int flags)
{
	char *p = growing(1024);
	char *below = mmap(p - 600 * PAGE, PAGE, prot, ANON | MAP_FIXED | flags, -1, 0);

	say("%s: %d", what, touch(p - (599 - GAP) * PAGE));
	say(" %d", pages_of(p));
	say(" %d", touch(p - (600 - GAP) * PAGE));
	say(" %d", touch(p - 599 * PAGE));
	say(" %d\n", pages_of(p));
	munmap(below, PAGE);
	munmap(p - 1024 * PAGE, 1025 * PAGE);
}

static void *work(void *arg)
{
	volatile char big[64 * 1024];

	big[0] = 1;
	big[sizeof(big) - 1] = 2;
	return arg + big[0] + big[sizeof(big) - 1];
}

static void deep_read(void)
{
	char big[3 * 1024 * 1024];
	int fd = open("/dev/zero", O_RDONLY);

	/* The kernel is the first to touch it. */
	R(read(fd, big, 100));
	R(read(fd, big + sizeof(big) - 100000, 1000));
	close(fd);
}

static void limited(void)
{
	struct rlimit limit = {1 << 20, 8 << 20};
	char *p = growing(1024);

	setrlimit(RLIMIT_STACK, &limit);
	R(touch(p - 254 * PAGE));
	R(touch(p - 256 * PAGE));
	R(touch(p - 255 * PAGE));
	R(pages_of(p));
}

static char *inherited;

static void grow_in_child(void)
{
	R(touch(inherited - 200 * PAGE));
	R(pages_of(inherited));
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	char *p = growing(1024);
	R(touch(p - 1));
	R(pages_of(p));
	R(touch(p - 10 * PAGE));
	R(pages_of(p));
	R(touch(p + PAGE));
	R(touch(p - 300 * PAGE));
	R(pages_of(p));
	R(mprotect(p, PAGE, PROT_READ));
	R(touch(p));
	R(touch(p - PAGE));
	R(mprotect(p, PAGE, RW | PROT_GROWSDOWN));
	R(touch(p));
	R(mprotect(p, PAGE, PROT_READ | PROT_GROWSDOWN));
	R(touch(p - 20 * PAGE));
	R(mprotect(p, PAGE, PROT_READ | PROT_GROWSUP));
	R(mprotect(p, PAGE, PROT_READ | PROT_GROWSUP | PROT_GROWSDOWN));
	char *plain = mmap(NULL, PAGE, RW, ANON, -1, 0);
	R(mprotect(plain, PAGE, PROT_READ | PROT_GROWSDOWN));

	guard("next to memory", RW, 0);
	guard("next to memory that cannot be accessed", PROT_NONE, 0);
	guard("next to memory that can be read", PROT_READ, 0);
	guard("next to another that grows", RW, MAP_GROWSDOWN);

	/* Nothing is put by itself where it would be in the way. */
	p = growing(1024);
	char *at = mmap(p - 10 * PAGE, PAGE, RW, ANON, -1, 0);
	R(at == p - 10 * PAGE);
	munmap(at, PAGE);
	at = mmap(p - (GAP + 1) * PAGE, PAGE, RW, ANON, -1, 0);
	R(at == p - (GAP + 1) * PAGE);
	R(touch(p - PAGE));
	munmap(at, PAGE);
	at = mmap(p - 10 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	R(at == p - 10 * PAGE);
	R(touch(p - PAGE));

	/* A thread's stack that grows. */
	p = growing(1024);
	pthread_attr_t attr;
	pthread_t thread;
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, p - 127 * PAGE, 128 * PAGE);
	R(pthread_create(&thread, &attr, work, NULL));
	void *result;
	R(pthread_join(thread, &result));
	R((long)result);

	inherited = growing(1024);
	R(touch(inherited - 5 * PAGE));
	deep_read();
	in_child("limited", limited);
	in_child("a child", grow_in_child);
	return 0;
}
