/* Access control lists that say more than permission bits: kept, inherited, changed by chmod, and obeyed. */
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include "../check.h"

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

struct entry { unsigned short tag, perm; unsigned id; };
struct acl { unsigned version; struct entry entries[12]; };

static const char *why(int r)
{
	return r >= 0 ? "ok" : strerror(errno);
}

/* "u6 U4:1234 g4 G6:4321 m6 o0": owner, a user, the group, a group, the mask, others. */
static int set(const char *path, const char *name, const char *text)
{
	struct acl acl = { 2 };
	int count = 0, used = 0, perm;
	char kind;
	while (sscanf(text, " %c%d%n", &kind, &perm, &used) == 2) {
		struct entry *e = &acl.entries[count++];
		text += used;
		e->tag = kind == 'u' ? 1 : kind == 'U' ? 2 : kind == 'g' ? 4 : kind == 'G' ? 8 : kind == 'm' ? 16 : 32;
		e->perm = perm;
		e->id = *text == ':' ? (unsigned)strtol(text + 1, (char **)&text, 10) : -1u;
	}
	return setxattr(path, name, &acl, 4 + 8 * count, 0);
}

static void show_list(const char *path, const char *name)
{
	static const char kinds[] = "?uU?g???G???????m";
	struct acl acl;
	int n = getxattr(path, name, &acl, sizeof acl);
	if (n < 0) {
		printf(" (%s)", strerror(errno));
		return;
	}
	printf(" [%u:", acl.version);
	for (int i = 0; i < (n - 4) / 8; i++) {
		struct entry *e = &acl.entries[i];
		printf(" %c%d", e->tag == 32 ? 'o' : kinds[e->tag], e->perm);
		if (e->id != -1u)
			printf(":%u", e->id);
	}
	printf("]");
}

static void show(const char *what, const char *path)
{
	struct stat st;
	stat(path, &st);
	printf("%s: %o", what, st.st_mode & 07777);
	show_list(path, ACCESS);
	if (S_ISDIR(st.st_mode))
		show_list(path, DEFAULT);
	printf("\n");
}

static void kept(void)
{
	char names[200], value[100];
	int n;
	close(open("f", O_CREAT | O_WRONLY, 0640));
	printf("set: %s\n", why(set("f", ACCESS, "u6 U4:1234 g4 G6:4321 m6 o0")));
	show("kept", "f");
	chmod("f", 0600);
	show("chmod 600", "f");
	chmod("f", 02755);
	show("chmod 2755", "f");
	n = listxattr("f", names, sizeof names);
	for (int i = 0; i < n; i += strlen(names + i) + 1)
		if (strncmp(names + i, "system.", 7) == 0)
			printf("listed: %s\n", names + i);
	printf("size: %zd\n", getxattr("f", ACCESS, NULL, 0));
	printf("no room: %s\n", why(getxattr("f", ACCESS, value, 10)));
	link("f", "f2");
	rename("f", "f3");
	show("another name", "f2");
	printf("a mask alone: %s\n", why(set("f2", ACCESS, "u7 g5 m1 o0")));
	show("a mask alone", "f2");
	printf("removed: %s\n", why(removexattr("f2", ACCESS)));
	show("removed", "f2");
	printf("plain: %s\n", why((set("f2", ACCESS, "u6 U7:5 g4 m7 o0"), set("f2", ACCESS, "u6 g4 o0"))));
	show("plain", "f2");
	printf("no mask: %s\n", why(set("f2", ACCESS, "u6 U7:5 g4 o0")));
	printf("nobody: %s\n", why(set("f2", ACCESS, "u6 U7 g4 m7 o0")));
	printf("two masks: %s\n", why(set("f2", ACCESS, "u6 U7:5 g4 m7 m7 o0")));
	printf("default of a file: %s\n", why(set("f2", DEFAULT, "u6 U7:5 g4 m7 o0")));
	show("after all", "f2");
}

static void inherited(void)
{
	mkdir("d", 0750);
	printf("default: %s\n", why(set("d", DEFAULT, "u7 U7:1234 g5 G3:5 m7 o1")));
	show("d", "d");
	umask(077);
	close(open("d/f", O_CREAT | O_WRONLY, 0666));
	show("file", "d/f");
	close(open("d/less", O_CREAT | O_WRONLY, 0400));
	show("file of 400", "d/less");
	mkdir("d/d", 0777);
	show("directory", "d/d");
	mkfifo("d/d/p", 0666);
	show("pipe below", "d/d/p");
	symlink("f", "d/l");
	printf("link: %s\n", why(lgetxattr("d/l", ACCESS, NULL, 0)));
	set("d", DEFAULT, "u7 g5 o0");
	close(open("d/plain", O_CREAT | O_WRONLY, 0666));
	show("of a plain default", "d/plain");
	printf("removed: %s\n", why(removexattr("d", DEFAULT)));
	close(open("d/umask", O_CREAT | O_WRONLY, 0666));
	show("of none", "d/umask");
	umask(022);
}

struct who { unsigned uid, gid, group; };

static void as(struct who who, const char *text)
{
	pid_t pid = fork();
	if (pid == 0) {
		setgroups(1, &who.group);
		setgid(who.gid);
		setuid(who.uid);
		printf("%u %u %u %s:", who.uid, who.gid, who.group, text);
		printf(" read %s,", why(open("a/f", O_RDONLY)));
		printf(" write %s,", why(open("a/f", O_WRONLY)));
		printf(" list %s,", why(open("a", O_RDONLY)));
		printf(" make %s,", why(mkdir("a/new", 0700)));
		rmdir("a/new");
		printf(" set %s\n", why(set("a/f", ACCESS, "u7 g7 o7")));
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void obeyed(void)
{
	static const struct who all[] = { { 77, 77, 77 }, { 1234, 9, 9 }, { 5, 4321, 9 }, { 5, 9, 4321 }, { 5, 88, 9 }, { 5, 9, 9 } };
	static const char *const lists[] = {
		"u7 g5 o5", "u6 U4:1234 g5 G6:4321 m7 o0", "u7 U0:1234 g7 m7 o7", "u7 U7:1234 g7 G7:4321 m5 o0", "u0 U7:1234 g0 G0:4321 m7 o7",
		"u7 U7:1234 g2 G4:4321 G2:9 m6 o7", "u7 U7:1234 g7 m0 o5", "u7 U1:1234 g1 m1 o1",
	};
	if (geteuid() != 0)
		return;
	chmod(".", 0755);
	mkdir("a", 0755);
	close(open("a/f", O_CREAT | O_WRONLY, 0666));
	chown("a", 77, 88);
	chown("a/f", 77, 88);
	for (unsigned l = 0; l < sizeof lists / sizeof *lists; l++)
		for (unsigned w = 0; w < sizeof all / sizeof *all; w++) {
			set("a", ACCESS, lists[l]);
			set("a/f", ACCESS, lists[l]);
			as(all[w], lists[l]);
		}
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(022);
	kept();
	inherited();
	obeyed();
	return 0;
}
