/*
 * Files that stood there before, looked at again and again, by processes with different rights, while another changes them
 * at random. In a machine they are the host's, which do not change until somebody here changes them: what is remembered of
 * them must not be stale then.
 *
 * test: prepare mkdir -p t/a/b t/c; cd t; echo one >a/f; echo two >a/b/g; ln -s a/f l; ln -s ../c a/d; echo x >c/h; ln -s nowhere n; chmod 640 c/h; chmod -R go+rX a; touch -h -d @1000000000 a/f a/b/g l a/d c/h n
 */
#define _GNU_SOURCE
#include "../check.h"
#include "../random.h"
#include <grp.h>
#include <sys/stat.h>

#define STEPS 200
#define WATCHERS 3

static const char *const names[] = { "a", "c", "a/f", "a/b/g", "l", "a/d", "a/d/h", "c/h", "n", "a/b", "c/new", "a/d/../l",
				     "./a/f", "a/b/.", "a/b/..", "c/moved" };
#define NAMES (sizeof(names) / sizeof(*names))
/* The last ones are only looked at. */
#define CHANGED 11

static unsigned seed = 4321;

struct answers {
	char text[16000];
	int length;
};

static void add(struct answers *to, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	to->length += vsnprintf(to->text + to->length, sizeof(to->text) - to->length, format, args);
	va_end(args);
}

/* Of a directory, numbers of links and sizes depend on who keeps it. */
static void add_stat(struct answers *to, int result, const struct stat *st)
{
	if (result < 0) {
		add(to, " %s", errno_name(errno));
		return;
	}
	add(to, " %o %u", st->st_mode, st->st_uid == 65534);
	if (!S_ISDIR(st->st_mode))
		add(to, " %lu %ld %ld", (long)st->st_nlink, (long)st->st_size, st->st_mtim.tv_sec <= 1000000000 ? (long)st->st_mtim.tv_sec : 0L);
}

static void look(struct answers *to, const char *name)
{
	struct stat st;
	char target[64];
	long length;

	add_stat(to, stat(name, &st), &st);
	add_stat(to, lstat(name, &st), &st);
	add_stat(to, fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW), &st);
	for (int mode = 0; mode < 8; mode++)
		add(to, "%c", access(name, mode) == 0 ? '0' + mode : errno == EACCES ? '-' : '!');
	length = readlink(name, target, sizeof(target));
	add(to, " %.*s %ld", length < 0 ? 0 : (int)length, target, length);
	length = readlink(name, target, 2);
	add(to, " %.*s\n", length < 0 ? 0 : (int)length, target);
}

static void look_all(struct answers *to)
{
	to->length = 0;
	for (unsigned i = 0; i < NAMES; i++) {
		add(to, "%s", names[i]);
		look(to, names[i]);
	}
}

/* Asked to, looks at everything twice, and tells a sum. */
static void watch(int in, int out)
{
	static struct answers first, second;
	unsigned sum;
	char word;

	while (read(in, &word, 1) == 1) {
		look_all(&first);
		look_all(&second);
		sum = strcmp(first.text, second.text) != 0;
		for (int i = 0; i < first.length; i++)
			sum = sum * 31 + (unsigned char)first.text[i];
		if (write(out, &sum, sizeof(sum)) != sizeof(sum))
			_exit(1);
	}
	_exit(0);
}

static void write_to(const char *name, int flags)
{
	int fd = open(name, O_WRONLY | O_NONBLOCK | flags, 0666);

	if (fd >= 0 && write(fd, "more\n", 5) != 5)
		say("cannot write %s\n", name);
	if (fd >= 0)
		close(fd);
}

static void change(void)
{
	static const struct timespec times[2] = { { 1000, 0 }, { 1000000, 0 } };
	const char *name = names[rnd(CHANGED)], *other = names[rnd(CHANGED)];

	switch (rnd(14)) {
	case 0: case 1: T(chmod(name, rnd(2) ? 0700 : rnd(2) ? 0755 : 0644)); break;
	case 2: T(chown(name, rnd(2) ? 65534 : 0, -1)); break;
	case 3: write_to(name, O_APPEND); break;
	case 4: write_to(name, O_CREAT); break;
	case 5: T(truncate(name, rnd(9))); break;
	case 6: T(utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW)); break;
	case 7: T(unlink(rnd(3) ? "c/new" : name)); break;
	case 8: T(rename(name, rnd(2) ? "c/moved" : other)); break;
	case 9: T(rename("c/moved", name)); break;
	case 10: T(link(name, "c/new")); break;
	case 11: T(symlink("../a/f", name)); break;
	case 12: T(mkdir(name, 0755)); break;
	case 13: T(renameat2(AT_FDCWD, name, AT_FDCWD, other, RENAME_EXCHANGE)); break;
	}
}

struct watcher {
	int to, from;
};

static struct watcher start(int user, int group)
{
	int to[2], from[2];

	MUST(pipe(to));
	MUST(pipe(from));
	if (MUST(fork()) == 0) {
		close(to[1]);
		close(from[0]);
		if (user && (setgroups(0, NULL) < 0 || setgid((gid_t)group) < 0 || setuid((uid_t)user) < 0))
			_exit(3);
		watch(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	return (struct watcher){ to[1], from[0] };
}

int main(void)
{
	static struct answers own;
	int count = geteuid() == 0 ? WATCHERS : 1;
	struct watcher watchers[WATCHERS];

	/* Links lead out of it, but not out of our folder. */
	MUST(chdir("t"));
	umask(022);
	MUST(chmod(".", 0755));
	for (int i = 0; i < count; i++)
		watchers[i] = start(i ? 65534 : 0, i == 1 ? 65534 : 0);
	for (int step = 0; step < STEPS; step++) {
		say("%d", step);
		for (int i = 0; i < count; i++) {
			unsigned sum = 0;

			MUST(write(watchers[i].to, "", 1));
			MUST(read(watchers[i].from, &sum, sizeof(sum)));
			say(" %x", sum);
		}
		say("\n");
		if (step % 40 == 0) {
			look_all(&own);
			say("%s", own.text);
		}
		change();
	}
	/* Whoever cleans up is not stopped. */
	return system("chmod -R u+rwX .") != 0;
}
