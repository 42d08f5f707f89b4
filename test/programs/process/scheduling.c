/* sched(7), getpriority(2), ioprio_set(2): what is accepted, what is answered, as root and as a user. */
#include "../check.h"
#include <sys/resource.h>

#define S(name, ...) syscall(SYS_##name, ##__VA_ARGS__)

/* struct sched_attr of the kernel: not in every libc. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t min, max;
};

static void policies(void)
{
	struct sched_param param;

	for (int policy = -1; policy < 9; policy++) {
		say("policy %d\n", policy);
		param.sched_priority = 0;
		R(S(sched_setscheduler, 0, policy, &param));
		R(S(sched_getscheduler, 0));
		param.sched_priority = 5;
		R(S(sched_setscheduler, 0, policy, &param));
		R(S(sched_getscheduler, 0));
		R(S(sched_get_priority_max, policy));
		R(S(sched_get_priority_min, policy));
		R(S(sched_setparam, 0, &param));
		R(S(sched_getparam, 0, &param));
		R(param.sched_priority);
	}
	param.sched_priority = 0;
	R(S(sched_setscheduler, 0, 0x40000000, &param));
	R(S(sched_getscheduler, 0));
	R(S(sched_setscheduler, 0, 0, &param));
	R(S(sched_setscheduler, -1, 0, &param));
	R(S(sched_setscheduler, 99999999, 0, &param));
	R(S(sched_setscheduler, 0, 0, NULL));
	R(S(sched_getparam, 0, NULL));
	R(S(sched_getparam, 0, 1));
}

static void attributes(void)
{
	struct attributes a = {0};

	R(S(sched_getattr, 0, &a, sizeof a, 0));
	R(a.size);
	R(a.nice);
	R(S(sched_getattr, 0, &a, 47, 0));
	R(S(sched_getattr, 0, &a, 48, 1));
	a = (struct attributes){.size = 48, .policy = SCHED_BATCH, .nice = 3};
	R(S(sched_setattr, 0, &a, 0));
	R(S(getpriority, PRIO_PROCESS, 0));
	R(S(sched_getscheduler, 0));
	a.size = 40;
	R(S(sched_setattr, 0, &a, 0));
	R(a.size);
	a.size = 48;
	a.flags = 1 << 20;
	R(S(sched_setattr, 0, &a, 0));
	R(S(sched_setattr, 0, &a, 1));
}

static void priorities(void)
{
	R(S(setpriority, PRIO_PROCESS, 0, 100));
	R(S(getpriority, PRIO_PROCESS, 0));
	R(S(setpriority, PRIO_PROCESS, 0, 5));
	R(S(setpriority, PRIO_PROCESS, 99999999, 0));
	R(S(getpriority, PRIO_PGRP, 99999999));
	R(S(getpriority, 7, 0));
	R(S(setpriority, -1, 0, 0));
	R(nice(2));
	for (int class = 0; class < 5; class++)
		for (int level = 0; level < 10; level += 4) {
			say("class %d level %d\n", class, level);
			R(S(ioprio_set, 1, 0, class << 13 | level));
			R(S(ioprio_get, 1, 0));
		}
	R(S(ioprio_set, 9, 0, 0));
	R(S(ioprio_get, 9, 0));
	R(S(ioprio_get, 1, 99999999));
}

static void affinity(void)
{
	unsigned char mask[16] = {1};
	long cpus = 0;

	R(S(sched_getaffinity, 0, 7, &cpus));
	R(S(sched_getaffinity, 99999999, 64, &cpus));
	R(S(sched_setaffinity, 0, sizeof mask, mask));
	T(S(sched_getaffinity, 0, sizeof mask, mask));
	R(mask[0]);
	memset(mask, 0, sizeof mask);
	R(S(sched_setaffinity, 0, sizeof mask, mask));
	R(S(sched_setaffinity, 99999999, sizeof mask, mask));
	R(S(sched_setaffinity, 0, sizeof mask, 1));
	R(sched_yield());
}

static void all(void)
{
	policies();
	attributes();
	priorities();
	affinity();
}

static void as_user(void)
{
	struct rlimit none = {0, 0};

	R(setrlimit(RLIMIT_RTPRIO, &none));
	R(setrlimit(RLIMIT_NICE, &none));
	MUST(setresgid(1000, 1000, 1000));
	MUST(setresuid(1000, 1000, 1000));
	all();
}

int main(void)
{
	if (getuid() == 0)
		in_child("root", all);
	in_child("user", as_user);
	return 0;
}
