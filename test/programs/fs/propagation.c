/*
 * Shared subtrees (mount_namespaces(7)): mounts that come and go with others.
 * test: needs root
 */
#include "propagation.h"
#include <sys/syscall.h>

static int groups[100], known;

/* Numbers of groups differ from run to run: their order does not. */
static int group(int number)
{
	int i;

	for (i = 0; i < known && groups[i] != number; i++)
		;
	groups[i] = number;
	if (i == known)
		known++;
	return i + 1;
}

/* All mounts in the folder, in their order, with what they share. */
static void show(const char *title)
{
	FILE *file = fopen("/proc/self/mountinfo", "r");
	char line[4096], path[2000], root[2000];
	int length = strlen(base), options, number;

	known = 0;
	say("%s:", title);
	while (fgets(line, sizeof line, file)) {
		if (sscanf(line, "%*d %*d %*s %1999s %1999s %*s%n", root, path, &options) != 2)
			continue;
		if (strncmp(path, base, length) != 0 || path[length] != '/')
			continue;
		say(" %s", path + length + 1);
		if (strcmp(root, "/") != 0)
			say("(%s)", root);
		char *end = strstr(line, " - ");
		for (char *word = strtok(line + options, " "); word && word < end; word = strtok(NULL, " ")) {
			if (sscanf(word, "shared:%d", &number) == 1)
				say("[shared %d]", group(number));
			else if (sscanf(word, "master:%d", &number) == 1)
				say("[master %d]", group(number));
			else if (strcmp(word, "-") == 0)
				break;
			else
				say("[%s]", strncmp(word, "propagate_from", 14) == 0 ? "from" : word);
		}
	}
	say("\n");
	fclose(file);
}

static void make(const char *names)
{
	char name[2] = "";

	for (; *names; names++) {
		name[0] = *names;
		MUST(mkdir(name, 0755));
	}
}

static int new(const char *where)
{
	return mount("none", where, "tmpfs", 0, NULL);
}

static int become(const char *where, int flags)
{
	return mount(NULL, where, NULL, flags, NULL);
}

static int also(const char *what, const char *where)
{
	return mount(what, where, NULL, MS_BIND, NULL);
}

static int everything(const char *what, const char *where)
{
	return mount(what, where, NULL, MS_BIND | MS_REC, NULL);
}

static int move(const char *what, const char *where)
{
	return mount(what, where, NULL, MS_MOVE, NULL);
}

static int gone(const char *where)
{
	return umount2(where, 0);
}

/* A fresh place with a mount at s that has folders. */
static void begin(const char *name)
{
	say("--- %s\n", name);
	enter();
	make("stuvwx");
	MUST(new("s"));
	MUST(mkdir("s/m", 0755));
	MUST(mkdir("s/n", 0755));
	MUST(mkdir("s/n/o", 0755));
}

static void peers(void)
{
	begin("peers");
	R(become("s/m", MS_SHARED));
	R(become("s", MS_SHARED | MS_PRIVATE));
	R(become("s", MS_SHARED));
	show("shared");
	R(become("s", MS_SHARED));
	R(also("s", "t"));
	show("bound");
	R(new("s/m"));
	show("mounted");
	R(gone("t/m"));
	show("unmounted");
	R(also("s/n", "u"));
	R(new("t/n/o"));
	show("below");
	R(new("s/m"));
	show("aside");
	R(become("u", MS_PRIVATE));
	show("private");
	R(gone("s/n/o"));
	show("unmounted");
	R(gone("t"));
	R(umount2("t", MNT_DETACH));
	show("left");
	R(also("s", "s/n"));
	show("in itself");
	R(gone("s/n"));
	show("and out");
	leave();
}

static void slaves(void)
{
	begin("slaves");
	R(become("s", MS_SLAVE));
	show("alone");
	MUST(become("s", MS_SHARED));
	MUST(also("s", "t"));
	R(become("t", MS_SLAVE));
	show("slave");
	R(new("s/m"));
	show("from the master");
	R(new("t/n"));
	show("to the slave");
	R(gone("t/m"));
	show("the slave's");
	R(gone("s/m"));
	show("the master's");
	R(become("t", MS_SHARED));
	R(also("t", "u"));
	show("shared slaves");
	R(new("s/m"));
	show("mounted");
	R(gone("t/m"));
	show("less for slaves");
	R(also("t", "v"));
	R(become("v", MS_SLAVE));
	show("slave of slaves");
	R(gone("s/m"));
	R(new("s/m"));
	show("all of them");
	R(become("u", MS_PRIVATE));
	R(become("t", MS_PRIVATE));
	show("up the chain");
	R(become("s", MS_PRIVATE));
	show("no master");
	leave();
}

static void last(void)
{
	begin("last peer");
	MUST(become("s", MS_SHARED));
	MUST(also("s", "t"));
	MUST(also("s", "u"));
	R(become("u", MS_SLAVE));
	R(become("s", MS_SLAVE));
	show("slave of a peer");
	R(gone("t"));
	show("alone");
	R(become("s", MS_SHARED));
	R(become("s", MS_SLAVE));
	show("nobody left");
	leave();
}

