/* test: needs root */
/* User and group ids, what they allow, capabilities across setuid, setuid programs. */
#include "../check.h"
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <linux/capability.h>

static void ids(void)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	getresuid(&r, &e, &s);
	getresgid(&rg, &eg, &sg);
	say("uids %u %u %u gids %u %u %u\n", r, e, s, rg, eg, sg);
}

static void caps(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	R(syscall(SYS_capget, &header, data));
	say("effective chown %d permitted chown %d\n", data[0].effective & 1, data[0].permitted & 1);
}

static void drops(void)
{
	gid_t groups[4] = {10, 20, 30}, got[8];

	R(setgroups(3, groups));
	R(getgroups(0, NULL));
	R(getgroups(8, got));
	say("%u %u %u\n", got[0], got[1], got[2]);
	R(getgroups(2, got));
	R(setresgid(1000, 1000, 1000));
	R(seteuid(1000));
	ids();
	caps();
	R(access("secret", R_OK));
	R(open("secret", O_RDONLY));
	R(seteuid(0));
	caps();
	R(setresuid(1000, 1000, 0));
	R(setresuid(-1, 0, -1));
	R(setuid(1000));
	ids();
	R(seteuid(0) == 0);
	R(setresuid(1000, 1000, 1000));
	R(seteuid(0));
	R(setuid(0));
	caps();
	R(open("secret", O_RDONLY));
	R(open("secret", O_WRONLY | O_CREAT, 0600));
	R(chmod("secret", 0644));
	R(chown("secret", 1000, 1000));
	R(unlink("dir/file"));
	R(kill(1, 0));
	R(kill(getppid(), 0));
	R(setgroups(0, NULL));
	R(chroot("."));
	R(sethostname("x", 1));
	R(chmod("mine", 04755));
	R(chown("mine", 1000, 10));
	R(chown("mine", 1001, -1));
	R(setpriority(0, 0, -5));
	R(setfsuid(0));
	R(setfsuid(-1));
	ids();
}

static void shared_dir(void)
{
	MUST(setresuid(1001, 1001, 1001));
	R(unlink("sticky/file"));
	R(rename("sticky/file", "sticky/x"));
	R(link("secret", "sticky/link"));
}

static void keeps(void)
{
	R(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
	R(setresuid(1000, 1000, 1000));
	caps();
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		ids();
		caps();
		return 0;
	}
	chmod(".", 0755);
	close(MUST(open("secret", O_CREAT | O_WRONLY, 0600)));
	mkdir("dir", 0755);
	close(MUST(open("dir/file", O_CREAT | O_WRONLY, 0666)));
	mkdir("sticky", 01777);
	chmod("sticky", 01777);
	close(MUST(open("sticky/file", O_CREAT | O_WRONLY, 0666)));
	close(MUST(open("mine", O_CREAT | O_WRONLY, 0644)));
	MUST(chown("mine", 1000, 1000));
	in_child("drop", drops);
	in_child("sticky", shared_dir);
	in_child("keepcaps", keeps);
	struct stat st;
	stat("mine", &st);
	say("mine %o %u %u\n", st.st_mode & 07777, st.st_uid, st.st_gid);
	MUST(chmod("mine", 06755));
	R(chown("mine", 5, 6));
	stat("mine", &st);
	say("mine %o %u %u\n", st.st_mode & 07777, st.st_uid, st.st_gid);

	MUST(mkdir("group", 0755));
	MUST(chown("group", 0, 77));
	MUST(chmod("group", 02775));
	MUST(mkdir("group/sub", 0755));
	stat("group/sub", &st);
	say("sub %o %u\n", st.st_mode & 07777, st.st_gid);

	char command[8192];
	snprintf(command, sizeof command, "cp /proc/%d/exe setuid && chown 1234:4321 setuid && chmod 6755 setuid", getpid());
	R(system(command));
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		MUST(setgroups(0, NULL));
		MUST(setresgid(1000, 1000, 1000));
		MUST(setresuid(1000, 1000, 1000));
		execl("./setuid", "setuid", "show", NULL);
		_exit(9);
	}
	int status;
	waitpid(pid, &status, 0);
	say_status("setuid", status);
	return 0;
}
