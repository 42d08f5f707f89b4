/* fork(2), wait(2), waitid(2), exit statuses, orphans. */
#include "../check.h"
#include <sys/resource.h>

static int global = 1;

static void exits(void) { _exit(300); }
static void aborts(void) { abort(); }
static void segfaults(void) { *(volatile int *)8 = 1; }
static void divides(void) { volatile int zero = 0; zero = 1 / zero; }
static void traps(void) { __asm__ volatile("ud2"); }
static void kills_itself(void) { raise(SIGKILL); }

static void changes_memory(void)
{
	int local = 5;

	global = 2;
	local = 6;
	say("child %d %d\n", global, local);
}

static void has_no_children(void)
{
	R(wait(NULL));
	R(waitpid(-1, NULL, WNOHANG));
	R(waitpid(getppid(), NULL, 0));
}

static void orphaned(void)
{
	int fds[2];
	char c;

	MUST(pipe(fds));
	if (MUST(fork()) == 0) {
		pid_t middle = getpid();
		if (MUST(fork()) == 0) {
			while (getppid() == middle)
				sleep_ms(1);
			write(fds[1], "x", 1);
			_exit(0);
		}
		_exit(0);
	}
	R(wait(NULL) > 0);
	close(fds[1]);
	R(read(fds[0], &c, 1));
	R(read(fds[0], &c, 1));
	R(wait(NULL));
}

static void no_zombies(void)
{
	signal(SIGCHLD, SIG_IGN);
	if (MUST(fork()) == 0)
		_exit(1);
	R(wait(NULL));
}

/* clone(2) takes any number as the signal that tells of a child's end, and sends those that there are. */
static void end_signals(void)
{
	static const int signals[] = {0, SIGUSR1, 64, 65, 66, 127, 128, 255};
	unsigned i;
	int status;

	signal(SIGUSR1, SIG_IGN);
	signal(64, SIG_IGN);
	for (i = 0; i < 2 * sizeof(signals) / sizeof(signals[0]); i++) {
		pid_t child = syscall(SYS_clone, (long)signals[i / 2], NULL, NULL, NULL, NULL);

		if (child == 0 && i % 2)
			for (;;)
				pause();
		if (child == 0)
			_exit(3);
		if (i % 2)
			kill(child, SIGKILL);
		T(waitpid(child, &status, __WALL));
		say("signal %d: status %x\n", signals[i / 2], status);
	}
}

static void say_badness(const char *who)
{
	char value[16];
	int fd = MUST(open("/proc/self/oom_score_adj", O_RDONLY));
	ssize_t n = MUST(read(fd, value, sizeof value - 1));

	value[n] = 0;
	say("%s: %s", who, value);
	close(fd);
}

/* A child of our parent's is nevertheless a copy of ours. */
static void makes_siblings(void)
{
	int status, done[2];
	char byte;
	pid_t child;

	MUST(pipe(done));
	if ((child = MUST(fork())) == 0) {
		int fd = MUST(open("/proc/self/oom_score_adj", O_WRONLY));

		MUST(write(fd, "500", 3));
		say_badness("one");
		if (MUST(syscall(SYS_clone, (long)CLONE_PARENT, NULL, NULL, NULL, NULL)) == 0) {
			say_badness("its sibling");
			_exit(0);
		}
		close(done[1]);
		read(done[0], &byte, 1);
		_exit(0);
	}
	close(done[1]);
	waitpid(child, &status, 0);
	R(wait(&status) > 0);
	say_badness("their parent");
}

int main(void)
{
	int status;
	siginfo_t info;
	struct rusage usage;

	end_signals();
	in_child("exit 300", exits);
	in_child("abort", aborts);
	in_child("null", segfaults);
	in_child("zero", divides);
	in_child("ud2", traps);
	in_child("kill", kills_itself);
	in_child("memory", changes_memory);
	say("parent %d\n", global);
	in_child("no children", has_no_children);
	in_child("orphan", orphaned);
	in_child("ignored", no_zombies);
	in_child("siblings", makes_siblings);

	pid_t pid = MUST(fork());
	if (pid == 0)
		_exit(7);
	memset(&info, 0, sizeof info);
	R(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	say("signo %d code %d status %d pid %d uid %d\n", info.si_signo, info.si_code, info.si_status, info.si_pid == pid, info.si_uid == getuid());
	R(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
	R(waitid(P_PID, pid, &info, WEXITED));
	R(waitid(P_PID, pid, &info, 0));

	int seen[2];
	MUST(pipe(seen));
	pid = MUST(fork());
	if (pid == 0) {
		char c;
		close(seen[1]);
		raise(SIGSTOP);
		/* Once it has ended nobody is told that it went on. */
		read(seen[0], &c, 1);
		_exit(3);
	}
	R(waitpid(pid, &status, WUNTRACED) == pid);
	say_status("child", status);
	R(waitpid(pid, &status, WNOHANG));
	R(kill(pid, SIGCONT));
	R(waitpid(pid, &status, WCONTINUED) == pid);
	say_status("child", status);
	close(seen[1]);
	R(wait4(pid, &status, 0, &usage) == pid);
	say_status("child", status);
	R(usage.ru_maxrss > 0);
	R(waitpid(pid, &status, 0));
	R(waitpid(-1, &status, 0x4000000));
	R(waitpid(INT32_MIN, &status, 0));
	R(kill(pid, 0));
	return 0;
}
