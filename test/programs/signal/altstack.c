/* sigaltstack(2), and that a signal keeps every register: vector ones too. */
#include "../check.h"
#include <ucontext.h>

static char stack[65536];

static void on_stack(int signal, siginfo_t *info, void *context)
{
	char here;
	stack_t now;
	ucontext_t *uc = context;

	(void)signal;
	(void)info;
	R(&here >= stack && &here < stack + sizeof stack);
	R(sigaltstack(NULL, &now));
	R(now.ss_flags);
	stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
	R(sigaltstack(&other, NULL));
	R(uc->uc_stack.ss_sp == stack);
	if (signal == SIGUSR1)
		raise(SIGUSR2);
}

static void plain(int signal)
{
	volatile double x = 3.5;

	(void)signal;
	x = x * x;
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0; movdqa %%xmm0, %%xmm15; std; cld" ::: "xmm0", "xmm15");
}

/* A handler whose stack takes no frame: the signal becomes SIGSEGV, and a SIGSEGV that has no place kills. */
static void no_place(int signal, int protection, int segv_flags)
{
	stack_t s = {.ss_sp = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), .ss_size = 65536};
	struct sigaction action = {.sa_handler = _exit, .sa_flags = SA_ONSTACK}, segv = {.sa_handler = _exit, .sa_flags = segv_flags};
	int status;

	if (fork() == 0) {
		sigaltstack(&s, NULL);
		sigaction(SIGUSR1, &action, NULL);
		sigaction(SIGSEGV, &segv, NULL);
		mprotect(s.ss_sp, s.ss_size, protection);
		raise(signal);
		_exit(0);
	}
	wait(&status);
	say("%d %d %d: %x\n", signal, protection, segv_flags, status);
	munmap(s.ss_sp, s.ss_size);
}

int main(void)
{
	stack_t s = {.ss_sp = stack, .ss_size = sizeof stack}, small = {.ss_sp = stack, .ss_size = 100};
	stack_t off = {.ss_flags = SS_DISABLE}, bad = {.ss_sp = stack, .ss_size = sizeof stack, .ss_flags = 77};
	struct sigaction action = {.sa_sigaction = on_stack, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	R(sigaltstack(&small, NULL));
	R(sigaltstack(&bad, NULL));
	R(sigaltstack(&s, NULL));
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	R(raise(SIGUSR1));
	stack_t now;
	R(sigaltstack(&off, &now));
	R(now.ss_flags);
	R(now.ss_size);
	R(sigaltstack(NULL, &now));
	R(now.ss_flags);

	no_place(SIGUSR1, PROT_NONE, SA_ONSTACK);
	no_place(SIGUSR1, PROT_READ, 0);
	no_place(SIGUSR1, PROT_READ | PROT_WRITE, 0);
	no_place(SIGSEGV, PROT_READ, SA_ONSTACK);
	no_place(SIGSEGV, PROT_READ, 0);

	signal(SIGALRM, plain);
	struct itimerval timer = {{0, 500}, {0, 500}};
	setitimer(ITIMER_REAL, &timer, NULL);
	long wrong = 0, rounds = 0, begin = now_ms();
	while (now_ms() - begin < 200) {
		unsigned long in = 0x1234567800000000ul + rounds, out, flags;
		__asm__ volatile("movq %2, %%xmm15; movq %2, %%r12; stc; mov $2000, %%ecx; 1: lea -1(%%ecx), %%ecx; jecxz 2f; jmp 1b;"
				 "2: setc %b1; movzbl %b1, %k1; movq %%xmm15, %0; cmp %%r12, %0; je 3f; xor %0, %0; 3:"
				 : "=&r"(out), "=&r"(flags)
				 : "r"(in)
				 : "rcx", "r12", "xmm15", "cc", "memory");
		wrong += out != in || !(flags & 1);
		rounds++;
	}
	timer = (struct itimerval){{0, 0}, {0, 0}};
	setitimer(ITIMER_REAL, &timer, NULL);
	R(wrong);
	R(rounds > 0);
	return 0;
}
