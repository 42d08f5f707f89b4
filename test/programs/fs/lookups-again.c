/*
 * What is asked again: processes with different rights, roots and working directories look the same names up, twice,
 * after each of many random changes to the tree by another process. Answers that somebody remembers must not be stale,
 * nor anybody else's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../random.h"

#define STEPS 600
#define WATCHERS 5

static unsigned seed = 12345;

static const char *const names[] = { "a", "b", "c", "a/a", "a/b", "b/a", "b/c", "c/c", "a/b/c", "b/a/b", "c/a/a",
				     "a/../b", "a/.", "./c", "a/b/..", "b/" };
#define NAMES (sizeof(names) / sizeof(*names))

static int status(int result)
{
	return result < 0 ? errno : 0;
}

/* One letter for an errno. */
static char letter(int error)
{
	switch (error) {
	case 0: return '.';
	case ENOENT: return 'n';
	case EINVAL: return 'i';
	case EACCES: return 'a';
	case ENOTDIR: return 'd';
	case ELOOP: return 'l';
	case EISDIR: return 'D';
	default: return '?';
	}
}

static char look(int how, const char *name)
{
	struct stat st;
	char target[64];
	int fd;

	switch (how) {
	case 0: return letter(status(stat(name, &st)));
	case 1: return letter(status(lstat(name, &st)));
	case 2: return letter(status(access(name, R_OK)));
	case 3: return letter(status(readlink(name, target, sizeof(target))));
	case 4: return letter(status(faccessat(AT_FDCWD, name, F_OK, AT_EACCESS)));
	default:
		fd = open(name, O_RDONLY | O_NONBLOCK);
		if (fd >= 0)
			close(fd);
		return letter(status(fd));
	}
}

static void look_all(const char *top, char *out)
{
	for (unsigned i = 0; i < NAMES; i++) {
		char name[128];

		snprintf(name, sizeof(name), "%s%s", top, names[i]);
		for (int how = 0; how < 6; how++)
			*out++ = look(how, name);
	}
	*out = 0;
}

/* Asked to, looks at everything twice; what differs the second time is told. */
static void watch(const char *top, int in, int out)
{
	char word, first[NAMES * 6 + 1], second[NAMES * 6 + 1];

	while (read(in, &word, 1) == 1) {
		look_all(top, first);
		look_all(top, second);
		if (strcmp(first, second) != 0)
			memset(first, '!', strlen(first));
		if (write(out, first, sizeof(first)) != (ssize_t)sizeof(first))
			_exit(1);
	}
	_exit(0);
}

static void make_file(const char *name)
{
	int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0666);

	if (fd >= 0)
		close(fd);
}

static const char *some(void)
{
	return names[rnd(11)];
}

static void change(char *what, size_t size)
{
	const char *x = some(), *y = some();
	int r = 0, kind = (int)rnd(12);

	switch (kind) {
	case 0: case 1: make_file(x); break;
	case 2: case 3: r = mkdir(x, 0777); break;
	case 4: r = unlink(x); break;
	case 5: r = rmdir(x); break;
	case 6: r = rename(x, y); break;
	case 7: r = symlink(rnd(2) ? "a" : "../b", x); break;
	case 8: r = link(x, y); break;
	case 9: r = chmod(x, rnd(2) ? 0700 : 0777); break;
	case 10: r = renameat2(AT_FDCWD, x, AT_FDCWD, y, RENAME_EXCHANGE); break;
	default: r = mknod(x, S_IFIFO | 0666, 0); break;
	}
	snprintf(what, size, "%d %s %s %c", kind, x, y, letter(status(r)));
}

struct watcher {
	int to, from;
};

static struct watcher start(const char *place, const char *top, int user, const char *root)
{
	int to[2], from[2];

