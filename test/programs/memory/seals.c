/* Seals of a memfd and the mappings that may write to it: F_ADD_SEALS in fcntl(2), memfd_create(2). */
#include "../check.h"

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

static char *map(int fd, int prot, int flags)
{
	return mmap(NULL, 8192, prot, flags, fd, 0);
}

static int sealable(void)
{
	int fd = MUST(memfd_create("x", MFD_ALLOW_SEALING));

	MUST(ftruncate(fd, 8192));
	return fd;
}

int main(void)
{
	int fd = sealable(), status;
	char *p = map(fd, PROT_READ, MAP_SHARED), *w;

	R(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(p, 4096);
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(p + 4096, 4096);
	p = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	R((p = map(fd, PROT_READ, MAP_SHARED)) != MAP_FAILED);
	R(mprotect(p, 4096, PROT_READ | PROT_WRITE));
	R(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED && errno == EPERM);

	fd = sealable();
	w = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	w[0] = 1;
	R((p = map(fd, PROT_READ, MAP_SHARED)) != MAP_FAILED);
	R(p[0]);
	R(mprotect(p, 4096, PROT_READ | PROT_WRITE));
	R(mprotect(w, 4096, PROT_READ));
	R(mprotect(w, 4096, PROT_READ | PROT_WRITE));
	R(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED && errno == EPERM);
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(w, 8192);
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));

	/* An executable file that stays so is sealed from writing, too. */
	fd = sealable();
	w = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
	R(fcntl(fd, F_GET_SEALS));
	R(write(fd, "x", 1));
	R(fchmod(fd, 0600));
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
	R(fcntl(fd, F_GET_SEALS));
	R(write(fd, "x", 1));
	R(fchmod(fd, 0700));
	munmap(w, 8192);

	fd = sealable();
	w = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
	munmap(w, 8192);
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC));
	R(fcntl(fd, F_GET_SEALS));

	fd = sealable();
	w = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	pid_t pid = MUST(fork());
	if (pid == 0) {
		R(munmap(w, 8192));
		R(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
		fflush(stdout);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	R(mremap(w, 8192, 16384, MREMAP_MAYMOVE) != MAP_FAILED);
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	pid = MUST(fork());
	if (pid == 0)
		_exit(0);
	MUST(waitpid(pid, &status, 0));
	R(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	R(ftruncate(fd, 4096));
	return 0;
}
