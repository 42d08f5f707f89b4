/* getrandom(2), the memory devices, vDSO-free time, arch_prctl, and calls that do not exist. */
#include "../check.h"
#include <asm/prctl.h>
#include <sys/random.h>

int main(void)
{
	unsigned char a[64], b[64];
	unsigned long base = 0;

	R(getrandom(a, 64, 0));
	R(getrandom(b, 64, GRND_NONBLOCK));
	R(memcmp(a, b, 64) != 0);
	R(getrandom(a, 10, 7777));
	R(getrandom((void *)8, 10, 0));
	int zero = MUST(open("/dev/zero", O_RDWR)), full = MUST(open("/dev/full", O_RDWR)), null = MUST(open("/dev/null", O_RDWR));
	R(read(zero, a, 64));
	R(a[63]);
	R(write(full, a, 1));
	R(read(full, a, 5));
	R(write(null, a, 10));
	R(read(null, a, 10));
	R(lseek(null, 5, SEEK_SET));
	int random = MUST(open("/dev/urandom", O_RDONLY));
	R(read(random, a, 64));
	char *z = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
	z[0] = 1;
	R(z[0] + z[1]);
	R(syscall(SYS_arch_prctl, ARCH_GET_FS, &base));
	R(base != 0);
	R(syscall(SYS_arch_prctl, 0x9999, 0));
	R(syscall(5000));
	R(syscall(-1));
	R(syscall(SYS_create_module));
	R(syscall(SYS_set_tid_address, &base) > 0);
	R(open("/dev/stdin", O_RDONLY) >= 0);
	R(access("/dev/fd/1", F_OK));
	return 0;
}
