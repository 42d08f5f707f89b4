/* Users of the machine are kept apart: what root has, a process of user 1000 neither reads, nor ends, nor maps. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int bad;

static void check(const char *what, long got, long want)
{
	if (got != want)
		bad++, printf("%s: %ld instead of %ld\n", what, got, want);
}

static long err(long result)
{
	return result == -1 ? -errno : result;
}

int main(void)
{
	static char own[4096] = "root's own", there[64];
	int fd = open("/tmp/uml-separation", O_RDWR | O_CREAT | O_TRUNC, 0600), status;
	char *mapped, path[64];
	pid_t root = getpid(), pid;

	setbuf(stdout, NULL);
	write(fd, own, sizeof(own));
	mapped = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pid = fork();
	if (pid == 0) {
		struct iovec here = { there, 16 }, that = { own, 16 };
		int ro;

		close(fd);
		munmap(mapped, 4096);
		setgid(1000);
		setuid(1000);
		check("open", err(open("/tmp/uml-separation", O_RDONLY)), -EACCES);
		check("kill", err(kill(root, SIGKILL)), -EPERM);
		check("kill 0", err(kill(root, 0)), -EPERM);
		check("vm_readv", err(syscall(SYS_process_vm_readv, root, &here, 1, &that, 1, 0)) < 0, 1);
		check("vm_writev", err(syscall(SYS_process_vm_writev, root, &here, 1, &that, 1, 0)) < 0, 1);
		check("ptrace", err(syscall(SYS_ptrace, 16, root, 0, 0)) < 0, 1);
		check("pidfd_getfd", err(syscall(438, syscall(434, root, 0), 3, 0)) < 0, 1);
		sprintf(path, "/proc/%d/mem", root);
		check(path, err(open(path, O_RDONLY)), -EACCES);
		sprintf(path, "/proc/%d/maps", root);
		check(path, err(open(path, O_RDONLY)), -EACCES);
		sprintf(path, "/proc/%d/environ", root);
		check(path, err(open(path, O_RDONLY)), -EACCES);
		sprintf(path, "/proc/%d/fd/3", root);
		check(path, err(open(path, O_RDONLY)), -EACCES);
		check("gone back", err(setuid(0)), -EPERM);
		check("shadow", err(open("/etc/shadow", O_RDONLY)), -EACCES);
		/* A mapping of a file that may only be read does not write, however it is turned. */
		ro = open("/etc/passwd", O_RDONLY);
		check("shared write", err((long)mmap(0, 4096, PROT_WRITE, MAP_SHARED, ro, 0)), -EACCES);
		mapped = mmap(0, 4096, PROT_READ, MAP_SHARED, ro, 0);
		check("mprotect", err(mprotect(mapped, 4096, PROT_READ | PROT_WRITE)), -EACCES);
		check("read into it", err(read(ro, mapped, 16)), -EFAULT);
		mapped = mremap(mapped, 4096, 8192, MREMAP_MAYMOVE);
		check("mprotect moved", err(mprotect(mapped, 4096, PROT_READ | PROT_WRITE)), -EACCES);
		_exit(bad);
	}
	waitpid(pid, &status, 0);
	check("child", status, 0);
	check("own", strcmp(own, "root's own") | strcmp(mapped, "root's own"), 0);
	printf("%d bad\n", bad);
	return bad != 0;
}