static void unbindable(void)
{
	begin("unbindable");
	R(become("s", MS_UNBINDABLE));
	show("made");
	R(also("s", "t"));
	R(also("s/m", "t"));
	MUST(become("s", MS_PRIVATE));
	MUST(new("s/m"));
	MUST(become("s/m", MS_UNBINDABLE));
	MUST(new("s/n"));
	R(everything("s", "t"));
	show("pruned");
	MUST(become("t", MS_SHARED));
	R(move("s", "t/m"));
	R(also("s/m", "t/m"));
	MUST(mkdir("t/n/x", 0755));
	R(move("s/m", "t/m"));
	R(become("s", MS_UNBINDABLE));
	R(become("s", MS_SHARED));
	show("shared");
	leave();
}

static void trees(void)
{
	begin("trees");
	MUST(become("s", MS_SHARED));
	MUST(new("v"));
	MUST(mkdir("v/i", 0755));
	MUST(new("v/i"));
	MUST(also("s", "t"));
	MUST(also("s", "u"));
	MUST(become("u", MS_SLAVE));
	R(everything("v", "s/m"));
	show("bound to a shared one");
	R(move("s/m", "x"));
	R(move("v", "s/n"));
	show("moved to a shared one");
	R(umount2("s/n", MNT_DETACH));
	show("taken");
	R(gone("t/m"));
	R(gone("t/m/i"));
	R(gone("t/m"));
	show("step by step");
	MUST(new("v"));
	MUST(become("v", MS_SHARED));
	MUST(also("v", "w"));
	R(become(".", MS_REC | MS_SHARED));
	show("all shared");
	R(become(".", MS_REC | MS_PRIVATE));
	show("all private");
	leave();
}

static void over(void)
{
	begin("over others");
	MUST(become("s", MS_SHARED));
	MUST(also("s", "t"));
	MUST(become("t", MS_SLAVE));
	MUST(new("t/m"));
	close(MUST(open("t/m/own", O_CREAT | O_WRONLY, 0600)));
	R(new("s/m"));
	close(MUST(open("s/m/masters", O_CREAT | O_WRONLY, 0600)));
	show("tucked under");
	R(access("t/m/own", F_OK));
	R(gone("t/m"));
	R(access("t/m/masters", F_OK));
	MUST(new("t/m"));
	R(gone("s/m"));
	show("and out again");
	R(new("s/m"));
	MUST(mkdir("s/m/d", 0755));
	MUST(become("t/m", MS_PRIVATE));
	show("mounted");
	leave();
}

static void busy(void)
{
	int fd;

	begin("busy");
	MUST(become("s", MS_SHARED));
	MUST(also("s", "t"));
	MUST(new("s/m"));
	fd = MUST(open("t/m", O_RDONLY));
	R(gone("s/m"));
	R(umount2("s/m", MNT_DETACH));
	show("detached");
	close(fd);
	MUST(new("s/m"));
	MUST(become("t/m", MS_PRIVATE));
	MUST(mkdir("t/m/in", 0755));
	MUST(new("t/m/in"));
	R(gone("s/m"));
	show("with a child");
	leave();
}

static void spaces(void)
{
	int go[2], done[2];
	char byte;

	begin("namespaces");
	MUST(pipe(go));
	MUST(pipe(done));
	MUST(become("s", MS_SHARED));
	MUST(also("s", "t"));
	MUST(become("t", MS_SLAVE));
	pid_t child = MUST(fork());
	if (child == 0) {
		MUST(unshare(CLONE_NEWNS));
		R(new("s/m"));
		show("in the child");
		R(new("t/n"));
		write(done[1], "", 1);
		read(go[0], &byte, 1);
		show("later");
		_exit(0);
	}
	read(done[0], &byte, 1);
	show("in the parent");
	R(new("s/n/o"));
	R(gone("s/m"));
	write(go[1], "", 1);
	waitpid(child, NULL, 0);
	show("at last");
	leave();
}

static void told(void)
{
	struct {
		uint64_t set, clear, propagation, userns;
	} a = {0, 0, MS_SHARED};
	struct {
		uint32_t size, fd;
		uint64_t id, param;
	} request = {24};
	uint64_t about[64];
	struct statx st;

	begin("told");
	MUST(new("s/m"));
	R(syscall(442, AT_FDCWD, "s", 0x8000, &a, 32));
	MUST(also("s", "t"));
	show("by mount_setattr");
	a.propagation = MS_SLAVE;
	R(syscall(442, AT_FDCWD, "t", 0, &a, 32));
	a.propagation = MS_UNBINDABLE;
	R(syscall(442, AT_FDCWD, "s/m", 0, &a, 32));
	show("by mount_setattr");
	const char *names[] = {"s", "t", "s/m"};
	uint64_t shared = 0;
	for (int i = 0; i < 3; i++) {
		MUST(statx(AT_FDCWD, names[i], 0, 0x4000, &st));
		request.id = st.stx_mnt_id;
		request.param = 2 | 4;
		R(syscall(457, &request, about, sizeof about, 0));
		shared = i == 0 ? about[10] : shared;
		say("  %s: %lx peers %d master %d\n", names[i], (long)about[9], about[10] && about[10] == shared,
		    about[11] && about[11] == shared);
	}
	leave();
}

int main(void)
{
	find_place();
	peers();
	slaves();
	last();
	unbindable();
	trees();
	over();
	busy();
	spaces();
	told();
	return 0;
}
