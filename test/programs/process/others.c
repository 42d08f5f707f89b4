/* test: needs root */
/* What processes of different users and rights may see of each other, and do to each other. */
#include "../check.h"
#include <dirent.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>

#define CAP(n) (1u << (n))

struct rights {
	const char *name;
	int ruid, euid, suid, rgid, egid, sgid;
	unsigned permitted, effective;
	int dumpable;
};

static const struct rights victims[] = {
	{"plain", 2001, 2001, 2001, 2001, 2001, 2001, 0, 0, 1},
	{"hidden", 2001, 2001, 2001, 2001, 2001, 2001, 0, 0, 0},
	{"capable", 2001, 2001, 2001, 2001, 2001, 2001, CAP(CAP_NET_RAW), CAP(CAP_NET_RAW), 1},
	{"permitted", 2001, 2001, 2001, 2001, 2001, 2001, CAP(CAP_NET_RAW), 0, 1},
	{"saved root", 2001, 2001, 0, 2001, 2001, 2001, 0, 0, 1},
	{"effective other", 2001, 3001, 2001, 2001, 2001, 2001, 0, 0, 1},
	{"saved group", 2001, 2001, 2001, 2001, 2001, 5, 0, 0, 1},
	{"root", 0, 0, 0, 0, 0, 0, -1, -1, 1},
	{"bare root", 0, 0, 0, 0, 0, 0, 0, 0, 1},
};
static const struct rights attackers[] = {
	{"same", 2001, 2001, 2001, 2001, 2001, 2001, 0, 0, 1},
	{"same, hidden", 2001, 2001, 2001, 2001, 2001, 2001, 0, 0, 0},
	{"same user", 2001, 2001, 2001, 3001, 3001, 3001, 0, 0, 1},
	{"really same", 2001, 3001, 3001, 2001, 3001, 3001, 0, 0, 1},
	{"effectively same", 3001, 2001, 3001, 3001, 2001, 3001, 0, 0, 1},
	{"other", 3001, 3001, 3001, 3001, 3001, 3001, 0, 0, 1},
	{"same, capable", 2001, 2001, 2001, 2001, 2001, 2001, CAP(CAP_NET_RAW), CAP(CAP_NET_RAW), 1},
	{"same, permitted", 2001, 2001, 2001, 2001, 2001, 2001, CAP(CAP_NET_RAW), 0, 1},
	{"tracer", 3001, 3001, 3001, 3001, 3001, 3001, CAP(CAP_SYS_PTRACE), CAP(CAP_SYS_PTRACE), 1},
	{"tracer to be", 3001, 3001, 3001, 3001, 3001, 3001, CAP(CAP_SYS_PTRACE), 0, 1},
	{"killer", 3001, 3001, 3001, 3001, 3001, 3001, CAP(CAP_KILL), CAP(CAP_KILL), 1},
	{"nicer", 3001, 3001, 3001, 3001, 3001, 3001, CAP(CAP_SYS_NICE), CAP(CAP_SYS_NICE), 1},
	{"bare root", 0, 0, 0, 0, 0, 0, 0, 0, 1},
};

static char own[64] = "what the victim has";

static void become(const struct rights *r)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{r->effective, r->permitted, 0}, {0, 0, 0}};

	prctl(PR_SET_KEEPCAPS, 1);
	setgroups(0, NULL);
	setresgid(r->rgid, r->egid, r->sgid);
	setresuid(r->ruid, r->euid, r->suid);
	if (r->permitted == -1u)
		syscall(SYS_capget, &header, data);
	if (syscall(SYS_capset, &header, data) < 0)
		say("capset %s\n", errno_name(errno));
	prctl(PR_SET_DUMPABLE, r->dumpable);
}

static void told(const char *what, long result)
{
	if (result != -1)
		say(" %s", what);
	else
		say(" %s:%s", what, errno_name(errno));
}

static void in_proc(int pid, const char *name, int flags)
{
	char path[100], byte;
	int fd;

	sprintf(path, "/proc/%d/%s", pid, name);
	fd = open(path, flags);
	if (fd < 0)
		told(name, -1);
	else if (flags == O_RDONLY && strcmp(name, "mem") != 0 && read(fd, &byte, 1) < 0)
		told(name, -1);
	else
		told(name, 0);
	close(fd);
}

