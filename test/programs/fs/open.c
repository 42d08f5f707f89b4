/* open(2): flags, errors, and the descriptors that come out. */
#include "../check.h"

int main(void)
{
	char buf[16];

	R(open("nope", O_RDONLY));
	R(open("", O_RDONLY));
	R(open("a", O_CREAT | O_EXCL | O_WRONLY, 0640));
	R(open("a", O_CREAT | O_EXCL | O_WRONLY, 0640));
	R(write(3, "hello", 5));
	R(read(3, buf, 1));
	R(close(3));
	R(close(3));
	R(open("a", O_RDONLY | O_DIRECTORY));
	R(open("a/b", O_RDONLY));
	R(open(".", O_WRONLY));
	R(open(".", O_RDONLY | O_CREAT, 0600));
	R(mkdir("d", 0755));
	R(open("d", O_RDWR));
	R(open("d/", O_RDONLY));
	R(read(3, buf, 1));
	R(openat(3, "x", O_CREAT | O_RDWR, 0600));
	R(openat(4, "x", O_RDONLY));
	R(openat(99, "x", O_RDONLY));
	R(write(4, "abc", 3));
	R(open("d/x", O_WRONLY | O_APPEND));
	R(write(5, "def", 3));
	R(lseek(5, 0, SEEK_CUR));
	R(pread(4, buf, 16, 1));
	R(open("d/x", O_RDWR | O_TRUNC));
	R(pread(4, buf, 16, 0));
	R(symlink("d/x", "link"));
	R(open("link", O_RDONLY | O_NOFOLLOW));
	R(open("link", O_PATH | O_NOFOLLOW));
	R(read(7, buf, 1));
	R(symlink("loop", "loop"));
	R(open("loop", O_RDONLY));
	R(symlink("missing", "dangling"));
	R(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0600));
	R(open("dangling", O_CREAT | O_RDWR, 0600));
	R(access("missing", F_OK));
	R(open(".", O_TMPFILE | O_RDWR, 0600));
	R(write(9, "tmp", 3));
	R(fcntl(3, F_GETFD));
	R(fcntl(5, F_GETFL) & (O_ACCMODE | O_APPEND));
	R(open("a", O_RDONLY | O_CLOEXEC));
	R(fcntl(10, F_GETFD));
	R(syscall(SYS_close_range, 3, 100, 0));
	R(close(4));

	char name[300];
	memset(name, 'n', 299);
	name[299] = 0;
	R(open(name, O_CREAT | O_RDWR, 0600));
	name[255] = 0;
	R(open(name, O_CREAT | O_RDWR, 0600));
	char *path = malloc(5000);
	memset(path, '/', 4999);
	path[4999] = 0;
	R(open(path, O_RDONLY));
	R(open((char *)8, O_RDONLY));
	return 0;
}