	if (pipe(to) < 0 || pipe(from) < 0)
		exit(1);
	if (fork() == 0) {
		close(to[1]);
		close(from[0]);
		if (chdir(place) < 0 || (root && (chroot(root) < 0 || chdir(top) < 0)))
			_exit(2);
		if (user && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(3);
		watch(top, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	return (struct watcher){ to[1], from[0] };
}

/* Threads share their working directory; each has rights of its own. */
static void *wanders(void *unused)
{
	(void)unused;
	return chdir("inner") < 0 ? (void *)1 : NULL;
}

static void *other_user(void *result)
{
	char *out = result;

	if (geteuid() == 0)
		setfsuid(65534);
	*out = look(0, "closed/there");
	return NULL;
}

static void shared_places(void)
{
	pthread_t thread;
	char before, after, theirs;

	mkdir("inner", 0777);
	mkdir("closed", 0700);
	make_file("closed/there");
	make_file("inner/seen");
	before = look(0, "seen");
	before = look(0, "seen");
	pthread_create(&thread, NULL, wanders, NULL);
	pthread_join(thread, NULL);
	after = look(0, "seen");
	printf("a thread went elsewhere: %c%c\n", before, after);
	if (chdir("..") < 0)
		exit(1);
	before = look(0, "closed/not");
	before = look(0, "closed/not");
	pthread_create(&thread, NULL, other_user, &theirs);
	pthread_join(thread, NULL);
	printf("another thread's rights: %c %c %c\n", before, geteuid() == 0 ? theirs : 'a', look(0, "closed/not"));
}

/* Names that something is mounted over, for whoever may mount. */
static void mounted_over(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return;
	mkdir("over", 0755);
	make_file("over/below");
	look(0, "over/above");
	look(0, "over/above");
	if (mount("none", "over", "tmpfs", 0, NULL) < 0)
		return;
	make_file("over/above");
	if (look(0, "over/above") != '.' || look(0, "over/below") != 'n' || look(0, "over/below") != 'n')
		printf("wrong under a mount\n");
	umount("over");
	if (look(0, "over/above") != 'n' || look(0, "over/below") != '.')
		printf("wrong after a mount\n");
}

/* Whether a terminal's name is there while it is closed, then open again, then closed. */
static void look_at_terminal(char seen[4])
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	char name[64];

	if (fd < 0 || ptsname_r(fd, name, sizeof(name)) != 0)
		exit(1);
	close(fd);
	seen[0] = look(0, name);
	seen[0] = look(0, name);
	fd = posix_openpt(O_RDWR | O_NOCTTY);
	seen[1] = look(0, name);
	close(fd);
	seen[2] = look(0, name);
	seen[3] = 0;
}

/* Names that come and go without anybody making them. Somebody else on the host may get one of them meanwhile. */
static void other_names(void)
{
	char seen[4];

	for (int tries = 0; tries < 100; tries++) {
		look_at_terminal(seen);
		if (strcmp(seen, "n.n") == 0)
			break;
	}
	printf("a terminal: %s\n", seen);
}

static void run(const char *place)
{
	int root = geteuid() == 0;
	char full[256], below[300], results[WATCHERS][NAMES * 6 + 1];
	struct watcher watchers[WATCHERS];
	int count = 0;

	if (mkdir(place, 0755) < 0 || chdir(place) < 0 || mkdir("tree", 0777) < 0 || chmod("tree", 0777) < 0)
		exit(1);
	if (!getcwd(full, sizeof(full)))
		exit(1);
	umask(0);
	snprintf(below, sizeof(below), "%s/tree/", full);
	watchers[count++] = start("tree", "", 0, NULL);
	watchers[count++] = start("/", below, 0, NULL);
	if (root) {
		watchers[count++] = start("tree", "", 1, NULL);
		watchers[count++] = start("/", below, 1, NULL);
		watchers[count++] = start("/", "/tree/", 0, full);
	}
	if (chdir("tree") < 0)
		exit(1);
	for (int step = 0; step < STEPS; step++) {
		char what[100];

		change(what, sizeof(what));
		for (int i = 0; i < count; i++)
			if (write(watchers[i].to, "x", 1) != 1)
				exit(1);
		for (int i = 0; i < count; i++)
			if (read(watchers[i].from, results[i], NAMES * 6 + 1) != NAMES * 6 + 1)
				exit(1);
		printf("%d %s", step, what);
		for (int i = 0; i < (root ? 3 : 1); i++)
			printf(" %s", results[i]);
		if (strcmp(results[0], results[1]) != 0 || (root && strcmp(results[2], results[3]) != 0) ||
		    (root && strcmp(results[0], results[4]) != 0))
			printf(" differ");
		printf("\n");
	}
	for (int i = 0; i < count; i++)
		close(watchers[i].to);
	while (wait(NULL) > 0)
		;
	shared_places();
	if (chdir("../..") < 0)
		exit(1);
}

int main(void)
{
	char shm[64], command[100];

	run("here");
	snprintf(shm, sizeof(shm), "/dev/shm/lookups-%d", getpid());
	run(shm);
	if (chdir(shm) < 0)
		return 1;
	other_names();
	if (geteuid() == 0)
		mounted_over();
	fflush(stdout);
	snprintf(command, sizeof(command), "rm -rf %s", shm);
	return chdir("/") < 0 || system(command) != 0;
}
