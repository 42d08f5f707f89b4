/* SCHED_DEADLINE (sched(7)): what is accepted, what is answered, who inherits it.
 * test: needs root */
#include "../check.h"

#define S(name, ...) syscall(SYS_##name, ##__VA_ARGS__)
#define DEADLINE 6
#define MS 1000000ul

struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t min, max;
};

static void show(void)
{
	struct attributes a = {0};

	MUST(S(sched_getattr, 0, &a, sizeof a, 0));
	if (a.policy == DEADLINE)
		say("  flags %lx nice %d priority %d: %lu %lu %lu\n", (long)a.flags, a.nice, a.priority,
		    (long)a.runtime, (long)a.deadline, (long)a.period);
	else
		say("  no deadline, nice %d\n", a.nice);
}

/* There is room for all that is asked for, unless somebody else has promised something, which comes to its end. */
static void ask(uint64_t runtime, uint64_t deadline, uint64_t period, uint64_t flags)
{
	struct attributes a = {
	    .size = sizeof a, .policy = DEADLINE, .flags = flags, .nice = -7, .runtime = runtime, .deadline = deadline, .period = period};
	long result;

	until((result = S(sched_setattr, 0, &a, 0)) == 0 || errno != EBUSY);
	say("%lu %lu %lu, flags %lx: %s\n", (long)runtime, (long)deadline, (long)period, (long)flags,
	    result == 0 ? "ok" : errno_name(errno));
	show();
}

static void normal(void)
{
	struct sched_param param = {0};

	R(S(sched_setscheduler, 0, 0, &param));
}

static void times(void)
{
	uint64_t times[][3] = {
	    {5 * MS, 30 * MS, 0},
	    {1023, 30 * MS, 30 * MS},
	    {1024, 30 * MS, 30 * MS},
	    {1024, 99999, 99999},
	    {1024, 100000, 100000},
	    {1024, 1024, 100000},
	    {1024, 1023, 100000},
	    {1024, 100001, 100000},
	    {1024, 4194304000, 4194304000},
	    {1024, 4194304001, 4194304001},
	    {1024, 1ul << 63, 1ul << 63},
	    {1024, 1ul << 62, 0},
	    {0, 0, 0},
	    {1024, 0, 100000},
	};
	for (unsigned i = 0; i < sizeof times / sizeof *times; i++)
		ask(times[i][0], times[i][1], times[i][2], 0);
	for (unsigned i = 0; i < 9; i++)
		ask((6 + i) * MS, 30 * MS, 30 * MS, i == 8 ? 0x18 : 1u << i);
	ask(5 * MS, 30 * MS, 30 * MS, 7);
	ask(5 * MS, 30 * MS, 30 * MS, 8);
	normal();
	show();
}

static void others(void)
{
	struct sched_param param = {7};
	struct timespec slice;
	char stat[512] = "";
	int priority;

	ask(10 * MS, 30 * MS, 30 * MS, 0);
	R(S(sched_getscheduler, 0));
	R(S(sched_getparam, 0, &param));
	R(param.sched_priority);
	R(S(sched_rr_get_interval, 0, &slice));
	R(slice.tv_nsec);
	R(S(sched_setparam, 0, &param));
	R(S(sched_setscheduler, 0, DEADLINE, &param));
	R(S(setpriority, 0, 0, 5));
	R(S(getpriority, 0, 0));
	read(MUST(open("/proc/self/stat", O_RDONLY)), stat, sizeof stat - 1);
	sscanf(strrchr(stat, ')') + 2, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d", &priority);
	R(priority);
}

static void inheritance(void)
{
	pid_t child;

	ask(10 * MS, 30 * MS, 30 * MS, 0);
	R(fork());
	ask(10 * MS, 30 * MS, 30 * MS, 1);
	child = MUST(fork());
	if (child == 0) {
		say("in the child\n");
		show();
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void processors(void)
{
	uint64_t one = 1;
	cpu_set_t all;

	if (sysconf(_SC_NPROCESSORS_ONLN) == 1)
		return;
	MUST(sched_getaffinity(0, sizeof all, &all));
	ask(10 * MS, 30 * MS, 30 * MS, 0);
	R(S(sched_setaffinity, 0, 8, &one));
	R(sched_setaffinity(0, sizeof all, &all));
	normal();
	R(S(sched_setaffinity, 0, 8, &one));
	ask(10 * MS, 30 * MS, 30 * MS, 0);
}

/* A child promises nearly all of a processor, and keeps to it until the pipe is closed; its errno. */
static int promise(int hold[2])
{
	int told[2], error = ECHILD;
	char byte;

	MUST(pipe(told));
	if (MUST(fork()) == 0) {
		struct attributes a = {.size = 48, .policy = DEADLINE, .runtime = 9 * MS, .deadline = 10 * MS};

		error = S(sched_setattr, 0, &a, 0) == 0 ? 0 : errno;
		close(hold[1]);
		write(told[1], &error, sizeof error);
		read(hold[0], &byte, 1);
		_exit(0);
	}
	read(told[0], &error, sizeof error);
	close(told[0]);
	close(told[1]);
	return error;
}

/* As many as there are processors, and one more; 0 if there was no room for the former. */
static int one_too_many(void)
{
	int room = sysconf(_SC_NPROCESSORS_ONLN), hold[2];

	MUST(pipe(hold));
	while (room > 0 && promise(hold) == 0)
		room--;
	if (room == 0)
		say("one too many: %s\n", errno_name(promise(hold)));
	close(hold[0]);
	close(hold[1]);
	while (wait(NULL) > 0)
		;
	return room == 0;
}

/* Somebody else may have promised something meanwhile. */
static void promises(void)
{
	until(one_too_many());
}

static void become_user(void)
{
	MUST(setresgid(1000, 1000, 1000));
	MUST(setresuid(1000, 1000, 1000));
}

static void as_user(void)
{
	ask(MS, 2 * MS, 2 * MS, 0);
	become_user();
	ask(MS, 2 * MS, 2 * MS, 0);
	ask(MS, 3 * MS, 3 * MS, 0);
	ask(0, 2 * MS, 2 * MS, 0);
	normal();
	ask(MS, 2 * MS, 2 * MS, 0);
}

int main(void)
{
	struct attributes a = {.size = 48, .policy = DEADLINE, .flags = 1, .runtime = MS, .deadline = 10 * MS};

	long end = now_ms() + 60000, result;

	while ((result = S(sched_setattr, 0, &a, 0)) == -1 && errno == EBUSY && now_ms() < end)
		sleep_ms(1);
	if (result == -1) {
		printf("the host's answer to SCHED_DEADLINE is %s\n", errno_name(errno));
		return 77;
	}
	normal();
	in_child("times", times);
	in_child("others", others);
	in_child("inheritance", inheritance);
	in_child("processors", processors);
	in_child("promises", promises);
	in_child("as_user", as_user);
	return 0;
}
