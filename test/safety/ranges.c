/* What the engine keeps in an address space can be neither changed nor replaced; read-only pages are just that. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
static const struct { const char *name; unsigned long at, size; int writable; } ranges[] = {
	{ "text", 0x7e400000, 0x4000, 0 },
	{ "global", 0x7e500000, 0x4000, 0 },
	{ "table", 0x7e600000, 0x10000, 0 },
	{ "thunks", 0x7e610000, 0x40000, 0 },
	{ "space", 0x7e700000, 0xe000, 0 },
	{ "answers", 0x7e720000, 0x2000, 1 },
	{ "slot", 0x7e8000000000, 0x80000, 1 },
};
static sigjmp_buf out;
static int bad;

static void on_fault(int signal)
{
	siglongjmp(out, signal);
}

static int write_byte(unsigned long at)
{
	int signal = sigsetjmp(out, 1);

	if (signal == 0)
		*(volatile char *)at = *(volatile char *)at ^ 0x55;
	return signal;
}

static void check(const char *what, const char *name, long got, long want)
{
	if (got != want)
		bad++, printf("%s %s: %ld instead of %ld\n", what, name, got, want);
}

static long err(long result)
{
	return result == -1 ? -errno : result;
}

static unsigned long sum(unsigned long at, unsigned long size)
{
	unsigned long s = 0, i;

	for (i = 0; i < size; i += 8)
		s = s * 31 + *(volatile unsigned long *)(at + i);
	return s;
}

/* A program that wants to be loaded over the engine's text must not be. */
static int loaded_over(unsigned long at, unsigned long size)
{
	struct { Elf64_Ehdr e; Elf64_Phdr p[2]; } file;
	int fd = open("/tmp/over", O_RDWR | O_CREAT | O_TRUNC, 0755), status;
	pid_t pid;

	memset(&file, 0, sizeof(file));
	memcpy(file.e.e_ident, "\177ELF\2\1\1", 7);
	file.e.e_type = ET_EXEC;
	file.e.e_machine = EM_X86_64;
	file.e.e_version = 1;
	file.e.e_entry = at + sizeof(file);
	file.e.e_phoff = sizeof(Elf64_Ehdr);
	file.e.e_ehsize = sizeof(Elf64_Ehdr);
	file.e.e_phentsize = sizeof(Elf64_Phdr);
	file.e.e_phnum = 1;
	file.p[0].p_type = PT_LOAD;
	file.p[0].p_flags = 7;
	file.p[0].p_vaddr = at;
	file.p[0].p_filesz = sizeof(file) + 16;
	file.p[0].p_memsz = size;
	file.p[0].p_align = PAGE;
	write(fd, &file, sizeof(file));
	write(fd, "\x31\xff\xb8\xe7\x00\x00\x00\x0f\x05\x90\x90\x90\x90\x90\x90\x90", 16);
	close(fd);
	pid = fork();
	if (pid == 0) {
		execl("/tmp/over", "over", NULL);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

int main(void)
{
	unsigned long before[7];
	char page[PAGE];
	int i, fd, mem;

	setbuf(stdout, NULL);
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	fd = open("/tmp/ranges", O_RDWR | O_CREAT | O_TRUNC, 0600);
	memset(page, 'P', PAGE);
	write(fd, page, PAGE);
	mem = open("/proc/self/mem", O_RDWR);
	for (i = 0; i < 7; i++) {
		unsigned long at = ranges[i].at, size = ranges[i].size;
		const char *name = ranges[i].name;
		char *own;

		/* The other pages change with mappings and new call sites. */
		before[i] = i == 0 ? sum(at, size) : 0;
		check("mprotect", name, err(mprotect((void *)at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC)), -ENOMEM);
		check("mprotect from below", name, err(mprotect((void *)(at - PAGE), 2 * PAGE, 7)), -ENOMEM);
		check("mmap", name, err((long)mmap((void *)at, PAGE, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)), -ENOMEM);
		check("mmap of a file", name, err((long)mmap((void *)at, PAGE, 7, MAP_SHARED | MAP_FIXED, fd, 0)), -ENOMEM);
		check("mmap around", name, err((long)mmap((void *)(at - 16 * PAGE), size + 32 * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)), -ENOMEM);
		check("mmap noreplace", name, err((long)mmap((void *)at, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0)), -ENOMEM);
		own = mmap((void *)at, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		check("hint", name, (unsigned long)own == at, 0);
		check("mremap onto", name, err((long)mremap(own, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)at)), -EINVAL);
		check("mremap of", name, err((long)mremap((void *)at, PAGE, 2 * PAGE, MREMAP_MAYMOVE)), -EFAULT);
		munmap(own, PAGE);
		munmap((void *)at, size);
		mmap((void *)(at - PAGE), PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		munmap((void *)(at - PAGE), size + 2 * PAGE);
		madvise((void *)at, size, MADV_DONTNEED);
		madvise((void *)at, size, MADV_DOFORK);
		check("madvise", name, err(madvise((void *)at, PAGE, MADV_DONTNEED)), -ENOMEM);
		check("/proc/self/mem", name, err(pwrite(mem, page, 16, at)), -EIO);
		if (!ranges[i].writable) {
			check("read into", name, err(pread(fd, (void *)at, 16, 0)), -EFAULT);
			check("large read into", name, err(pread(fd, (void *)at, PAGE, 0)), -EFAULT);
			for (unsigned long p = at; p < at + size; p += PAGE)
				check("write to", name, write_byte(p), SIGSEGV);
		}
		check("still there", name, sigsetjmp(out, 1) == 0 ? (sum(at, PAGE), 0) : 1, 0);
		if (before[i] != 0 && sum(at, size) != before[i])
			bad++, printf("%s changed\n", name);
		check("program over", name, loaded_over(at, PAGE), 0);
		check("program around", name, loaded_over(at - 4 * PAGE, size + 64 * PAGE), 0);
	}
	{
		struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
		int status;
		pid_t pid;

		fflush(stdout);
		/* The heap of a program below the text, and a stack without limit, stop before it. */
		setrlimit(RLIMIT_STACK, &all);
		for (i = 0; i < 20; i++) {
			pid = fork();
			if (pid == 0) {
				execl("/bin/true", "true", NULL);
				_exit(1);
			}
			waitpid(pid, &status, 0);
			check("stack", "true", status, 0);
		}
		check("brk", "far", sbrk(1UL << 46) == (void *)-1, 1);
		check("munmap", "all below", err(munmap((void *)0x10000, 0x500000000000UL)), 0);
	}
	printf("%d bad\n", bad);
	return bad != 0;
}
