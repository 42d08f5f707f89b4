/* System calls that read and write memory which nobody has touched: large shared mappings, files that have grown, holes. */
#include "../check.h"
#include <linux/futex.h>
#include <sys/auxv.h>
#include <sys/uio.h>

#define SIZE (40l << 20)
#define FAR(n) (memory + ((n) << 20) - 100)

static char *memory;

static void calls(void)
{
	int fd = MUST(open("/proc/self/exe", O_RDONLY)), ends[2];
	struct iovec parts[2] = {{FAR(3), 3000}, {FAR(5), 3000}}, here = {FAR(7), 200}, there = {FAR(9), 200};
	siginfo_t info;

	R(pread(fd, FAR(1), 8000, 0));
	R(memcmp(FAR(1), "\177ELF", 4));
	R(preadv(fd, parts, 2, 1));
	R(memcmp(parts[0].iov_base, "ELF", 3));
	R(fstat(fd, (struct stat *)FAR(11)));
	R(((struct stat *)FAR(11))->st_nlink);
	R(pipe(ends));
	R(write(ends[1], FAR(13), 200));
	R(read(ends[0], FAR(15), 200));
	R(FAR(15)[150]);
	R(process_vm_writev(getpid(), &here, 1, &there, 1, 0));
	R(process_vm_readv(getpid(), &here, 1, &(struct iovec){FAR(17), 200}, 1, 0));
	R(syscall(SYS_futex, FAR(19) - 4 + 100, FUTEX_WAIT, 1, NULL));
	R(open(FAR(21), O_RDONLY));
	if (MUST(fork()) == 0) {
		memset(FAR(23), 'x', 200);
		_exit(7);
	}
	R(waitid(P_ALL, 0, (siginfo_t *)FAR(25), WEXITED));
	memcpy(&info, FAR(25), sizeof info);
	R(info.si_status);
	R(write(ends[1], FAR(23), 200));
	R(read(ends[0], FAR(27), 200));
	R(FAR(27)[199]);
	stack_t stack = {.ss_sp = FAR(31), .ss_size = 65536};
	struct sigaction action = {.sa_handler = SIG_IGN, .sa_flags = SA_ONSTACK};
	R(sigaltstack(&stack, NULL));
	R(sigaction(SIGUSR1, &action, NULL));
	R(raise(SIGUSR1));
	close(ends[0]);
	close(ends[1]);
	close(fd);
}

static void on_stack(int signal)
{
	char here;

	say("signal %d %d\n", signal, &here > FAR(31) && &here < FAR(33));
}

int main(void)
{
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	calls();
	signal(SIGUSR1, on_stack);
	struct sigaction action = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK};
	R(sigaction(SIGUSR1, &action, NULL));
	R(raise(SIGUSR1));
	munmap(memory, SIZE);

	char *vdso = (char *)getauxval(AT_SYSINFO_EHDR), start[4];
	int pair[2];
	R(pipe(pair));
	R(writev(pair[1], &(struct iovec){vdso, 4}, 1));
	R(read(pair[0], start, 4));
	R(memcmp(start, "\177ELF", 4));
	R(write(pair[1], start, 4));
	R(read(pair[0], vdso, 4));
	close(pair[0]);
	close(pair[1]);

	int file = MUST(open("grown", O_RDWR | O_CREAT, 0600));
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	R(pread(file, FAR(1), 10, 0));
	int self = MUST(open("/proc/self/exe", O_RDONLY));
	R(pread(self, FAR(1), 10, 0));
	R(ftruncate(file, SIZE));
	calls();
	R(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE));
	calls();
	munmap(memory, SIZE);
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	calls();
	return 0;
}
