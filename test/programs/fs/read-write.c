/* read(2), write(2) and their vectored and positional kin; sparse files and lseek(2). */
#include "../check.h"
#include <sys/uio.h>

int main(void)
{
	char buf[64] = "", big[10000];
	struct iovec out[3] = {{"one ", 4}, {"", 0}, {"two", 3}}, in[2] = {{buf, 2}, {buf + 2, 30}};
	int fd = MUST(open("f", O_CREAT | O_RDWR, 0600));

	R(writev(fd, out, 3));
	R(pwrite(fd, "X", 1, 20));
	R(lseek(fd, 0, SEEK_END));
	R(preadv(fd, in, 2, 0));
	say("[%.7s]\n", buf);
	R(pread(fd, buf, 64, 7));
	for (int i = 0; i < 14; i++)
		say("%d ", buf[i]);
	say("\n");
	R(pread(fd, buf, 1, -1));
	R(pread(fd, buf, 10, 21));
	R(lseek(fd, -1, SEEK_SET));
	R(lseek(fd, 5, 77));
	R(writev(fd, out, -1));
	R(writev(fd, out, 2000));
	R(read(fd, (void *)16, 10));
	R(lseek(fd, 0, SEEK_SET));
	R(read(fd, (void *)16, 10));
	R(write(fd, (void *)16, 10));
	R(write(fd, NULL, 0));
	R(pwritev2(fd, out, 1, 100, 0));
	R(lseek(fd, 0, SEEK_END));

	R(ftruncate(fd, 0));
	R(pwrite(fd, "end", 3, 1 << 20));
	R(lseek(fd, 0, SEEK_DATA) > 0);
	R(lseek(fd, 0, SEEK_HOLE));
	R(lseek(fd, 1 << 21, SEEK_DATA));
	struct stat st;
	R(fstat(fd, &st));
	R(st.st_size);
	R(st.st_blocks < 1000);
	R(pread(fd, big, sizeof big, 5000));
	int zeros = 0;
	for (unsigned i = 0; i < sizeof big; i++)
		zeros += big[i] == 0;
	R(zeros);
	R(ftruncate(fd, 10));
	R(ftruncate(fd, -1));
	R(ftruncate(fd, 20));
	R(pread(fd, buf, 64, 0));
	R(truncate("f", 3));
	R(truncate("nope", 3));
	R(truncate(".", 3));
	R(fstat(fd, &st));
	R(st.st_size);
	R(fallocate(fd, 0, 0, 8192));
	R(fallocate(fd, 0, 0, 0));
	R(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100000));
	R(lseek(fd, 0, SEEK_END));
	R(pwrite(fd, "0123456789", 10, 0));
	R(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 5));
	R(pread(fd, buf, 10, 0));
	for (int i = 0; i < 10; i++)
		say("%d ", buf[i]);
	say("\n");
	R(fsync(fd));
	R(fdatasync(fd));
	R(fsync(99));
	int ro = MUST(open("f", O_RDONLY));
	R(write(ro, "x", 1));
	R(ftruncate(ro, 1));
	R(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));

	int other = MUST(open("g", O_CREAT | O_RDWR, 0600));
	off_t from = 0;
	R(copy_file_range(fd, &from, other, NULL, 10, 0));
	R(from);
	R(lseek(other, 0, SEEK_CUR));
	return 0;
}
