/* Guard pages (MADV_GUARD_INSTALL), MADV_POPULATE_*, holes, mseal(2), remap_file_pages(2), process_madvise(2). */
#include "../check.h"
#include <setjmp.h>
#include <sys/uio.h>

#define PAGE 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)
#define GUARD_INSTALL 102
#define GUARD_REMOVE 103
#define NR_mseal 462
#define NR_process_madvise 440

static sigjmp_buf back;
static int code;

static void fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	code = info->si_code;
	siglongjmp(back, signal);
}

static const char *looks(char *p, int pages)
{
	static char line[4][256];
	static int turn;
	char *to = line[turn++ % 4];

	*to = 0;
	for (int i = 0; i < pages; i++) {
		int signal = sigsetjmp(back, 1);

		if (signal)
			sprintf(to + strlen(to), " %s%d", signal == SIGBUS ? "BUS" : "SEGV", code);
		else
			sprintf(to + strlen(to), " %d", ((volatile char *)p)[i * PAGE]);
	}
	return to;
}

static char *numbered(char *p, int pages)
{
	for (int i = 0; i < pages; i++)
		p[i * PAGE] = i + 1;
	return p;
}

#define SEE(p, pages) say("  %s\n", looks(p, pages))

static void guards(const char *what, char *p)
{
	say("%s\n", what);
	numbered(p, 6);
	R(madvise(p + PAGE, 2 * PAGE, GUARD_INSTALL));
	SEE(p, 6);
	R(mprotect(p, 6 * PAGE, PROT_READ));
	SEE(p, 6);
	R(mprotect(p, 6 * PAGE, RW));
	SEE(p, 6);
	R(madvise(p, 6 * PAGE, MADV_DONTNEED));
	SEE(p, 6);
	int fd = open("/dev/zero", O_RDONLY);
	R(read(fd, p + PAGE, 10));
	R(read(fd, p + PAGE - 5, 10));
	R(read(fd, p, 10));
	close(fd);
	R(madvise(p, 6 * PAGE, MADV_POPULATE_READ));
	R(mlock(p, 2 * PAGE));
	R(madvise(p, PAGE, GUARD_INSTALL));
	R(munlock(p, 6 * PAGE));
	fflush(stdout);
	if (fork() == 0) {
		SEE(p, 6);
		exit(0);
	}
	wait(NULL);
	char *q = mremap(p, 6 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	R(q != MAP_FAILED);
	SEE(q, 6);
	R(madvise(q + 2 * PAGE, 4 * PAGE, GUARD_REMOVE));
	SEE(q, 6);
	mmap(q, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	SEE(q, 6);
	R(madvise(q + PAGE, 6 * PAGE, GUARD_INSTALL));
	munmap(q + PAGE, PAGE);
	R(madvise(q, 6 * PAGE, GUARD_REMOVE));
	SEE(q, 6);
	munmap(q, 8 * PAGE);
}

static void holes(void)
{
	int fd = MUST(open("h", O_CREAT | O_RDWR, 0600));
	MUST(ftruncate(fd, 4 * PAGE));
	char *shared = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0), *private = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	char byte;

	numbered(shared, 4);
	private[PAGE] = 99;
	SEE(private, 4);
	R(madvise(shared + PAGE, 2 * PAGE, MADV_REMOVE));
	SEE(shared, 4);
	SEE(private, 4);
	/* What is written there after that is in the file. */
	shared[PAGE] = 55;
	shared[2 * PAGE] = 66;
	SEE(shared, 4);
	SEE(private, 4);
	for (int i = 0; i < 4; i++) {
		MUST(pread(fd, &byte, 1, i * PAGE));
		say(" %d", byte);
	}
	R(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 3 * PAGE));
	SEE(shared, 4);
	byte = 7;
	MUST(pwrite(fd, &byte, 1, PAGE));
	SEE(shared, 4);
	SEE(private, 4);
}

static void remapped(void)
{
	int fd = MUST(open("r", O_CREAT | O_RDWR, 0600));
	MUST(ftruncate(fd, 8 * PAGE));
	char *p = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, fd, 0);

	numbered(p, 8);
	R(syscall(SYS_remap_file_pages, p, 2 * PAGE, 0, 4, 0));
	SEE(p, 8);
	R(syscall(SYS_remap_file_pages, p + PAGE, PAGE, 0, 0, MAP_NONBLOCK));
	SEE(p, 8);
	R(syscall(SYS_remap_file_pages, p, 8 * PAGE, 0, 1, 0));
	SEE(p, 8);
	R(syscall(SYS_remap_file_pages, p, 9 * PAGE, 0, 1, 0));
	R(syscall(SYS_remap_file_pages, p, PAGE, PROT_READ, 1, 0));
}

