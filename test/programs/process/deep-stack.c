/* The stack grows as it is used, up to its limit. */
#include "../check.h"
#include <sys/resource.h>

static int depth(int n)
{
	volatile char frame[4000];

	frame[0] = n;
	if (n == 0)
		return 0;
	return depth(n - 1) + (frame[0] == (char)n);
}

static int forever(int n)
{
	volatile char frame[4000];

	frame[10] = n;
	return forever(n + 1) + frame[10];
}

static void overflows(void)
{
	forever(0);
}

static char alternate[16384];

static void on_overflow(int signal, siginfo_t *info, void *context)
{
	char here;

	(void)context;
	say("signal %d code %d on the alternate stack %d\n", signal, info->si_code, &here >= alternate && &here < alternate + sizeof alternate);
	_exit(5);
}

static void overflows_with_handler(void)
{
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
	struct sigaction action = {.sa_sigaction = on_overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	MUST(sigaltstack(&stack, NULL));
	MUST(sigaction(SIGSEGV, &action, NULL));
	forever(0);
}

static void far_below(void)
{
	volatile char *here = __builtin_frame_address(0);

	here[-1000000] = 1;
	say("a touch far below is fine\n");
}

static void big(void)
{
	struct rlimit limit = {64 << 20, RLIM_INFINITY};

	MUST(setrlimit(RLIMIT_STACK, &limit));
	R(depth(10000));
}

int main(void)
{
	struct rlimit limit = {8 << 20, RLIM_INFINITY};

	setrlimit(RLIMIT_STACK, &limit);
	R(depth(10));
	R(depth(1500));
	in_child("overflow", overflows);
	in_child("overflow with handler", overflows_with_handler);
	in_child("far", far_below);
	in_child("big", big);
	return 0;
}
