/*
 * Core files (core(5)): when there is one, what is in it, who is in it.
 * test: flags -pthread
 */
#include "../check.h"
#include <elf.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/user.h>

static char *file;
static long size;
static char *kept, *dropped, *mapped;
static volatile pid_t *crashed;

static void set_limit(long soft)
{
	struct rlimit limit = {soft, RLIM_INFINITY};

	MUST(getrlimit(RLIMIT_CORE, &limit));
	limit.rlim_cur = soft;
	MUST(setrlimit(RLIMIT_CORE, &limit));
}

/* Ends a child so; says how, and whether there is a core file. */
static int crash(const char *what, void (*body)(void))
{
	int status, there;
	pid_t pid;

	unlink("core");
	pid = MUST(fork());
	if (pid == 0) {
		*crashed = getpid();
		body();
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	say_status(what, status);
	there = access("core", F_OK) == 0;
	say("  dumped %d, file %d\n", !!WCOREDUMP(status), there);
	return there;
}

static void load(void)
{
	int fd = MUST(open("core", O_RDONLY));

	size = MUST(lseek(fd, 0, SEEK_END));
	file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
}

static Elf64_Phdr *header(int i)
{
	return (Elf64_Phdr *)(file + ((Elf64_Ehdr *)file)->e_phoff) + i;
}

/* What the file has of an address; NULL if nothing. */
static const char *memory(const void *address)
{
	unsigned long at = (unsigned long)address;

	for (int i = 0; i < ((Elf64_Ehdr *)file)->e_phnum; i++) {
		Elf64_Phdr *p = header(i);

		if (p->p_type == PT_LOAD && at >= p->p_vaddr && at < p->p_vaddr + p->p_filesz)
			return file + p->p_offset + (at - p->p_vaddr);
	}
	return NULL;
}

static void say_process(const prpsinfo_t *p)
{
	say("  prpsinfo %s pid %d ppid %d uid %d nice %d state %d%c args %s\n", p->pr_fname,
	    p->pr_pid == *crashed, p->pr_ppid == getpid(), p->pr_uid == getuid(), p->pr_nice, p->pr_state,
	    p->pr_sname, strncmp(p->pr_psargs, "./", 2) && p->pr_psargs[0] != '/' ? p->pr_psargs : "a path");
}

static void say_thread(const prstatus_t *p)
{
	const struct user_regs_struct *regs = (const void *)p->pr_reg;

	say("  prstatus cursig %d fpvalid %d in its stack %d cs %llx ss %llx thread pointer %d\n", p->pr_cursig,
	    p->pr_fpvalid, memory((void *)regs->rsp) != NULL, regs->cs, regs->ss, regs->fs_base != 0);
}

static void say_siginfo(const siginfo_t *info)
{
	say("  siginfo %d code %d", info->si_signo, info->si_code);
	if (info->si_signo == SIGSEGV)
		say(" at %p\n", info->si_addr);
	else
		say(" from %d\n", info->si_pid == *crashed);
}

static void say_files(const unsigned long *words)
{
	const char *name = (const char *)(words + 2 + 3 * words[0]);
	int own = 0;

	for (unsigned long i = 0; i < words[0]; i++, name += strlen(name) + 1)
		own += strcmp(name + strlen(name) - 6, "mapped") == 0 && (char *)words[2 + 3 * i] == mapped;
	say("  files: page size %lu, mapped %d\n", words[1], own);
}

static void say_notes(void)
{
	Elf64_Phdr *p = header(0);
	const char *at = file + p->p_offset, *end = at + p->p_filesz;

	say("  %s\n", p->p_type == PT_NOTE ? "notes" : "no notes");
	while (at < end) {
		const Elf64_Nhdr *n = (const void *)at;
		const char *name = at + sizeof *n, *body = name + (n->n_namesz + 3) / 4 * 4;

		if (n->n_type == NT_PRSTATUS)
			say_thread((const void *)body);
		else if (n->n_type == NT_PRPSINFO)
			say_process((const void *)body);
		else if (n->n_type == NT_SIGINFO)
			say_siginfo((const void *)body);
		else if (n->n_type == NT_FILE)
			say_files((const void *)body);
		else if (n->n_type == NT_AUXV || n->n_type == NT_FPREGSET || n->n_type == NT_X86_XSTATE)
			say("  %s %x%s\n", name, n->n_type, n->n_type == NT_FPREGSET ? " 512" : "");
		at = body + (n->n_descsz + 3) / 4 * 4;
	}
}

static void say_memory(const char *what, const void *address)
{
	const char *text = memory(address);

	say("  %s: %s\n", what, text == NULL ? "not there" : text);
}

static void say_core(void)
{
	Elf64_Ehdr *e;
	struct stat st;

	load();
	e = (Elf64_Ehdr *)file;
	MUST(stat("core", &st));
	say("  mode %o, type %d machine %d\n", st.st_mode & 07777, e->e_type, e->e_machine);
	say_notes();
	say_memory("anonymous", kept);
	say_memory("MADV_DONTDUMP", dropped);
	say_memory("mapped file", mapped);
	say_memory("string of the program", say_core == NULL ? "" : kept + 100);
	munmap(file, size);
}

static void segv(void)
{
	*(volatile int *)8 = 1;
}

static void aborts(void)
{
	abort();
}

static void quits(void)
{
	kill(getpid(), SIGQUIT);
}

static void terminates(void)
{
	raise(SIGTERM);
}

static void not_dumpable(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	abort();
}

static void only_files(void)
{
	int fd = MUST(open("/proc/self/coredump_filter", O_WRONLY));

	R(write(fd, "0xc", 3));
	abort();
}

static volatile pid_t waiter;
static volatile long computed;

static void *waits(void *arg)
{
	waiter = gettid();
	for (;;)
		pause();
	return arg;
}

static void *computes(void *arg)
{
	for (;;)
		computed++;
	return arg;
}

static void threads(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, waits, NULL);
	pthread_create(&thread, NULL, computes, NULL);
	until(waiter != 0 && sleeps_in(waiter, SYS_pause) && computed > 0);
	abort();
}

