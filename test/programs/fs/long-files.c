/* Sparse files that are longer than any memory, and what little there is in them. */
#include "../check.h"

#define PAGE 4096l
/* Far from everything, not so far that a machine has no place for several such files. */
#define FAR (256l << 30)
#define RW (PROT_READ | PROT_WRITE)

static int fd;

static int byte_at(long pos)
{
	char c = '?';

	return pread(fd, &c, 1, pos) == 1 ? c : -1;
}

static void child(void)
{
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, FAR);

	say("the child sees %d %d\n", p[0], p[1]);
	p[2] = 3;
}

static void mapped(void)
{
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, FAR - PAGE);
	char *q = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, FAR - PAGE);

	say("mapped: %d %d\n", p[PAGE], q[PAGE]);
	q[PAGE + 1] = 9;
	p[PAGE + 1] = 2;
	p[5] = 5;
	in_child("child", child);
	say("now %d %d %d, privately %d %d %d\n", p[5], p[PAGE + 1], p[PAGE + 2], q[5], q[PAGE + 1], q[PAGE + 2]);
	munmap(p, 2 * PAGE);
	munmap(q, 2 * PAGE);
}

static void far_and_near(void)
{
	struct stat st;

	R(ftruncate(fd, 5 * FAR));
	R(byte_at(4 * FAR));
	R(pwrite(fd, "\1", 1, FAR));
	R(pwrite(fd, "\4", 1, 4 * PAGE));
	MUST(fstat(fd, &st));
	say("size %ld\n", (long)st.st_size);
	R(lseek(fd, 0, SEEK_DATA));
	R(lseek(fd, 4 * PAGE, SEEK_HOLE));
	R(lseek(fd, 5 * PAGE, SEEK_DATA));
	R(lseek(fd, FAR, SEEK_HOLE));
	R(lseek(fd, FAR + PAGE, SEEK_DATA));
	R(byte_at(FAR));
	R(byte_at(FAR - 1));
	R(byte_at(4 * PAGE));
	mapped();
	R(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FAR, 3 * FAR));
	R(byte_at(FAR));
	R(byte_at(FAR - PAGE + 5));
	R(ftruncate(fd, FAR - PAGE));
	R(ftruncate(fd, 2 * FAR));
	R(byte_at(FAR - PAGE + 5));
	R(lseek(fd, 5 * PAGE, SEEK_DATA));
	R(byte_at(4 * PAGE));
}

/* A mapping outlives the file's end, which goes away and comes back. */
static void end_moves(void)
{
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);

	R(p[0]);
	p[0] = 1;
	R(ftruncate(fd, 3 * FAR));
	R(pwrite(fd, "\2", 1, 1));
	R(pwrite(fd, "\3", 1, 1 << 20));
	say("%d %d\n", p[0], p[1]);
	p[2] = 4;
	R(byte_at(2));
	munmap(p, PAGE);
}

int main(void)
{
	char name[] = "/tmp/long-files-XXXXXX";

	for (int is_memfd = 0; is_memfd < 2; is_memfd++) {
		if (is_memfd)
			fd = MUST(memfd_create("long", 0));
		else {
			fd = MUST(mkstemp(name));
			unlink(name);
		}
		far_and_near();
		end_moves();
		close(fd);
	}
	return 0;
}
