/* test: needs root */
/* Whose files may get a further name: protected_hardlinks in proc_sys_fs(5). */
#include "../check.h"

static void links(void)
{
	MUST(setresgid(1000, 1000, 1000));
	MUST(setresuid(1000, 1000, 1000));
	R(link("secret", "a/secret"));
	R(link("readable", "a/readable"));
	R(link("writable", "a/writable"));
	R(link("setuid", "a/setuid"));
	R(link("setgid", "a/setgid"));
	R(link("fifo", "a/fifo"));
	R(link("symlink", "a/symlink"));
	R(linkat(AT_FDCWD, "symlink", AT_FDCWD, "a/target", AT_SYMLINK_FOLLOW));
	R(link("mine", "a/mine"));
	R(link("secret", "a/mine"));
	R(link("secret", "b/secret"));
	R(link("mine", "b/mine"));
	R(link("nothing", "a/nothing"));
	R(link("a", "a/a"));
}

static void make(const char *name, mode_t mode)
{
	close(MUST(open(name, O_CREAT | O_WRONLY, 0600)));
	MUST(chmod(name, mode));
}

int main(void)
{
	char setting = '?';
	int fd = open("/proc/sys/fs/protected_hardlinks", O_RDONLY);

	if (read(fd, &setting, 1) != 1 || setting != '1')
		return 77;
	MUST(chmod(".", 0755));
	MUST(mkdir("a", 0755));
	MUST(chown("a", 1000, 1000));
	MUST(mkdir("b", 0755));
	make("secret", 0600);
	make("readable", 0644);
	make("writable", 0666);
	make("setuid", 04666);
	make("setgid", 02676);
	make("mine", 04700);
	MUST(chown("mine", 1000, 1000));
	MUST(mkfifo("fifo", 0600));
	MUST(symlink("writable", "symlink"));
	in_child("user", links);
	R(link("secret", "b/root"));
	return 0;
}
