/*
 * file_getattr(2), file_setattr(2), FS_IOC_FSGETXATTR and FS_IOC_FSSETXATTR on tmpfs.
 * test: needs root
 */
#include "own-mounts.h"
#include <sys/ioctl.h>

#define GET 468
#define SET 469
#define FSGETXATTR _IOR('X', 31, struct fsxattr)
#define FSSETXATTR _IOW('X', 32, struct fsxattr)

struct attr {
	uint64_t xflags;
	uint32_t extsize, nextents, projid, cowextsize;
	uint64_t more;
};

struct fsxattr {
	uint32_t xflags, extsize, nextents, projid, cowextsize;
	char pad[8];
};

static void get(const char *name, int size, int flags)
{
	static union {
		struct attr a;
		char room[5000];
	} all;
	struct attr *a = &all.a;

	memset(&all, 0xee, sizeof all);
	if (syscall(GET, AT_FDCWD, name, a, size, flags) == -1)
		say("get %s %d %x: %s\n", name, size, flags, errno_name(errno));
	else
		say("get %s %d %x: %lx %x %x %x %x %lx\n", name, size, flags, (long)a->xflags, a->extsize, a->nextents,
		    a->projid, a->cowextsize, (long)a->more);
}

static void set(const char *name, struct attr a, int size, int flags)
{
	long result = syscall(SET, AT_FDCWD, name, &a, size, flags);

	say("set %s %lx %u %u %u %u, %d %x: %s\n", name, (long)a.xflags, a.extsize, a.nextents, a.projid, a.cowextsize,
	    size, flags, result == 0 ? "ok" : errno_name(errno));
	get(name, 24, flags & 0x1100);
}

static void flag(const char *name, uint64_t xflags)
{
	set(name, (struct attr){xflags}, 24, 0);
}

static void calls(void)
{
	const int sizes[] = {0, 23, 24, 32, 40, 4096, 4097};
	const char *names[] = {"f", "d", "link", "fifo", "nothing", "", "/proc/self/stat", "/dev/null"};

	for (int i = 0; i < 7; i++)
		get("f", sizes[i], 0);
	for (int i = 0; i < 8; i++) {
		get(names[i], 24, 0);
		get(names[i], 24, 0x100);
		flag(names[i], 0x80);
	}
	get("", 24, 0x1000);
	get("f", 24, 1);
	get("/dev/null", 23, 0);
	for (int i = 0; i < 34; i++)
		flag("f", 1ul << i);
	flag("f", 0);
	flag("d", 0x1000);
	flag("f", 0x80);
	set("f", (struct attr){0, 1}, 24, 0);
	set("f", (struct attr){0, 0, 1}, 24, 0);
	set("f", (struct attr){0, 0, 0, 1}, 24, 0);
	set("f", (struct attr){0, 0, 0, 0, 1}, 24, 0);
	set("f", (struct attr){0}, 32, 0);
	set("f", (struct attr){0, 0, 0, 0, 0, 1}, 32, 0);
	set("f", (struct attr){0}, 23, 0);
	set("f", (struct attr){0}, 4097, 0);
	set("f", (struct attr){0}, 24, 1);
	set("link", (struct attr){0}, 24, 0x100);
	R(syscall(SET, AT_FDCWD, "f", NULL, 24, 0));
	R(syscall(GET, AT_FDCWD, "f", NULL, 24, 0));
	R(syscall(GET, -1, "f", NULL, 24, 0));
	R(syscall(GET, MUST(open("f", O_RDONLY)), "f", NULL, 24, 0));
}

static void requests(void)
{
	int file = MUST(open("f", O_RDONLY)), fifo = MUST(open("fifo", O_RDWR)), flags;
	struct fsxattr x;

	memset(&x, 0xee, sizeof x);
	R(ioctl(file, FSGETXATTR, &x));
	say("%x %x %x %x %x %x\n", x.xflags, x.extsize, x.nextents, x.projid, x.cowextsize, x.pad[0]);
	x.xflags = 0xc0;
	x.pad[0] = 1;
	R(ioctl(file, FSSETXATTR, &x));
	get("f", 24, 0);
	R(ioctl(file, _IOR('f', 1, long), &flags));
	R(flags);
	x.xflags = 1 << 30;
	R(ioctl(file, FSSETXATTR, &x));
	R(ioctl(fifo, FSSETXATTR, &x));
	x.xflags = 0;
	R(ioctl(fifo, FSSETXATTR, &x));
	R(ioctl(fifo, FSGETXATTR, &x));
	R(ioctl(file, FSSETXATTR, 8));
	R(ioctl(file, FSGETXATTR, 8));
}

static void as_user(void)
{
	MUST(setresgid(1000, 1000, 1000));
	MUST(setresuid(1000, 1000, 1000));
	flag("f", 0x80);
	close(MUST(open("mine", O_CREAT | O_RDWR, 0644)));
	flag("mine", 0x80);
	flag("mine", 0x08);
	flag("mine", 0x100);
	flag("mine", 0x40);
}

int main(void)
{
	own_tmpfs();
	close(MUST(open("f", O_CREAT | O_RDWR, 0644)));
	if (syscall(GET, AT_FDCWD, "f", NULL, 0, 0) == -1 && errno == ENOSYS) {
		puts("the host has no file_getattr");
		return 77;
	}
	MUST(mkdir("d", 0755));
	MUST(symlink("f", "link"));
	MUST(mkfifo("fifo", 0644));
	calls();
	requests();
	in_child("as_user", as_user);
	MUST(mount(NULL, "../t", NULL, MS_REMOUNT | MS_RDONLY | MS_BIND, NULL));
	flag("../t/f", 0);
	return 0;
}