static void advised(void)
{
	char *p = numbered(mmap(NULL, 6 * PAGE, RW, ANON, -1, 0), 6);
	struct iovec vector[3] = {{p, PAGE}, {p + 2 * PAGE, 2 * PAGE}, {p + 5, PAGE}};
	int self = syscall(SYS_pidfd_open, getpid(), 0);

	R(syscall(NR_process_madvise, self, vector, 2, MADV_DONTNEED, 0));
	SEE(p, 6);
	R(syscall(NR_process_madvise, self, vector, 3, MADV_PAGEOUT, 0));
	R(syscall(NR_process_madvise, self, vector + 2, 1, MADV_PAGEOUT, 0));
	R(syscall(NR_process_madvise, self, vector, 2, MADV_PAGEOUT, 1));
	R(syscall(NR_process_madvise, 99, vector, 2, MADV_PAGEOUT, 0));
	R(syscall(NR_process_madvise, self, NULL, 2, MADV_PAGEOUT, 0));
	fflush(stdout);
	int pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	int child = syscall(SYS_pidfd_open, pid, 0);
	R(syscall(NR_process_madvise, child, vector, 2, MADV_PAGEOUT, 0));
	R(syscall(NR_process_madvise, child, vector, 2, MADV_COLD, 0));
	R(syscall(NR_process_madvise, child, vector, 2, MADV_DONTNEED, 0));
	R(syscall(NR_process_madvise, child, vector, 2, MADV_RANDOM, 0));
	kill(pid, SIGKILL);
	wait(NULL);
}

static char *droppable;

static void see_droppable(void)
{
	SEE(droppable, 2);
}

static void dropped(void)
{
	const int type = 8;

	droppable = mmap(NULL, 2 * PAGE, RW, type | MAP_ANONYMOUS, -1, 0);
	numbered(droppable, 2);
	in_child("of droppable pages", see_droppable);
	SEE(droppable, 2);
	R(madvise(droppable, PAGE, MADV_KEEPONFORK));
	R(madvise(droppable, PAGE, MADV_WIPEONFORK));
	R(mmap(NULL, PAGE, RW, type | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) == MAP_FAILED);
	R(mmap(NULL, PAGE, RW, type | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0) == MAP_FAILED);
	R(mmap(NULL, PAGE, RW, type, open("f", O_RDWR), 0) == MAP_FAILED);
}

static char *kept_back;

/* Where the parent's memory has not come along, there are no guards of it. */
static void fill_the_gap(void)
{
	int zero = MUST(open("/dev/zero", O_RDONLY));

	R(mmap(kept_back + PAGE, 4 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == kept_back + PAGE);
	numbered(kept_back + PAGE, 4);
	R(read(zero, kept_back, 6 * PAGE));
	SEE(kept_back, 6);
}

static void not_inherited(void)
{
	kept_back = numbered(mmap(NULL, 6 * PAGE, RW, ANON, -1, 0), 6);
	R(madvise(kept_back, 6 * PAGE, GUARD_INSTALL));
	R(madvise(kept_back, PAGE, GUARD_REMOVE));
	R(madvise(kept_back + PAGE, 4 * PAGE, MADV_DONTFORK));
	in_child("without some pages", fill_the_gap);
	SEE(kept_back, 6);
}

static void sealed(void)
{
	char *p = numbered(mmap(NULL, 6 * PAGE, RW, ANON, -1, 0), 6);

	R(syscall(NR_mseal, p + 2 * PAGE, PAGE, 0));
	R(mprotect(p, 6 * PAGE, PROT_READ));
	R(syscall(NR_mseal, p, 7 * PAGE + (1ul << 40), 0));
	R(munmap(p + PAGE, 2 * PAGE));
	R(mremap(p, 6 * PAGE, PAGE, 0) == MAP_FAILED);
	R(mremap(p + 2 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL) == MAP_FAILED);
	R(mmap(p + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == MAP_FAILED);
	char *q = mmap(NULL, PAGE, RW, ANON, -1, 0);
	R(mremap(q, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 2 * PAGE) == MAP_FAILED);
	R(madvise(p + 2 * PAGE, PAGE, MADV_DONTNEED));
	SEE(p, 6);
	fflush(stdout);
	if (fork() == 0) {
		R(munmap(p + 2 * PAGE, PAGE));
		exit(0);
	}
	wait(NULL);
	R(munmap(p, 2 * PAGE));
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	guards("anonymous", mmap(NULL, 6 * PAGE, RW, ANON, -1, 0));
	guards("shared", mmap(NULL, 6 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	int fd = MUST(open("f", O_CREAT | O_RDWR, 0600));
	MUST(ftruncate(fd, 8 * PAGE));
	guards("a file", mmap(NULL, 6 * PAGE, RW, MAP_SHARED, fd, 0));
	guards("a file, private", mmap(NULL, 6 * PAGE, RW, MAP_PRIVATE, fd, 0));
	holes();
	remapped();
	advised();
	dropped();
	not_inherited();
	sealed();
	return 0;
}
