/*
 * Pieces that are laid over what was just mapped, as dynamic loaders do, by programs that look at it in between, or take it
 * away first. Each is run several times.
 * test: prepare seq 1 6000 >data
 */
#define _GNU_SOURCE
#include "../check.h"
#include <setjmp.h>

#define PAGE 4096L
#define RUNS 7

static sigjmp_buf out_of_fault;

static void on_fault(int signal)
{
	siglongjmp(out_of_fault, signal);
}

/* What is there; minus a signal. */
static int at(volatile char *place)
{
	int signal = sigsetjmp(out_of_fault, 0);

	return signal ? -signal : *place;
}

static int put(volatile char *place)
{
	int signal = sigsetjmp(out_of_fault, 0);

	return signal ? -signal : (*place = 1);
}

static char *whole(int fd)
{
	return mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_DENYWRITE, fd, 0);
}

static char *piece(char *place, int fd)
{
	int flags = MAP_PRIVATE | MAP_FIXED | (fd < 0 ? MAP_ANONYMOUS : 0);

	return mmap(place, PAGE, PROT_READ | PROT_WRITE, flags, fd, fd < 0 ? 0 : 2 * PAGE);
}

static void run(char how)
{
	int fd = open("data", O_RDONLY), seen[4] = { 0 };
	char *all = whole(fd);

	sigaction(SIGSEGV, &(struct sigaction){ .sa_handler = on_fault, .sa_flags = SA_NODEFER }, NULL);
	switch (how) {
	case 'l':
		seen[0] = at(all + PAGE);
		piece(all + PAGE, -1);
		seen[1] = at(all + PAGE);
		piece(all + 2 * PAGE, fd);
		seen[2] = put(all + 2 * PAGE);
		break;
	case 'p':
		mprotect(all + PAGE, PAGE, PROT_READ);
		piece(all + PAGE, -1);
		seen[0] = put(all + PAGE);
		break;
	case 'u':
		munmap(all, 4 * PAGE);
		seen[0] = at(all);
		piece(all + PAGE, -1);
		seen[1] = put(all + PAGE);
		seen[2] = at(all);
		break;
	case 'o':
		piece(all + PAGE, -1);
		piece(all + PAGE, fd);
		piece(all, -1);
		mprotect(all, 2 * PAGE, PROT_READ);
		seen[0] = put(all);
		seen[1] = at(all + PAGE);
		break;
	case 'e':
		piece(all + PAGE, -1);
		seen[0] = put(all + PAGE);
		mprotect(all + PAGE, PAGE, PROT_NONE);
		seen[1] = at(all + PAGE);
		mprotect(all + PAGE, PAGE, PROT_READ);
		seen[2] = at(all + PAGE);
		seen[3] = at(all + 3 * PAGE);
	}
	close(fd);
	say("%c: %d %d %d %d\n", how, seen[0], seen[1], seen[2], seen[3]);
}

int main(int argc, char **argv)
{
	static const char kinds[] = "lpuoel";
	char word[2] = { 0 };

	if (argc == 2) {
		run(argv[1][0]);
		return 0;
	}
	for (const char *kind = kinds; *kind; kind++)
		for (int i = 0; i < RUNS; i++) {
			int status;
			pid_t pid;

			word[0] = *kind;
			pid = MUST(fork());
			if (pid == 0) {
				execl("/proc/self/exe", "pieces", word, NULL);
				_exit(99);
			}
			MUST(waitpid(pid, &status, 0));
			say_status("it", status);
		}
	return 0;
}
