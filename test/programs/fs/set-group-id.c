/*
 * In a set-group-ID directory nobody makes programs of a group that he is not in, whatever the umask takes away (inode(7)).
 * test: needs root
 */
#include "../check.h"
#include <grp.h>
#include <sys/stat.h>

static const mode_t modes[] = { 02777, 02770, 02767, 02755, 02010, 06711 };
static const mode_t masks[] = { 0, 010, 022, 070, 0777 };

static void show(const char *what, const char *name, mode_t mode, mode_t mask)
{
	struct stat st;

	MUST(lstat(name, &st));
	say("%s %04o, umask %04o: %04o %d\n", what, mode, mask, st.st_mode & 07777, (int)st.st_gid);
}

static void make(const char *dir)
{
	char name[40];

	say("in %s:\n", dir);
	MUST(chdir(dir));
	for (unsigned m = 0; m < sizeof masks / sizeof *masks; m++) {
		for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
			umask(masks[m]);
			close(MUST(open("file", O_CREAT | O_EXCL | O_WRONLY, modes[i])));
			show("file", "file", modes[i], masks[m]);
			MUST(unlink("file"));
			MUST(mknod("node", S_IFREG | modes[i], 0));
			show("node", "node", modes[i], masks[m]);
			MUST(unlink("node"));
			MUST(mkfifo("fifo", modes[i]));
			show("fifo", "fifo", modes[i], masks[m]);
			MUST(unlink("fifo"));
			MUST(mkdir("dir", modes[i]));
			show("dir", "dir", modes[i], masks[m]);
			MUST(rmdir("dir"));
			int fd = open(".", O_TMPFILE | O_WRONLY, modes[i]);
			if (fd >= 0) {
				struct stat st;

				MUST(fstat(fd, &st));
				say("nameless %04o: %04o %d\n", modes[i], st.st_mode & 07777, (int)st.st_gid);
				close(fd);
			}
			snprintf(name, sizeof name, "chmod");
			close(MUST(open(name, O_CREAT | O_EXCL | O_WRONLY, 0600)));
			MUST(chmod(name, modes[i]));
			show("chmod", name, modes[i], masks[m]);
			MUST(unlink(name));
		}
	}
	umask(0);
	MUST(chdir(".."));
}

static void place(const char *name, gid_t group, mode_t mode)
{
	MUST(mkdir(name, 0777));
	MUST(chown(name, -1, group));
	MUST(chmod(name, mode));
}

int main(void)
{
	umask(0);
	MUST(chmod(".", 0777));
	place("others", 4242, 02777);
	place("mine", 4343, 02777);
	place("plain", 4242, 0777);
	make("others");
	MUST(setgroups(1, &(gid_t){ 4343 }));
	MUST(setresgid(54321, 54321, 54321));
	MUST(setresuid(54321, 54321, 54321));
	make("others");
	make("mine");
	make("plain");
	return 0;
}
