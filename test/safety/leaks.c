/* What must not be seen: other files' pages behind a mapping, slots of former processes, freed memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS 0x7e8000000000UL
#define SLOT_SIZE 0x80000UL
#define PAGE 4096
static const char secret[] = "a SECRET of the superuser";
static sigjmp_buf out;
static volatile int caught;

static void on_fault(int signal)
{
	caught = signal;
	siglongjmp(out, 1);
}

/* The signal that reading a byte gets, 0 if there is one. */
static int touch(volatile char *at, int write)
{
	caught = 0;
	if (sigsetjmp(out, 1) == 0) {
		if (write)
			*at = 'x';
		else
			(void)*at;
	}
	return caught;
}

static int holds(const char *from, unsigned long size, const char *what)
{
	unsigned long i, n = strlen(what);

	for (i = 0; i + n <= size; i++)
		if (from[i] == what[0] && memcmp(from + i, what, n) == 0)
			return 1;
	return 0;
}

static int file_of(const char *name, const char *text, int pages)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char page[PAGE];
	int i;

	memset(page, 0, sizeof(page));
	strcpy(page, text);
	for (i = 0; i < pages; i++)
		if (write(fd, page, PAGE) != PAGE)
			perror("write");
	return fd;
}

/* A mapping that grows past its file must not show what lies behind it in the machine's memory. */
static void grow(int flags, const char *name)
{
	int i, seen = 0, wrong = 0, fds[16];
	char path[64];

	for (i = 0; i < 16; i++) {
		sprintf(path, "/tmp/grow-%d", i);
		fds[i] = file_of(path, i % 2 ? secret : "mine", 1);
	}
	for (i = 0; i < 16; i += 2) {
		char *p = mmap(0, PAGE, PROT_READ | PROT_WRITE, flags, fds[i], 0);
		char *guard = mmap(p + PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		char *q;
		int page;

		p[0] = 'M';
		q = mremap(p, PAGE, 64 * PAGE, MREMAP_MAYMOVE);
		if (q == MAP_FAILED) {
			printf("mremap: %s\n", strerror(errno));
			continue;
		}
		if (q[0] != 'M' || q[1] != 'i')
			wrong++;
		for (page = 1; page < 64; page++) {
			if (touch(q + page * PAGE, 0) != SIGBUS)
				seen++;
			if (touch(q + page * PAGE, 1) != SIGBUS)
				seen++;
		}
		munmap(q, 64 * PAGE);
		(void)guard;
	}
	for (i = 1; i < 16; i += 2) {
		char page[PAGE];

		pread(fds[i], page, PAGE, 0);
		if (strcmp(page, secret) != 0)
			wrong++;
	}
	for (i = 0; i < 16; i++)
		close(fds[i]);
	printf("%s grown: %d pages seen, %d wrong\n", name, seen, wrong);
}

/* A mapping of several pieces that moves: nothing stays behind at the old place. */
static void move(void)
{
	int fd = file_of("/tmp/move", "mine", 8);
	char *p = mmap(0, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	char *to = mmap(0, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i, left = 0, wrong = 0;
	char *q;

	for (i = 0; i < 8; i += 2)
		p[i * PAGE] = 'p';
	q = mremap(p, 16 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (q != to)
		printf("mremap: %s\n", strerror(errno));
	for (i = 0; i < 16; i++)
		if (touch(p + i * PAGE, 0) != SIGSEGV)
			left++;
	for (i = 0; i < 8; i++)
		if (touch(to + i * PAGE, 0) != 0 || to[i * PAGE] != (i % 2 ? 'm' : 'p'))
			wrong++;
	for (i = 8; i < 16; i++)
		if (touch(to + i * PAGE, 0) != SIGBUS)
			wrong++;
	printf("moved: %d pages left behind, %d wrong\n", left, wrong);
}

/* Truncated and removed files: their pages are gone from mappings, and come back as zeros. */
static void freed(void)
{
	int fd = file_of("/tmp/freed", secret, 64);
	char *p = mmap(0, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int i, seen = 0, dirty = 0, round;

	ftruncate(fd, 10);
	for (i = 1; i < 64; i++)
		if (touch(p + i * PAGE, 0) != SIGBUS)
			seen++;
	ftruncate(fd, 64 * PAGE);
	for (i = 0; i < 64; i++)
		if (holds(p + i * PAGE, PAGE, i ? "a" : " of the superuser"))
			dirty++;
	for (round = 0; round < 8; round++) {
		char *q;
		int again;

		close(file_of("/tmp/freed2", secret, 64));
		unlink("/tmp/freed2");
		again = open("/tmp/freed3", O_RDWR | O_CREAT | O_TRUNC, 0600);
		ftruncate(again, 64 * PAGE);
		q = mmap(0, 64 * PAGE, PROT_READ, MAP_SHARED, again, 0);
		dirty += holds(q, 64 * PAGE, secret);
		munmap(q, 64 * PAGE);
		q = mmap(0, 64 * PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		dirty += holds(q, 64 * PAGE, secret);
		munmap(q, 64 * PAGE);
		close(again);
		unlink("/tmp/freed3");
	}
	printf("freed: %d pages seen, %d dirty\n", seen, dirty);
}

/* The slot of a thread must hold nothing of the process that had it before. */
static void slots(void)
{
	int i, found = 0, null = open("/dev/null", O_WRONLY);

	for (i = 0; i < 20; i++) {
		char text[64] = "";
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			strcpy(text, secret);
			text[0] = 'A';
			for (int n = 0; n < 3; n++)
				write(null, text, sizeof(text));
			_exit(0);
		}
		waitpid(pid, &status, 0);
		pid = fork();
		if (pid == 0) {
			setuid(1000);
			text[0] = 'A';
			strcpy(text + 1, "x");
			for (unsigned long at = 0; at + 32 < SLOT_SIZE; at++) {
				const char *p = (char *)SLOTS + at;

				if (p[0] == 'A' && memcmp(p + 1, &secret[1], sizeof(secret) - 2) == 0)
					_exit(1);
			}
			_exit(0);
		}
		waitpid(pid, &status, 0);
		found += status != 0;
	}
	printf("slots: %d secrets\n", found);
}

/* A set-user-ID program starts in a space that its caller never had: nothing the caller left there runs. */
static void setuid_exec(const char *self)
{
	int status;
	pid_t pid;
	char command[256];

	fflush(stdout);
	sprintf(command, "cp %s /tmp/setuid-leaks && chmod 4755 /tmp/setuid-leaks", self);
	system(command);
	pid = fork();
	if (pid == 0) {
		setgid(1000);
		setuid(1000);
		strcpy((char *)SLOTS + 0x7f000, "left by the caller");
		strcpy((char *)SLOTS + 0x600, "left by the caller");
		execl("/tmp/setuid-leaks", "leaks", "--setuid", NULL);
		_exit(9);
	}
	waitpid(pid, &status, 0);
	printf("setuid: status %x\n", status);
}

static int in_setuid(void)
{
	if (geteuid() != 0)
		return 2;
	return strcmp((char *)SLOTS + 0x7f000, "left by the caller") == 0 ||
	       strcmp((char *)SLOTS + 0x600, "left by the caller") == 0;
}

/* What a program has read that then gave up its rights is not for the program that it becomes. */
static void dropped_exec(const char *self)
{
	int fd = file_of("/tmp/dropped", secret, 8), status;
	char command[256];
	pid_t pid;

	sprintf(command, "cp %s /tmp/dropped-leaks && chmod 755 /tmp/dropped-leaks", self);
	system(command);
	pid = fork();
	if (pid == 0) {
		char pages[8 * PAGE];

		pread(fd, pages, sizeof(pages), 0);
		close(fd);
		setgid(1000);
		setuid(1000);
		execl("/tmp/dropped-leaks", "leaks", "--dropped", NULL);
		_exit(9);
	}
	waitpid(pid, &status, 0);
	close(fd);
	printf("dropped: status %x\n", status);
}

static int in_dropped(void)
{
	return holds((char *)SLOTS, SLOT_SIZE, secret);
}

static const char passwords[] = "root:x:0:0:";

/* Leaves the secret wherever calls leave what they move: what is read, written, looked up, and in registers. */
static void spread(int fd)
{
	char pages[8 * PAGE], name[PAGE], head[64];
	int i, null = open("/dev/null", O_WRONLY), file;
	/* As the kernel has it: handler, flags, restorer, mask. Where handlers lie is nobody else's business. */
	char action[32] = "";

	memcpy(action, secret, 8);
	memcpy(action + 16, secret, 8);
	syscall(SYS_rt_sigaction, SIGUSR2, action, NULL, 8);
	pread(fd, pages, sizeof(pages), 0);
	for (i = 0; i + sizeof(secret) < sizeof(pages); i += sizeof(secret))
		memcpy(pages + i, secret, sizeof(secret) - 1), pages[i + sizeof(secret) - 1] = ' ';
	write(null, pages, sizeof(pages));
	writev(null, (struct iovec[]){{pages, 100}, {pages + PAGE, 10 * PAGE}}, 2);
	pages[PAGE - 1] = 0;
	access(pages, F_OK);
	symlink(pages, "/tmp/leaks-link");
	readlink("/tmp/leaks-link", name, sizeof(name));
	unlink("/tmp/leaks-link");
	write(null, secret, -1UL / 2);
	file = open("/etc/passwd", O_RDONLY);
	read(file, head, sizeof(head));
	close(file);
	close(null);
}

static void *spread_in_thread(void *fd)
{
	spread((int)(long)fd);
	return NULL;
}

static void no_change(void)
{
}

static void fewer_groups(void)
{
	setgroups(0, NULL);
}

static void no_new_rights(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void no_capabilities(void)
{
	unsigned head[2] = {0x20080522, 0}, none[6] = {0};

	syscall(SYS_capset, head, none);
}
static void nobody_special(void)
{
	prctl(PR_SET_SECUREBITS, 0x2f, 0, 0, 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} waivers[] = {{"none", no_change}, {"groups", fewer_groups}, {"new rights", no_new_rights}, {"capabilities", no_capabilities},
	       {"root's rights", nobody_special}};

/* Whatever rights a program gave up, and whether it did: what it read and wrote is not for the next one. */
static void waived_exec(const char *self)
{
	int fd = file_of("/tmp/waived", secret, 8), status;
	unsigned i;
	char command[256];

	sprintf(command, "cp %s /tmp/waived-leaks && chmod 755 /tmp/waived-leaks", self);
	system(command);
	for (i = 0; i < 2 * sizeof(waivers) / sizeof(waivers[0]); i++) {
		pid_t pid = fork();

		if (pid == 0) {
			static char *words[] = {"leaks", "--waived", NULL};
			int program = open("/tmp/waived-leaks", O_RDONLY | O_CLOEXEC);
			pthread_t thread;

			if (i % 2)
				pthread_create(&thread, NULL, spread_in_thread, (void *)(long)fd), pthread_join(thread, NULL);
			spread(fd);
			waivers[i / 2].run();
			spread(fd);
			close(fd);
			/* The secret's first letters in a register of each kind, as long as the call takes. */
			__asm__ volatile("movdqu (%0), %%xmm5; movdqu (%0), %%xmm15; mov (%0), %%r15" : : "r"(secret) : "xmm5", "xmm15", "r15");
			syscall(SYS_execveat, program, "", words, NULL, 0x1000);
			_exit(9);
		}
		waitpid(pid, &status, 0);
		printf("waived %s%s: status %x\n", waivers[i / 2].name, i % 2 ? ", thread" : "", status);
	}
	close(fd);
}

static int in_waived(void)
{
	static const char slots[] = "0123";
	char start[9] = {0};
	int i, found = 0;

	memcpy(start, secret, 8);
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	for (i = 0; slots[i]; i++) {
		char *slot = (char *)SLOTS + SLOT_SIZE * i;

		if (touch(slot, 0) == 0)
			found += holds(slot, SLOT_SIZE, start) + 2 * holds(slot, SLOT_SIZE, passwords);
	}
	return found;
}

int main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	if (argc > 1 && strcmp(argv[1], "--setuid") == 0)
		return in_setuid();
	if (argc > 1 && strcmp(argv[1], "--dropped") == 0)
		return in_dropped();
	if (argc > 1 && strcmp(argv[1], "--waived") == 0)
		return in_waived();
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	grow(MAP_SHARED, "shared");
	grow(MAP_PRIVATE, "private");
	move();
	freed();
	slots();
	setuid_exec(argv[0]);
	dropped_exec(argv[0]);
	waived_exec(argv[0]);
	return 0;
}
