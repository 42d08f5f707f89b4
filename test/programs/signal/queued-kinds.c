/*
 * Which kinds of siginfo_t may use all of its 128 bytes in rt_sigqueueinfo(2), rt_tgsigqueueinfo(2) and
 * pidfd_send_signal(2): those that the kernel knows, for it then passes on their fields alone. Others are E2BIG.
 */
#include "../check.h"

static const int other_codes[] = {127, 128, 129, 1000, -1000, INT32_MAX, INT32_MIN};
static const int places[] = {47, 48, 100, 127};
static int pidfd;

/* The error of sending `code` to ourselves with a byte set at `place`; `named` is the signal that stands there. */
static int send(int how, int signal, int named, int code, int place)
{
	uint64_t all = ~0ull;
	char info[128] = "";
	long result;

	memcpy(info, &named, 4);
	memcpy(info + 8, &code, 4);
	info[place] = 1;
	if (how == 0)
		result = syscall(SYS_rt_sigqueueinfo, getpid(), signal, info);
	else if (how == 1)
		result = syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), signal, info);
	else
		result = syscall(SYS_pidfd_send_signal, pidfd, signal, info, 0);
	int error = result == -1 ? errno : 0;
	while (syscall(SYS_rt_sigtimedwait, &all, NULL, &(struct timespec){0}, 8) > 0)
		;
	return error;
}

static void one(int signal, int code)
{
	int first = send(0, signal, signal, code, 100);

	printf(" %d", first);
	for (int how = 1; how < 3; how++)
		if (send(how, signal, signal, code, 100) != first)
			printf("(%d)", send(how, signal, signal, code, 100));
}

int main(void)
{
	uint64_t all = ~0ull;

	MUST(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, 8));
	pidfd = MUST(syscall(SYS_pidfd_open, getpid(), 0));
	for (int signal = 0; signal <= 65; signal++) {
		if (signal == SIGKILL || signal == SIGSTOP)
			continue;
		printf("%d:", signal);
		for (int code = -70; code <= 20; code++)
			one(signal, code);
		for (unsigned i = 0; i < sizeof other_codes / sizeof *other_codes; i++)
			one(signal, other_codes[i]);
		printf("\n");
	}
	/* Where the byte stands, and which signal the siginfo_t names. */
	for (int how = 0; how < 3; how++) {
		for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
			printf("%d: %d: %d\n", how, places[i], send(how, SIGUSR1, SIGUSR1, -8, places[i]));
		printf("%d: another signal: %d %d\n", how, send(how, SIGUSR1, SIGILL, 9, 100), send(how, SIGILL, SIGUSR1, 9, 100));
	}
	return 0;
}
