/*
 * A program moves its break up and down, and another looks at its memory meanwhile: what it sees is always one heap that
 * could be, and at the end what is.
 */
#include "../check.h"
#include <sys/socket.h>
#include <sys/uio.h>

#define PAGE 4096l
#define TRIES 20
#define LOOKS 300
#define STEPS 32

static char text[1 << 16];
static char *base;
static int bad;

static void read_text(pid_t pid, const char *name)
{
	char path[64];
	long len = 0, got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY);
	while ((got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += got;
	text[len] = 0;
	close(fd);
}

/* How many pages its heap has; -1 if it is not one that begins at the base. */
static long heap_pages(pid_t pid)
{
	unsigned long from, to, last = 0;
	long pages = 0;
	char *line, *next;

	read_text(pid, "maps");
	for (line = text; (next = strchr(line, '\n')) != NULL; line = next + 1) {
		*next = 0;
		if (sscanf(line, "%lx-%lx", &from, &to) != 2 || from >= to || from < last)
			return -1;
		last = to;
		if (!strstr(line, "[heap]"))
			continue;
		if (pages != 0 || from != (unsigned long)base)
			return -1;
		pages = (long)(to - from) / PAGE;
	}
	return pages;
}

/* Whether one look at it sees what cannot be. */
static int is_odd(pid_t pid)
{
	unsigned char seen = 0;
	struct iovec here = { &seen, 1 }, there = { base, 1 };
	long pages = heap_pages(pid);
	int odd = pages < 1 || pages > 1 + STEPS;

	odd |= process_vm_readv(pid, &here, 1, &there, 1, 0) != 1 || seen != 0x55;
	/* The last byte of the top page is there, or it is not; then it is zero or was written. */
	there.iov_base = base + (STEPS + 1) * PAGE - 1;
	if (process_vm_readv(pid, &here, 1, &there, 1, 0) == 1)
		odd |= seen != 0 && seen != 0x66;
	else
		odd |= errno != EFAULT;
	read_text(pid, "statm");
	return odd || atol(text) < 1;
}

/* The host shows areas that change piece by piece: it may be seen in between, but not always. */
static void look(pid_t pid)
{
	int tries;

	for (tries = 0; tries < TRIES && is_odd(pid); tries++)
		;
	bad += tries == TRIES;
}

static void move(int ends)
{
	char byte;
	int i;

	syscall(SYS_brk, base + PAGE);
	*base = 0x55;
	write(ends, "", 1);
	for (i = 0; fcntl(ends, F_SETFL, O_NONBLOCK) == 0 && read(ends, &byte, 1) < 0; i++) {
		char *to = base + PAGE + (1 + i % STEPS) * PAGE;

		if ((char *)syscall(SYS_brk, to) != to || to[-1] != 0)
			break;
		to[-1] = 0x66;
		if ((char *)syscall(SYS_brk, base + PAGE) != base + PAGE)
			break;
	}
	syscall(SYS_brk, base + 5 * PAGE);
	fcntl(ends, F_SETFL, 0);
	write(ends, *base == 0x55 ? "y" : "n", 1);
	/* No call of the kernel's, while the other looks. */
	for (volatile long *up = (long *)base + 1; *up == 0;)
		syscall(SYS_brk, base + (5 + i++ % 4) * PAGE);
	syscall(SYS_brk, base + 5 * PAGE);
	write(ends, "", 1);
	read(ends, &byte, 1);
	_exit(0);
}

int main(void)
{
	int ends[2], i, tries;
	char said;
	long go = 1, pages;
	struct iovec here = { &go, sizeof(go) }, there;
	pid_t pid;

	setvbuf(stdout, NULL, _IONBF, 0);
	base = (char *)(((long)sbrk(0) + PAGE - 1) / PAGE * PAGE);
	syscall(SYS_brk, base);
	/* Below is what libc has. */
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		move(ends[1]);
	}
	close(ends[1]);
	read(ends[0], &said, 1);
	for (i = 0; i < LOOKS; i++)
		look(pid);
	write(ends[0], "", 1);
	read(ends[0], &said, 1);
	say("bad %d, kept %c\n", bad, said);
	for (i = 0; i < LOOKS; i++) {
		for (tries = 0; tries < TRIES && ((pages = heap_pages(pid)) < 5 || pages > 8); tries++)
			;
		bad += tries == TRIES;
	}
	there = (struct iovec){ base + sizeof(long), sizeof(long) };
	R(process_vm_writev(pid, &here, 1, &there, 1, 0));
	read(ends[0], &said, 1);
	R(heap_pages(pid));
	say("bad %d\n", bad);
	write(ends[0], "", 1);
	waitpid(pid, NULL, 0);
	return 0;
}
