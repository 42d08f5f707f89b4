/* What counts against RLIMIT_AS and RLIMIT_DATA (getrlimit(2)): not what a mapping replaces, nor a stack's unused part. */
#include "../check.h"
#include <sys/resource.h>

#define MIB (1L << 20)

static void limit(int resource, long bytes)
{
	struct rlimit now;

	MUST(getrlimit(resource, &now));
	now.rlim_cur = bytes;
	MUST(setrlimit(resource, &now));
}

static const char *map(void *at, long bytes, int prot, int flags)
{
	void *place = mmap(at, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return place == MAP_FAILED ? strerror(errno) : "mapped";
}

static void replacing(const char *name, int resource)
{
	const int both = PROT_READ | PROT_WRITE;
	char *at = mmap(0, 64 * MIB, both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	limit(resource, 100 * MIB);
	say("%s: the same place %s\n", name, map(at, 64 * MIB, both, MAP_FIXED));
	say("%s: half of it %s\n", name, map(at + 32 * MIB, 32 * MIB, both, MAP_FIXED));
	say("%s: with as much behind it %s\n", name, map(at, 128 * MIB, both, MAP_FIXED));
	say("%s: another %s\n", name, map(0, 64 * MIB, both, 0));
	say("%s: a smaller one %s\n", name, map(0, 16 * MIB, both, 0));
	say("%s: to be read %s\n", name, map(0, 64 * MIB, PROT_READ, 0));
}

static void space(void)
{
	replacing("RLIMIT_AS", RLIMIT_AS);
}

static void data(void)
{
	replacing("RLIMIT_DATA", RLIMIT_DATA);
}

static void small_program(long stack)
{
	int status;

	if (fork() == 0) {
		limit(RLIMIT_STACK, stack);
		limit(RLIMIT_AS, 8 * MIB);
		execl("/bin/true", "true", (char *)0);
		_exit(99);
	}
	MUST(wait(&status));
	say("true with a stack of up to %ld MiB in 8: %#x\n", stack / MIB, status);
}

int main(void)
{
	in_child("space", space);
	in_child("data", data);
	small_program(8 * MIB);
	small_program(64 * MIB);
	return 0;
}
