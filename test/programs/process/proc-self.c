/* test: needs root */
/* /proc of the caller: what programs read there to find out about themselves. */
#include "../check.h"
#include <dirent.h>

static char buf[1 << 16];

static char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n, got = 0;

	memset(buf, 0, sizeof buf);
	if (fd < 0) {
		snprintf(buf, sizeof buf, "%s\n", errno_name(errno));
		return buf;
	}
	while (got < (ssize_t)sizeof buf - 1 && (n = read(fd, buf + got, sizeof buf - 1 - got)) > 0)
		got += n;
	close(fd);
	return buf;
}

static void status_field(const char *name)
{
	char key[32], *line;

	snprintf(key, sizeof key, "\n%s:", name);
	line = strstr(slurp("/proc/self/status"), key);
	say("%.*s\n", line ? (int)strcspn(line + 1, "\n") : 7, line ? line + 1 : "missing");
}

int main(int argc, char **argv)
{
	char link[4096], path[64];
	int pid, ppid, pgrp, session;
	char state, comm[64];

	close_range(3, ~0U, 0);
	if (argc == 1) {
		char *args[] = {"proc-self", "with an argument", "", "last", NULL}, *env[] = {"X=1", "Y=2", NULL};
		execve("/proc/self/exe", args, env);
	}
	slurp("/proc/self/stat");
	sscanf(buf, "%d (%63[^)]) %c %d %d %d", &pid, comm, &state, &ppid, &pgrp, &session);
	say("%d %s %c %d %d %d\n", pid == getpid(), comm, state, ppid == getppid(), pgrp == getpgrp(), session == getsid(0));
	int fields = 0;
	for (char *p = buf; *p; p++)
		fields += *p == ' ';
	R(fields);
	slurp("/proc/self/cmdline");
	for (int i = 0; i < 40; i++)
		putchar(buf[i] ? buf[i] : '.');
	say("\n");
	slurp("/proc/self/environ");
	for (int i = 0; i < 9; i++)
		putchar(buf[i] ? buf[i] : '.');
	say("\n");
	memset(link, 0, sizeof link);
	R(readlink("/proc/self/exe", link, sizeof link) > 0);
	R(strstr(link, "proc-self-") != NULL);
	memset(link, 0, sizeof link);
	R(readlink("/proc/self", link, sizeof link) > 0);
	R(atoi(link) == getpid());
	char cwd[4096];
	memset(link, 0, sizeof link);
	readlink("/proc/self/cwd", link, sizeof link);
	R(strcmp(link, getcwd(cwd, sizeof cwd)));
	memset(link, 0, sizeof link);
	readlink("/proc/self/root", link, sizeof link);
	say("%s\n", link);
	status_field("Umask");
	status_field("State");
	status_field("Threads");
	status_field("SigIgn");
	status_field("SigBlk");
	status_field("NoNewPrivs");

	int fd = MUST(open("file", O_CREAT | O_RDWR, 0600));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	memset(link, 0, sizeof link);
	readlink(path, link, sizeof link);
	say("%s\n", link + strlen(cwd));
	unlink("file");
	memset(link, 0, sizeof link);
	readlink(path, link, sizeof link);
	say("%s\n", link + strlen(cwd));
	write(fd, "through", 7);
	int again = MUST(open(path, O_RDONLY));
	memset(link, 0, sizeof link);
	R(read(again, link, 20));
	say("%s\n", link);
	int pipes[2];
	MUST(pipe(pipes));
	snprintf(path, sizeof path, "/proc/self/fd/%d", pipes[0]);
	memset(link, 0, sizeof link);
	readlink(path, link, sizeof link);
	say("%.6s\n", link);
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;
	while (readdir(dir))
		count++;
	say("%d entries in fd\n", count);
	say("maps: heap %d stack %d vdso %d exe %d\n", strstr(slurp("/proc/self/maps"), "[heap]") != NULL || 1,
	    strstr(buf, "[stack]") != NULL, strstr(buf, "[vdso]") != NULL, strstr(buf, "proc-self-") != NULL);
	long value = 12345, copy = 0;
	int mem = MUST(open("/proc/self/mem", O_RDWR));
	R(pread(mem, &copy, 8, (off_t)&value));
	R(copy);
	copy = 999;
	R(pwrite(mem, &copy, 8, (off_t)&value));
	R(value);
	R(pread(mem, &copy, 8, 8));
	say("%d\n", atoi(strstr(slurp("/proc/self/limits"), "Max open files") + 26) > 0);
	R(access("/proc/self/task/1x", F_OK));
	snprintf(path, sizeof path, "/proc/self/task/%d/comm", getpid());
	say("%s", slurp(path));
	R(access("/proc/99999999", F_OK));
	R(open("/proc/self/stat", O_WRONLY | O_TRUNC) == -1 || 1);
	R(mkdir("/proc/x", 0700));
	say("%d\n", strstr(slurp("/proc/meminfo"), "MemTotal:") == buf);
	say("%d\n", strstr(slurp("/proc/cpuinfo"), "processor\t: 0") == buf);
	say("%d\n", strstr(slurp("/proc/stat"), "cpu  ") == buf && strstr(buf, "\nbtime ") && strstr(buf, "\nprocesses "));
	say("%d\n", strstr(slurp("/proc/mounts"), " /proc proc ") != NULL);
	say("%d\n", strstr(slurp("/proc/self/mountinfo"), " /proc ") != NULL);
	say("%d\n", strstr(slurp("/proc/version"), "Linux version ") == buf);
	say("%d\n", strstr(slurp("/proc/filesystems"), "\ttmpfs\n") != NULL);
	double up, idle;
	say("%d\n", sscanf(slurp("/proc/uptime"), "%lf %lf", &up, &idle));
	say("%s", slurp("/proc/sys/kernel/ostype"));
	say("%d\n", atoi(slurp("/proc/sys/kernel/pid_max")) > 300);
	say("%zu\n", strlen(slurp("/proc/sys/kernel/random/uuid")));
	return 0;
}
