/* Areas that no program has mapped: the vDSO, which can be read, and the stack as far as it was used (proc_pid_maps(5)). */
#include "../check.h"
#include <elf.h>
#include <sys/auxv.h>

static char line[4096];

static void find(const char *name, unsigned long within)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long from, to;
	char rights[8];

	while (fgets(line, sizeof(line), maps)) {
		if (!strstr(line, name) || sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3)
			continue;
		say("%s %s%s\n", name, rights, within >= from && within < to ? ", there" : "");
	}
	fclose(maps);
}

static long stack_kib(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	long kib = 0;

	while (fgets(line, sizeof(line), status))
		sscanf(line, "VmStk: %ld", &kib);
	fclose(status);
	return kib;
}

static __attribute__((noinline)) int use(int kib)
{
	volatile char some[1024];

	some[0] = kib;
	return kib > 1 ? use(kib - 1) + some[0] : some[0];
}

int main(void)
{
	unsigned long vdso = getauxval(AT_SYSINFO_EHDR);
	char magic[SELFMAG] = "";
	int fd = MUST(open("/proc/self/mem", O_RDONLY)), on_stack;
	long kib;

	find("[vdso]", vdso);
	find("[stack]", (unsigned long)&on_stack);
	R(pread(fd, magic, SELFMAG, vdso));
	say("%d\n", memcmp(magic, ELFMAG, SELFMAG));
	say("stack: %ld KiB\n", stack_kib());
	use(1000);
	usleep(10000);
	kib = stack_kib();
	/* Frames are somewhat larger than what they hold. */
	say("after 1000 KiB: %s\n", kib >= 1000 && kib < 1400 ? "as much" : "something else");
	return 0;
}
