/* Programs larger than what is read when they are mapped; programs whose file ends too early. */
#include "../check.h"
#include <elf.h>

__asm__(".pushsection .text\n"
	".fill 20000000, 1, 0x90\n"
	".globl far_away\n"
	".type far_away, @function\n"
	"far_away: mov $5, %eax\n"
	"ret\n"
	".popsection\n");
int far_away(void);

static char zeros[100];

/* Where the file has to end for `last` bytes of the writable segment to be missing. */
static long data_end(int fd)
{
	Elf64_Ehdr head;
	Elf64_Phdr p;

	MUST(pread(fd, &head, sizeof head, 0));
	for (int i = 0; i < head.e_phnum; i++) {
		MUST(pread(fd, &p, sizeof p, head.e_phoff + i * sizeof p));
		if (p.p_type == PT_LOAD && (p.p_flags & PF_W))
			return p.p_offset + p.p_filesz;
	}
	return -1;
}

static void run_cut(const char *what, long size)
{
	int status;

	MUST(truncate("cut", size));
	fflush(stdout);
	pid_t pid = MUST(fork());
	if (pid == 0) {
		execl("./cut", "cut", "again", NULL);
		_exit(errno);
	}
	MUST(waitpid(pid, &status, 0));
	say("%s: ", what);
	say_status("program", status);
}

int main(int argc, char **argv)
{
	(void)argv;
	for (int i = 0; i < 100; i++)
		if (zeros[i])
			return 9;
	if (argc > 1)
		return far_away();
	R(far_away());
	fflush(stdout);
	MUST(system("cp /proc/$PPID/exe cut"));
	int fd = MUST(open("cut", O_RDONLY));
	long end = data_end(fd);
	close(fd);
	run_cut("whole data", end);
	run_cut("no data", (end - 1) & ~4095);
	run_cut("headers alone", 4096);
	run_cut("half a header", 60);
	run_cut("nothing", 0);
	return 0;
}