static void no_right(void)
{
	mkdir("closed", 0500);
	chdir("closed");
	rmdir("../closed");
	abort();
}

static void prepare(void)
{
	int fd = MUST(open("mapped", O_CREAT | O_RDWR, 0600));

	MUST(write(fd, "of a file", 10));
	mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	kept = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	dropped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	crashed = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strcpy(kept, "kept");
	strcpy(kept + 100, "more");
	strcpy(dropped, "dropped");
	R(madvise(dropped, 4096, MADV_DONTDUMP));
}

int main(void)
{
	char pattern[128] = "";
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);

	if (read(fd, pattern, sizeof pattern - 1) < 0 || strcmp(pattern, "core\n") != 0) {
		puts("core files are called otherwise here");
		return 77;
	}
	prepare();
	set_limit(0);
	crash("no limit", aborts);
	set_limit(RLIM_INFINITY);
	crash("SIGTERM", terminates);
	crash("not dumpable", not_dumpable);
	crash("no directory", no_right);
	if (crash("SIGSEGV", segv))
		say_core();
	if (crash("SIGQUIT", quits))
		say_core();
	if (crash("only files", only_files))
		say_core();
	if (crash("threads", threads))
		say_core();
	MUST(mkdir("taken", 0700));
	unlink("core");
	R(rename("taken", "core"));
	crash("a directory is in the way", aborts);
	R(rmdir("core"));
	set_limit(100);
	crash("less than a page", aborts);
	set_limit(8192);
	if (crash("cut", aborts)) {
		struct stat st;

		MUST(stat("core", &st));
		say("  not longer: %d\n", st.st_size > 4096 && st.st_size <= 8192);
	}
	return 0;
}
