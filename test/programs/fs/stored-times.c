/* When a file's times tell of what was stored through a shared mapping (mmap(2)): at the first store, however it is made. */
#include "../check.h"
#include <sys/uio.h>

#define SIZE 16384

static int fd;
static struct stat before;

static char *map(int prot, int flags)
{
	void *at = mmap(0, SIZE, prot, flags, fd, 0);

	MUST(at == MAP_FAILED ? -1 : 0);
	return at;
}

/* Clocks of files tick every few milliseconds. */
static void begin(void)
{
	MUST(fstat(fd, &before));
	usleep(30000);
}

static int differs(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec;
}

static void end(const char *what)
{
	struct stat now;

	MUST(fstat(fd, &now));
	say("%s: mtime %s, ctime %s\n", what, differs(before.st_mtim, now.st_mtim) ? "new" : "old",
	    differs(before.st_ctim, now.st_ctim) ? "new" : "old");
}

static void simple_stores(void)
{
	volatile char *at;

	begin();
	at = map(PROT_READ | PROT_WRITE, MAP_SHARED);
	end("mapped");
	(void)at[5];
	end("read");
	munmap((void *)at, SIZE);
	end("unmapped");

	begin();
	at = map(PROT_READ | PROT_WRITE, MAP_SHARED);
	at[5] = 1;
	end("stored");
	munmap((void *)at, SIZE);

	begin();
	at = map(PROT_WRITE, MAP_SHARED);
	at[5] = 2;
	end("stored, without the right to read");
	munmap((void *)at, SIZE);

	begin();
	at = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	at[5] = 3;
	munmap((void *)at, SIZE);
	end("private");

	begin();
	at = map(PROT_READ, MAP_SHARED);
	end("to be read");
	MUST(mprotect((void *)at, SIZE, PROT_READ | PROT_WRITE));
	end("to be written");
	at[4096] = 4;
	end("stored after mprotect");
	MUST(mprotect((void *)at, SIZE, PROT_READ));
	munmap((void *)at, SIZE);
}

static void calls_that_store(void)
{
	char *at, bytes[3] = { 7, 8, 9 };
	struct iovec ours = { bytes, sizeof(bytes) }, theirs;
	int pipes[2];
	struct timespec *time;

	MUST(pipe(pipes));
	MUST(write(pipes[1], bytes, sizeof(bytes)));
	begin();
	at = map(PROT_READ | PROT_WRITE, MAP_SHARED);
	R(read(pipes[0], at + 100, 3));
	say("%d %d %d\n", at[100], at[101], at[102]);
	end("read(2)");
	munmap(at, SIZE);

	begin();
	at = map(PROT_READ | PROT_WRITE, MAP_SHARED);
	theirs = (struct iovec){ at + 5000, sizeof(bytes) };
	R(process_vm_writev(getpid(), &ours, 1, &theirs, 1, 0));
	say("%d %d %d\n", at[5000], at[5001], at[5002]);
	end("process_vm_writev");
	munmap(at, SIZE);

	begin();
	at = map(PROT_READ | PROT_WRITE, MAP_SHARED);
	time = (struct timespec *)(at + 8192);
	R(clock_getres(CLOCK_MONOTONIC, time));
	say("%ld\n", (long)time->tv_nsec);
	end("clock_getres");
	munmap(at, SIZE);

	begin();
	at = map(PROT_READ, MAP_SHARED);
	R(pread(fd, at, 10, 0));
	end("refused");
	munmap(at, SIZE);
}

static void moved_and_cut(void)
{
	char *at;
	int status;

	begin();
	at = map(PROT_READ | PROT_WRITE, MAP_SHARED);
	at = mremap(at, SIZE, 2 * SIZE, MREMAP_MAYMOVE);
	at[SIZE - 1] = 5;
	end("stored after mremap");
	munmap(at, 2 * SIZE);

	begin();
	at = map(PROT_READ | PROT_WRITE, MAP_SHARED);
	MUST(munmap(at + 4096, 4096));
	MUST(mprotect(at + 8192, 4096, PROT_READ));
	end("cut");
	at[12288] = 6;
	end("stored after a cut");
	MUST(munmap(at, 4096));
	MUST(munmap(at + 8192, 8192));

	begin();
	at = map(PROT_READ | PROT_WRITE, MAP_SHARED);
	if (fork() == 0) {
		at[9] = 7;
		_exit(0);
	}
	MUST(wait(&status));
	say("status %d, %d\n", status, at[9]);
	end("stored by a child");
	munmap(at, SIZE);

	begin();
	at = map(PROT_READ | PROT_WRITE, MAP_SHARED);
	if (fork() == 0)
		_exit(at[9]);
	MUST(wait(&status));
	say("status %d\n", WEXITSTATUS(status));
	end("read by a child");
	at[8200] = 8;
	end("stored after a fork");
	munmap(at, SIZE);
}

int main(void)
{
	fd = MUST(open("file", O_RDWR | O_CREAT, 0600));
	MUST(ftruncate(fd, SIZE));
	simple_stores();
	calls_that_store();
	moved_and_cut();
	return 0;
}
