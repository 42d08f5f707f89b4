/* test: needs root */
/* Programs that have more rights than their caller, or that it may not read: what they get, and who may look into them. */
#include "../check.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define USER 2001
#define OTHER 3001

static char folder[] = "/tmp/uml-set-id-XXXXXX";
static char stacks[2][65536] __attribute__((aligned(16)));

static void opened(const char *name, int flags)
{
	int fd = open(name, flags);

	say(" %s:%s", name, fd < 0 ? errno_name(errno) : "ok");
	close(fd);
}

/* What such a program finds. */
static int inside(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	struct rlimit stack;
	struct stat status;
	uid_t r, e, s;
	gid_t rg, eg, sg;
	int death = -1;

	getresuid(&r, &e, &s);
	getresgid(&rg, &eg, &sg);
	prctl(PR_GET_PDEATHSIG, &death);
	getrlimit(RLIMIT_STACK, &stack);
	syscall(SYS_capget, &header, data);
	stat("/proc/self/stat", &status);
	say("  users %d %d %d groups %d %d %d secure %ld dumpable %d owner %d", r, e, s, rg, eg, sg, getauxval(AT_SECURE),
	    prctl(PR_GET_DUMPABLE), status.st_uid);
	say(" caps %d nnp %d death %d personality %x stack %d", data[0].effective != 0, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), death,
	    personality(-1), (int)(stack.rlim_cur >> 20));
	opened("/proc/self/mem", O_RDWR);
	opened("/proc/self/exe", O_RDONLY);
	opened("/proc/self/maps", O_RDONLY);
	say(" libraries %s\n", getenv("LD_LIBRARY_PATH") ? "named" : "-");
	return 0;
}

static const char *in_folder(const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void copy(const char *self, const char *name, int uid, int gid, int mode)
{
	char command[400];

	snprintf(command, sizeof(command), "cp %s \"%s\"", self, in_folder(name));
	system(command);
	chown(in_folder(name), uid, gid);
	chmod(in_folder(name), mode);
}

static void script(const char *name, const char *interpreter, int mode)
{
	int fd = open(in_folder(name), O_CREAT | O_WRONLY, 0700);

	dprintf(fd, "#!%s inside\n", in_folder(interpreter));
	fchmod(fd, mode);
	close(fd);
}

static int stay(void *unused)
{
	return pause();
}

static void share(int which, int flags)
{
	clone(stay, stacks[which] + sizeof(stacks[which]), flags, NULL);
}

static void shares_fs(void)
{
	share(0, CLONE_FS | SIGCHLD);
}

static void shares_files(void)
{
	share(0, CLONE_FILES | SIGCHLD);
}

static void shares_memory(void)
{
	share(0, CLONE_VM | SIGCHLD);
}

static void has_threads(void)
{
	share(0, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD);
}

static void has_threads_and_shares_fs(void)
{
	has_threads();
	share(1, CLONE_FS | SIGCHLD);
}

static void no_new_rights(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void prepared(void)
{
	struct rlimit large = {64 << 20, 64 << 20};

	prctl(PR_SET_PDEATHSIG, SIGUSR1);
	personality(ADDR_NO_RANDOMIZE);
	setrlimit(RLIMIT_STACK, &large);
}

static void hidden(void)
{
	prctl(PR_SET_DUMPABLE, 0);
}

static void start(const char *name, const char *how, void (*prepare)(void))
{
	int status;
	pid_t child;

	say("%s%s%s\n", name, how ? ", " : "", how ? how : "");
	child = fork();
	if (child == 0) {
		char *words[] = {(char *)in_folder(name), "inside", NULL};

		setpgid(0, 0);
		setgroups(0, NULL);
		setgid(USER);
		setuid(USER);
		prctl(PR_SET_DUMPABLE, 1);
		if (prepare)
			prepare();
		setenv("LD_LIBRARY_PATH", "/nowhere", 1);
		execv(words[0], words);
		say("  exec %s\n", errno_name(errno));
		_exit(1);
	}
	waitpid(child, &status, 0);
	/* Those that shared something with it. */
	kill(-child, SIGKILL);
	if (status)
		say("  status %x\n", status);
}

static void programs(const char *self)
{
	copy(self, "plain", 0, 0, 0755);
	copy(self, "root's", 0, 0, 04755);
	copy(self, "other's", OTHER, OTHER, 04755);
	copy(self, "own", USER, USER, 04755);
	copy(self, "group's", 0, OTHER, 02755);
	copy(self, "group's lock", 0, OTHER, 02745);
	copy(self, "own group's", 0, USER, 02755);
	copy(self, "both", OTHER, OTHER + 1, 06755);
	copy(self, "unreadable", 0, 0, 0711);
	copy(self, "root's unreadable", 0, 0, 04711);
	copy(self, "not executable", 0, 0, 04644);
	copy(self, "ignored/root's", 0, 0, 04755);
	script("script", "plain", 04755);
	script("script of root's", "root's", 0755);
}

int main(int count, char **words)
{
	static const char *const names[] = {"plain", "root's", "other's", "own", "group's", "group's lock", "own group's", "both", "unreadable",
					    "root's unreadable", "not executable", "script", "script of root's", "ignored/root's"};
	unsigned i;

	if (count > 1)
		return inside();
	umask(022);
	mkdtemp(folder);
	chmod(folder, 0755);
	unshare(CLONE_NEWNS);
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir(in_folder("ignored"), 0755);
	mount("none", in_folder("ignored"), "tmpfs", MS_NOSUID, "mode=755");
	programs(words[0]);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		start(names[i], NULL, NULL);
	start("plain", "shares fs", shares_fs);
	start("root's", "shares fs", shares_fs);
	start("group's", "shares fs", shares_fs);
	start("other's", "shares fs", shares_fs);
	start("root's", "shares files", shares_files);
	start("root's", "shares memory", shares_memory);
	start("root's", "has threads", has_threads);
	start("root's", "has threads, shares fs", has_threads_and_shares_fs);
	start("root's", "no new rights", no_new_rights);
	start("group's", "no new rights", no_new_rights);
	start("unreadable", "no new rights", no_new_rights);
	start("plain", "prepared", prepared);
	start("root's", "prepared", prepared);
	start("group's", "prepared", prepared);
	start("plain", "hidden", hidden);
	umount2(in_folder("ignored"), MNT_DETACH);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_folder(names[i]));
	rmdir(in_folder("ignored"));
	rmdir(folder);
	return 0;
}
