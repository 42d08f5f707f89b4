/* SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP handlers: what siginfo and the context say; a handler that repairs. */
#include "../check.h"
#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf back;
static char *page;
static void *expected;

static void report(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	say("%s code %d address %d trap %lld error %lld\n", strsignal(signal), info->si_code, info->si_addr == expected,
	    uc->uc_mcontext.gregs[REG_TRAPNO], uc->uc_mcontext.gregs[REG_ERR]);
	siglongjmp(back, 1);
}

static void repair(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	say("repair %ld\n", (long)((char *)info->si_addr - page));
	MUST(mprotect(page, 4096, PROT_READ | PROT_WRITE));
}

static void skip(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	uc->uc_mcontext.gregs[REG_RBX] = 77;
	say("skip %d\n", signal);
}

static void on(int signal, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	sigaction(signal, &action, NULL);
}

static void jump(void *to)
{
	((void (*)(void))to)();
}

int main(void)
{
	page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	on(SIGSEGV, report);
	on(SIGBUS, report);
	on(SIGFPE, report);
	on(SIGILL, report);
	on(SIGTRAP, report);
	expected = (void *)16;
	if (!sigsetjmp(back, 1))
		*(volatile char *)16 = 1;
	if (!sigsetjmp(back, 1))
		say("%d\n", *(volatile char *)16);
	expected = page + 5;
	if (!sigsetjmp(back, 1))
		page[5] = 1;
	expected = page;
	if (!sigsetjmp(back, 1))
		jump(page);
	expected = NULL;
	if (!sigsetjmp(back, 1))
		*(volatile char *)0xdead000000000000ul = 1;
	if (!sigsetjmp(back, 1))
		__asm__ volatile("hlt");
	int fd = MUST(open("f", O_CREAT | O_RDWR, 0600));
	MUST(ftruncate(fd, 100));
	char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	say("%d\n", map[4095]);
	expected = map + 4096;
	if (!sigsetjmp(back, 1))
		say("%d\n", *(volatile char *)(map + 4096));
	volatile int zero = 0;
	struct sigaction action = {.sa_sigaction = report, .sa_flags = SA_SIGINFO | SA_NODEFER};
	sigaction(SIGFPE, &action, NULL);
	if (!sigsetjmp(back, 1)) {
		volatile int result;
		__asm__ volatile("lea 1f(%%rip), %0\n" : "=r"(expected));
		__asm__ volatile("1: idivl %1" : "=a"(result) : "r"(zero), "a"(1), "d"(0));
	}
	if (!sigsetjmp(back, 1)) {
		__asm__ volatile("lea 2f(%%rip), %0" : "=r"(expected));
		__asm__ volatile("2: ud2");
	}
	expected = NULL;
	if (!sigsetjmp(back, 1))
		__asm__ volatile("int3");

	on(SIGSEGV, repair);
	page[100] = 42;
	R(page[100]);
	on(SIGILL, skip);
	long rbx = 1;
	__asm__ volatile("ud2" : "+b"(rbx));
	R(rbx);

	/* A blocked fault kills. */
	pid_t pid = fork();
	if (pid == 0) {
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGSEGV);
		sigprocmask(SIG_BLOCK, &set, NULL);
		*(volatile char *)16 = 1;
	}
	int status;
	waitpid(pid, &status, 0);
	say_status("blocked", status);
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_IGN);
		*(volatile char *)16 = 1;
	}
	waitpid(pid, &status, 0);
	say_status("ignored", status);
	return 0;
}
