/* prctl(2), names, personality, affinity, scheduling. */
#include "../check.h"
#include <sys/personality.h>
#include <sys/prctl.h>

static void dies_with_parent(void)
{
	int fds[2];
	char c;

	MUST(pipe(fds));
	if (MUST(fork()) == 0) {
		MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
		write(fds[1], "x", 1);
		for (;;)
			pause();
	}
	close(fds[1]);
	read(fds[0], &c, 1);
	/* The child dies with us: our parent then sees the pipe's end, which only the child holds. */
}

static void subreaper(void)
{
	int status, value;

	R(prctl(PR_SET_CHILD_SUBREAPER, 1));
	R(prctl(PR_GET_CHILD_SUBREAPER, &value));
	R(value);
	pid_t child = MUST(fork());
	if (child == 0) {
		if (MUST(fork()) == 0)
			_exit(42);
		_exit(0);
	}
	waitpid(child, &status, 0);
	say_status("child", status);
	wait(&status);
	say_status("grandchild", status);
}

int main(void)
{
	char name[32] = "";
	int signal;

	R(prctl(PR_SET_NAME, "a name that is too long"));
	R(prctl(PR_GET_NAME, name));
	say("[%s]\n", name);
	int fd = MUST(open("/proc/self/comm", O_RDWR));
	R(read(fd, name, sizeof name));
	say("%s", name);
	R(prctl(PR_SET_PDEATHSIG, 99));
	R(prctl(PR_SET_PDEATHSIG, SIGTERM));
	R(prctl(PR_GET_PDEATHSIG, &signal));
	R(signal);
	R(prctl(PR_GET_DUMPABLE));
	R(prctl(PR_SET_DUMPABLE, 0));
	R(prctl(PR_GET_DUMPABLE));
	R(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	R(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	R(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	R(prctl(99999));
	R(prctl(PR_CAPBSET_READ, 0) >= 0);
	R(prctl(PR_CAPBSET_READ, 999));
	in_child("death signal", dies_with_parent);
	in_child("subreaper", subreaper);
	R(personality(0xffffffff));
	cpu_set_t set;
	R(sched_getaffinity(0, sizeof set, &set) == 0);
	R(CPU_COUNT(&set) > 0);
	CPU_ZERO(&set);
	R(sched_setaffinity(0, sizeof set, &set));
	CPU_SET(0, &set);
	R(sched_setaffinity(0, sizeof set, &set));
	R(sched_getcpu() >= 0);
	R(sched_getscheduler(0));
	R(sched_get_priority_max(SCHED_FIFO));
	R(sched_yield());
	unsigned cpu, node;
	R(getcpu(&cpu, &node));
	R(cpu < 1024);
	return 0;
}
