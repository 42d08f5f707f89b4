/* Copy on write through forks of forks, and memory shared between unrelated mappings. */
#include "../check.h"

#define PAGES 512
static char *area;

static long sum(void)
{
	long total = 0;

	for (int i = 0; i < PAGES; i++)
		total += area[i * 4096] * (i % 7 + 1);
	return total;
}

static void leaf(void)
{
	for (int i = 0; i < PAGES; i += 3)
		area[i * 4096] = 9;
	say("leaf %ld\n", sum());
}

static void branch(void)
{
	for (int i = 0; i < PAGES; i += 2)
		area[i * 4096] = 5;
	say("branch %ld\n", sum());
	in_child("leaf", leaf);
	say("branch after %ld\n", sum());
}

int main(void)
{
	area = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < PAGES; i++)
		area[i * 4096] = i % 11;
	say("root %ld\n", sum());
	in_child("branch", branch);
	in_child("branch", branch);
	say("root after %ld\n", sum());

	/* A read by the kernel into a page that is shared after fork must not show in the other. */
	int fds[2];
	MUST(pipe(fds));
	pid_t pid = MUST(fork());
	if (pid == 0) {
		write(fds[1], "hello", 5);
		read(fds[0], area, 5);
		write(fds[1], "x", 1);
		_exit(area[0] == 'h');
	}
	int status;
	waitpid(pid, &status, 0);
	say_status("child read", status);
	R(area[0]);

	/* Many children at once, each with its own view. */
	for (int i = 0; i < 8; i++)
		if (MUST(fork()) == 0) {
			for (int j = 0; j < PAGES; j++)
				area[j * 4096] = i;
			sleep_ms(20);
			int good = 1;
			for (int j = 0; j < PAGES; j++)
				good &= area[j * 4096] == i;
			_exit(good);
		}
	int good = 0;
	while (wait(&status) > 0)
		good += WEXITSTATUS(status);
	R(good);
	say("root at last %ld\n", sum());

	int fd = MUST(open("f", O_CREAT | O_RDWR, 0600));
	MUST(ftruncate(fd, 4096));
	char *one = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *two = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (MUST(fork()) == 0) {
		char *three = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, MUST(open("f", O_RDWR)), 0);
		three[7] = 77;
		_exit(0);
	}
	wait(NULL);
	R(one[7]);
	R(two[7]);
	MUST(ftruncate(fd, 0));
	MUST(ftruncate(fd, 4096));
	R(two[7]);
	return 0;
}
