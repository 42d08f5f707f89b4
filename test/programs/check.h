/* What the test programs share: calls printed with their results, so that two runs can be compared. */
#ifndef CHECK_H
#define CHECK_H

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Whoever started us may have chosen a policy. */
__attribute__((constructor)) static void begin_as_others(void)
{
	sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0});
}

static inline const char *errno_name(int error)
{
#ifdef __GLIBC__
	const char *name = strerrorname_np(error);
	return name ? name : "?";
#else
	return strerror(error);
#endif
}

static inline long print_result(const char *text, long result, int with_value)
{
	int error = errno;

	if (result == -1)
		printf("%s = -1 %s\n", text, errno_name(error));
	else if (with_value)
		printf("%s = %ld\n", text, result);
	else
		printf("%s ok\n", text);
	fflush(stdout);
	errno = error;
	return result;
}

/* Makes the call and prints it with its result; T for results that differ from run to run. */
#define R(call) print_result(#call, (long)(call), 1)
#define T(call) print_result(#call, (long)(call), 0)

/* Prints a line at once: what a child prints must not stay in a buffer that fork copies. */
static inline void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
}

/* Ends the program if something fails that the test only builds upon. */
#define MUST(call) \
	({ \
		long must_result = (long)(call); \
		if (must_result == -1) { \
			printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #call, strerror(errno)); \
			exit(99); \
		} \
		must_result; \
	})

static inline void say_status(const char *what, int status)
{
	if (WIFEXITED(status))
		say("%s exited %d\n", what, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		say("%s killed by %s\n", what, strsignal(WTERMSIG(status)));
	else if (WIFSTOPPED(status))
		say("%s stopped by %s\n", what, strsignal(WSTOPSIG(status)));
	else if (WIFCONTINUED(status))
		say("%s continued\n", what);
}

/* Runs a function in a child and says how it ended. */
static inline void in_child(const char *what, void (*body)(void))
{
	int status;
	pid_t pid = MUST(fork());

	if (pid == 0) {
		body();
		fflush(stdout);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	say_status(what, status);
}

static inline void sleep_ms(long ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&left, &left) == -1 && errno == EINTR)
		;
}

static inline long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for what others do, however long they take; who waits in vain says so and ends. */
#define until(condition) \
	for (int until_left = 100000; !(condition); until_left--) { \
		if (until_left == 0) { \
			say("%s:%d: never: %s\n", __FILE__, __LINE__, #condition); \
			exit(98); \
		} \
		sleep_ms(1); \
	}

/* The text of a file in /proc of a thread, or "". */
static inline const char *proc_text(pid_t tid, const char *name)
{
	static __thread char text[512];
	char path[64];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	text[n < 0 ? 0 : n] = 0;
	close(fd);
	return text;
}

/* A thread's state (proc_pid_stat(5)): R, S, T, Z, or 0 if it is gone. */
static inline char state_of(pid_t tid)
{
	const char *rest = strrchr(proc_text(tid, "stat"), ')');

	return rest == NULL ? 0 : rest[2];
}

/* Whether a thread sleeps in this system call (proc_pid_syscall(5)); in any, if we may not know in which. */
static inline int sleeps_in(pid_t tid, long nr)
{
	const char *text = proc_text(tid, "syscall");

	if (*text == 0)
		return state_of(tid) == 'S';
	return isdigit((unsigned char)*text) && atol(text) == nr;
}

#endif
