/* A file is closed when its last mapping is gone: the process that unmapped it, and whoever waited for one, may run it. */
#include "../check.h"

enum { ROUNDS = 20, SIZE = 1 << 20 };

static char program[SIZE];
static int length;

static void *written(void)
{
	int fd = open("program", O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0755);
	if (ftruncate(fd, length) < 0)
		return NULL;
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memcpy(at, program, length);
	close(fd);
	return at;
}

/* What execve says to a child; 0: it ran. */
static int run(void)
{
	int status, pid = fork();
	if (pid == 0) {
		execl("./program", "program", NULL);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	unlink("program");
	return WEXITSTATUS(status);
}

static int lease(void)
{
	int fd = open("program", O_RDONLY);
	int r = fcntl(fd, F_SETLEASE, F_RDLCK) == 0 ? 0 : errno;
	close(fd);
	return r;
}

int main(void)
{
	int unmapped = 0, ended = 0, killed = 0, leases = 0;
	int fd = open("/bin/true", O_RDONLY);
	length = read(fd, program, SIZE);
	close(fd);
	for (int i = 0; i < ROUNDS; i++) {
		munmap(written(), length);
		leases += lease();
		unmapped += run();
		int pid = fork();
		if (pid == 0) {
			written();
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		leases += lease();
		ended += run();
		pid = fork();
		if (pid == 0) {
			written();
			raise(SIGKILL);
		}
		waitpid(pid, NULL, 0);
		killed += run();
	}
	printf("unmapped: %d, ended: %d, killed: %d, leases: %d\n", unmapped, ended, killed, leases);
	return 0;
}
