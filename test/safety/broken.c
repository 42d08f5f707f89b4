/*
 * A program whose host process the host kills: with a signal frame of its own it blocks SIGSYS, so that the next
 * call is deadly. Its parent sees it die of SIGKILL, like anything else that is killed.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static char stack[65536] __attribute__((aligned(64)));
static unsigned long frame[64];

static void calls_on(void)
{
	__asm__ volatile("movl $39, %%eax\n\tsyscall" ::: "rax", "rcx", "r11");
	_exit(7);
}

static void spins_on(void)
{
	for (;;)
		;
}

/* struct ucontext as the host reads it: registers from word 5, rsp 15, rip 16, flags 17, segments 18; the mask last. */
static void resume_at(void (*where)(void))
{
	unsigned long at = 0x7e400000;
	unsigned long *r = frame + 5;

	while (memcmp((void *)at, "\xb8\x0f\0\0\0\x0f\x05", 7) != 0)
		at++;
	r[15] = (unsigned long)stack + 60000 - 8;
	r[16] = (unsigned long)where;
	r[17] = 0x202;
	r[18] = 0x002b000000000033;
	frame[5 + 32] = ~0UL;
	__asm__ volatile("movq %0, %%rsp\n\tjmp *%1" :: "r"(frame), "r"(at));
}

static int child(void (*where)(void), int after)
{
	int status = 0, waited;
	pid_t pid = fork();

	if (pid == 0)
		resume_at(where);
	if (after) {
		usleep(after);
		kill(pid, SIGTERM);
		kill(pid, SIGKILL);
	}
	for (waited = 0; waited < 60000; waited++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(1000);
	}
	kill(pid, SIGKILL);
	return -1;
}

int main(void)
{
	int i, died = 0;

	for (i = 0; i < 10; i++)
		died += child(calls_on, 0) == SIGKILL;
	printf("%d of 10 died\n", died);
	printf("one that masks all: %x\n", child(spins_on, 100000));
	return 0;
}
