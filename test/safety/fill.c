/* Touches memory: `read FILE` each page of a file's mapping, `share MIB...` shared mappings. `no-place`: signals without a stack.
 * `fork MIB COUNT`: so many children with the parent's memory, which with `fork-and-write` they make their own. Were any killed? */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void no_place(void)
{
	stack_t stack = {.ss_sp = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), .ss_size = 65536};
	struct sigaction action = {.sa_handler = _exit, .sa_flags = SA_ONSTACK};

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	mprotect(stack.ss_sp, stack.ss_size, PROT_READ);
	raise(SIGSEGV);
}

static void touch(int fd, size_t size)
{
	volatile char *at = mmap(NULL, size, PROT_READ | (fd < 0 ? PROT_WRITE : 0), MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	for (size_t i = 0; at != MAP_FAILED && i < size; i += 4096)
		if (fd < 0)
			at[i] = 1;
		else
			(void)at[i];
}

/* Each is there, with its memory, until all are, or were killed. */
static int children(size_t size, int count, int spoil)
{
	volatile char *memory = malloc(size);
	int status, killed = 0, hold[2], *ready = malloc(count * sizeof(int));
	char c;

	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
	pipe(hold);
	for (int i = 0; i < count; i++) {
		int ends[2];

		pipe(ends);
		ready[i] = ends[0];
		if (fork() == 0) {
			close(hold[1]);
			for (size_t at = 0; spoil && at < size; at += 4096)
				memory[at] = 2;
			write(ends[1], "", 1);
			read(hold[0], &c, 1);
			_exit(0);
		}
		close(ends[1]);
	}
	for (int i = 0; i < count; i++)
		read(ready[i], &c, 1);
	close(hold[1]);
	for (int i = 0; i < count; i++) {
		wait(&status);
		killed |= status != 0;
	}
	return killed;
}

int main(int count, char **words)
{
	struct stat status;

	if (strcmp(words[1], "no-place") == 0)
		no_place();
	if (strncmp(words[1], "fork", 4) == 0)
		return children((size_t)atoi(words[2]) << 20, atoi(words[3]), words[1][4] == '-');
	for (int i = 2; i < count; i++) {
		int fd = strcmp(words[1], "read") == 0 ? open(words[i], O_RDONLY) : -1;

		touch(fd, fd >= 0 && fstat(fd, &status) == 0 ? status.st_size : (size_t)atoi(words[i]) << 20);
	}
	return 0;
}