/* Addresses are those that only some may see. */
static void addresses(int pid)
{
	char path[40], text[2000], *at;
	int fd, i, seen = 0;

	sprintf(path, "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	text[read(fd, text, sizeof(text) - 1)] = 0;
	close(fd);
	at = strrchr(text, ')');
	for (i = 3; at; i++, at = strchr(at + 1, ' '))
		if (i >= 26 && i <= 30 && atol(at + 1) > 1)
			seen++;
	say(" addresses:%d", seen);
}

static void look(int pid)
{
	static const char *const files[] = {"mem", "maps", "environ", "auxv", "io", "smaps", "pagemap", "syscall", "personality", "limits",
					    "oom_score_adj", "fdinfo/0", "fd/0", "cmdline", "status", "statm", "wchan"};
	static const char *const writes[] = {"mem", "comm", "oom_score_adj", "coredump_filter", "timerslack_ns"};
	static const char *const links[] = {"cwd", "root", "exe", "fd/0", "ns/mnt", "ns/uts"};
	static const char *const dirs[] = {"fd", "fdinfo", "ns", "task"};
	char path[100], target[200];
	unsigned i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		in_proc(pid, files[i], O_RDONLY);
	say("\n  write");
	for (i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		in_proc(pid, writes[i], O_WRONLY);
	say("\n  links");
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		sprintf(path, "/proc/%d/%s", pid, links[i]);
		told(links[i], readlink(path, target, sizeof(target)));
	}
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		DIR *dir;

		sprintf(path, "/proc/%d/%s", pid, dirs[i]);
		dir = opendir(path);
		told(dirs[i], dir ? 0 : -1);
		if (dir)
			closedir(dir);
	}
	addresses(pid);
}

static void act(int pid)
{
	struct iovec here = {own, 8}, there = {own, 8};
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	struct rlimit limit, low = {100, 100};
	struct sched_param param = {0};
	void *head;
	size_t size;
	cpu_set_t set;

	told("readv", syscall(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0));
	told("writev", syscall(SYS_process_vm_writev, pid, &here, 1, &there, 1, 0));
	told("getfd", syscall(SYS_pidfd_getfd, pidfd, 0, 0));
	told("robust", syscall(SYS_get_robust_list, pid, &head, &size));
	told("kcmp", syscall(SYS_kcmp, getpid(), pid, 0, 0, 0));
	told("madvise", syscall(SYS_process_madvise, pidfd, &there, 1, MADV_COLD, 0));
	told("kill", kill(pid, 0));
	told("cont", kill(pid, SIGCONT));
	told("usr1", kill(pid, SIGUSR1));
	told("pidfd", syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0));
	told("prlimit", syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, NULL, &limit));
	told("limit", syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, &low, NULL));
	told("getaffinity", sched_getaffinity(pid, sizeof(set), &set));
	told("affinity", sched_setaffinity(pid, sizeof(set), &set));
	told("idle", sched_setscheduler(pid, SCHED_IDLE, &param));
	told("nice", setpriority(PRIO_PROCESS, pid, 5));
	told("nicer", setpriority(PRIO_PROCESS, pid, -5));
	told("ioprio", syscall(SYS_ioprio_set, 1, pid, 2 << 13 | 4));
	told("pgid", setpgid(pid, pid));
	told("sid", getsid(pid));
	close(pidfd);
}

/* News of a file whose owner the victim is: it would die of the signal. */
static void news(int pid)
{
	int ends[2];

	pipe(ends);
	told("own", fcntl(ends[0], F_SETOWN, pid));
	fcntl(ends[0], F_SETFL, O_ASYNC);
	write(ends[1], "x", 1);
}

/* The victim is the attacker's child: a host that lets only parents look (Yama) is no other then. */
static void meet(const struct rights *attacker, const struct rights *victim)
{
	int ready[2], hold[2], child, status;
	char byte;

	say("%s -> %s\n  read", attacker->name, victim->name);
	pipe(ready);
	pipe(hold);
	child = fork();
	if (child == 0) {
		signal(SIGUSR1, SIG_IGN);
		setsid();
		become(victim);
		close(hold[1]);
		write(ready[1], "x", 1);
		read(hold[0], &byte, 1);
		_exit(0);
	}
	become(attacker);
	read(ready[0], &byte, 1);
	look(child);
	say("\n  do");
	act(child);
	news(child);
	close(hold[1]);
	waitpid(child, &status, 0);
	say(" %s\n", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "spared");
	_exit(0);
}

int main(void)
{
	unsigned i, k;

	signal(SIGCHLD, SIG_DFL);
	for (i = 0; i < sizeof(attackers) / sizeof(attackers[0]); i++)
		for (k = 0; k < sizeof(victims) / sizeof(victims[0]); k++) {
			if (fork() == 0)
				meet(&attackers[i], &victims[k]);
			wait(NULL);
		}
	return 0;
}
