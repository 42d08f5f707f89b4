/* test: needs root */
/* What a mapping may become: a file's mode, /dev/zero, a mount without execution. */
#include "../check.h"
#include <sys/mount.h>
#include <sched.h>

#define PAGE 4096

static void protections(const char *what, int open_flags, const char *path, int prot, int flags)
{
	int fd = open(path, open_flags);
	char *p = mmap(NULL, PAGE, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		say("%s prot %d flags %d: %s\n", what, prot, flags, errno_name(errno));
	else {
		say("%s prot %d flags %d:", what, prot, flags);
		for (int to = 0; to < 8; to++)
			say(" %d=%s", to, mprotect(p, PAGE, to) ? errno_name(errno) : "ok");
		say("\n");
		munmap(p, PAGE);
	}
	close(fd);
}

static void all(const char *what, const char *path)
{
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
	static const int prots[] = {PROT_NONE, PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC};
	static const int kinds[] = {MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE};

	for (int m = 0; m < 3; m++)
		for (int p = 0; p < 5; p++)
			for (int k = 0; k < 3; k++) {
				say("mode %d ", modes[m]);
				protections(what, modes[m], path, prots[p], kinds[k]);
			}
}

static char *pages;

static void write_behind(void)
{
	pages[2 * PAGE] = 1;
}

int main(void)
{
	int fd = MUST(open("file", O_CREAT | O_RDWR, 0700));
	MUST(ftruncate(fd, 2 * PAGE));
	all("file", "file");
	/* A mount of our own: what /dev forbids differs from host to host. */
	MUST(unshare(CLONE_NEWNS));
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mkdir("noexec", 0700));
	MUST(mount("none", "noexec", "tmpfs", MS_NOEXEC, NULL));
	int other = MUST(open("noexec/file", O_CREAT | O_RDWR, 0700));
	MUST(ftruncate(other, PAGE));
	all("noexec", "noexec/file");
	MUST(mknod("zero", S_IFCHR | 0666, 1 << 8 | 5));
	all("zero", "zero");
	/* What comes before the piece that cannot be written changes all the same. */
	char *p = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ro = MUST(open("file", O_RDONLY));
	mmap(p + PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, ro, 0);
	R(mprotect(p, 3 * PAGE, PROT_READ | PROT_WRITE));
	p[0] = 1;
	pages = p;
	in_child("behind it", write_behind);
	return 0;
}
