/* sigaltstack(2): what is kept of its flags, above all SS_AUTODISARM, while and after handlers run. */
#include "../check.h"
#include <ucontext.h>
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static char stack[65536];
static int depth;

static void show(const char *what, const stack_t *s)
{
	say("%s: %s, flags %x, size %zu\n", what, s->ss_sp == stack ? "ours" : "none", s->ss_flags, s->ss_size);
}

static void ask(const char *what)
{
	stack_t now;

	memset(&now, 0, sizeof now);
	sigaltstack(NULL, &now);
	show(what, &now);
}

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)info;
	show("frame", &((ucontext_t *)context)->uc_stack);
	ask("inside");
	if (signal == SIGUSR1 && depth++ == 0) raise(SIGUSR2);
}

int main(void)
{
	unsigned flags[] = {0, SS_AUTODISARM, SS_DISABLE, SS_DISABLE | SS_AUTODISARM, SS_ONSTACK, SS_ONSTACK | SS_AUTODISARM};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		stack_t s = {stack, (int)flags[i], sizeof stack};
		say("set %x\n", flags[i]);
		R(sigaltstack(&s, NULL));
		ask("before");
		for (int on = 0; on < 2; on++) {
			struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | (on ? SA_ONSTACK : 0)};
			sigaction(SIGUSR1, &act, NULL);
			sigaction(SIGUSR2, &act, NULL);
			depth = 0;
			raise(SIGUSR1);
			ask("after");
		}
	}
	return 0;
}
