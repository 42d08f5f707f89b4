/*
 * name_to_handle_at(2), open_by_handle_at(2): files found again without their names.
 * test: needs root
 */
#include "own-mounts.h"

#define FID 0x200
#define UNIQUE 1
#define CONNECTABLE 2
#define ROOM 128

struct handle {
	unsigned bytes;
	int type;
	unsigned char data[ROOM];
};

static int mount_id[2];

static int get(const char *name, struct handle *h, int flags)
{
	memset(h, 0, sizeof *h);
	h->bytes = ROOM;
	return name_to_handle_at(AT_FDCWD, name, (void *)h, mount_id, flags);
}

static int find(int at, struct handle *h, int flags)
{
	return open_by_handle_at(at, (void *)h, flags);
}

static void make(const char *name, const char *text)
{
	int fd = MUST(open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644));

	MUST(write(fd, text, strlen(text)));
	close(fd);
}

/* What is found: its content, and its name. */
static void show(const char *what, struct handle *h, int flags)
{
	char text[100] = "", link[64], path[500] = "";
	int fd = find(AT_FDCWD, h, flags);

	if (fd == -1) {
		say("%s: %s\n", what, errno_name(errno));
		return;
	}
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	readlink(link, path, sizeof path - 1);
	read(fd, text, sizeof text - 1);
	say("%s: '%s' as %s\n", what, text, strrchr(path, '/'));
	close(fd);
}

static int same(struct handle *a, struct handle *b)
{
	return a->bytes == b->bytes && a->type == b->type && memcmp(a->data, b->data, a->bytes) == 0;
}

/* A deleted file is found as long as something has it in memory: on tmpfs that may be for long. */
static void names(int on_disk)
{
	struct handle f, g, d, l;
	struct stat st;
	int fd;

	make("f", "hello");
	make("g", "other");
	MUST(mkdir("d", 0755));
	MUST(symlink("f", "l"));
	R(get("f", &f, 0));
	R(get("f", &g, 0));
	R(same(&f, &g));
	R(get("g", &g, 0));
	R(same(&f, &g));
	show("f", &f, O_RDONLY);
	show("g", &g, O_RDWR);
	R(get("l", &l, 0));
	show("link", &l, O_RDONLY);
	fd = T(find(AT_FDCWD, &l, O_PATH));
	R(fstat(fd, &st));
	R(S_ISLNK(st.st_mode));
	close(fd);
	R(get("l", &l, AT_SYMLINK_FOLLOW));
	R(same(&f, &l));
	R(get("d", &d, 0));
	show("directory", &d, O_RDWR);
	fd = T(find(AT_FDCWD, &d, O_RDONLY | O_DIRECTORY));
	make("d/inside", "inside");
	int inside = openat(fd, "inside", O_RDONLY);
	R(inside > 0);
	close(inside);
	close(fd);
	show("f as a directory", &f, O_RDONLY | O_DIRECTORY);
	MUST(rename("f", "d/moved"));
	show("moved", &f, O_RDONLY);
	make("f", "new");
	show("old", &f, O_RDONLY);
	MUST(link("d/moved", "again"));
	MUST(unlink("again"));
	show("still there", &f, O_RDONLY);
	MUST(unlink("d/moved"));
	if (on_disk)
		show("gone", &f, O_RDONLY);
	fd = MUST(open("g", O_RDONLY));
	MUST(rename("f", "g"));
	close(fd);
	show("replaced", &g, O_RDONLY);
	MUST(unlink("d/inside"));
	MUST(rmdir("d"));
	if (on_disk)
		show("removed directory", &d, O_RDONLY);
	make("t", "cut me");
	R(get("t", &f, 0));
	show("cut", &f, O_RDWR | O_TRUNC);
	R(stat("t", &st));
	R(st.st_size);
	fd = MUST(open("t", O_RDONLY));
	memset(&g, 0, sizeof g);
	g.bytes = ROOM;
	R(name_to_handle_at(fd, "", (void *)&g, mount_id, AT_EMPTY_PATH));
	R(same(&f, &g));
	R(name_to_handle_at(fd, "", (void *)&g, mount_id, 0));
}

static void wrong(void)
{
	struct handle h, again;
	int other, id = mount_id[0];
	long bytes;

	make("e", "");
	R(get("e", &h, 0x8000));
	R(get("e", &h, FID | CONNECTABLE));
	R(get("nothing", &h, 0));
	R(get("", &h, 0));
	R(name_to_handle_at(AT_FDCWD, "e", NULL, mount_id, 0));
	R(name_to_handle_at(-1, "e", NULL, NULL, 0));
	R(name_to_handle_at(-1, "e", NULL, NULL, CONNECTABLE));
	h.bytes = ROOM + 1;
	R(name_to_handle_at(AT_FDCWD, "e", (void *)&h, mount_id, 0));
	h.bytes = 0;
	mount_id[0] = -7;
	R(name_to_handle_at(AT_FDCWD, "e", (void *)&h, mount_id, 0));
	bytes = h.bytes;
	R(bytes > 0 && bytes <= ROOM);
	R(mount_id[0] == id);
	h.bytes = bytes - 1;
	R(name_to_handle_at(AT_FDCWD, "e", (void *)&h, mount_id, 0));
	R(h.bytes == bytes);
	h.bytes = bytes;
	R(name_to_handle_at(AT_FDCWD, "e", (void *)&h, mount_id, 0));
	R(h.bytes == bytes);
	R(name_to_handle_at(AT_FDCWD, "e", (void *)&h, NULL, 0));
	R(get("e", &again, FID));
	R(get("e", &again, UNIQUE));
	R(mount_id[0] != id);
	R(get("/proc/filesystems", &again, 0));
	R(get("/proc/filesystems", &again, FID));
	R(find(AT_FDCWD, &again, O_RDONLY));
	R(find(-1, &h, O_RDONLY));
	R(find(-1, NULL, O_RDONLY));
	R(find(AT_FDCWD, NULL, O_RDONLY));
	other = MUST(open("/dev/null", O_RDONLY));
	R(find(other, &h, O_RDONLY));
	other = MUST(open("e", O_RDONLY));
	T(find(other, &h, O_RDONLY));
	T(find(MUST(open("e", O_PATH)), &h, O_RDONLY));
	int pipes[2];
	MUST(pipe(pipes));
	R(find(pipes[0], &h, O_RDONLY));
	R(find(AT_FDCWD, &h, O_RDONLY | O_CREAT | O_EXCL));
	h.data[0] ^= 0xff;
	R(find(AT_FDCWD, &h, O_RDONLY));
	h.data[0] ^= 0xff;
	h.bytes = 0;
	R(find(AT_FDCWD, &h, O_RDONLY));
	h.bytes = ROOM + 1;
	R(find(AT_FDCWD, &h, O_RDONLY));
	h.bytes = bytes;
	h.type = -1;
	R(find(AT_FDCWD, &h, O_RDONLY));
	h.type = 77;
	R(find(AT_FDCWD, &h, O_RDONLY));
}

static void connected(void)
{
	struct handle h;

	make("c", "connected");
	if (get("c", &h, CONNECTABLE) == -1) {
		say("%s\n", errno_name(errno));
		return;
	}
	show("connected", &h, O_RDONLY);
	R(h.type & 0x30000);
	R(get(".", &h, CONNECTABLE));
	R(h.type & 0x30000);
	R(name_to_handle_at(MUST(open("c", O_RDONLY)), "", (void *)&h, mount_id, AT_EMPTY_PATH | CONNECTABLE));
}

static void on_tmpfs(void)
{
	struct handle f, g;
	int fd;

	if (leave_mounts() == -1) {
		puts("may not unshare");
		return;
	}
	MUST(mkdir("on", 0755));
	MUST(mount("none", "on", "tmpfs", 0, NULL));
	make("on/f", "on tmpfs");
	R(get("on/f", &f, 0));
	show("from outside", &f, O_RDONLY);
	fd = MUST(open("on", O_RDONLY));
	R(find(fd, &f, O_RDONLY) > 0);
	chdir("on");
	names(0);
	make("stays", "stays");
	R(get("stays", &f, 0));
	chdir("..");
	R(umount2("on", MNT_DETACH));
	R(find(fd, &f, O_RDONLY) > 0);
	R(get("on", &g, 0));
	R(umount2("on", 0));
}

static void as_user(void)
{
	struct handle h;

	make("u", "user");
	MUST(setresgid(1000, 1000, 1000));
	MUST(setresuid(1000, 1000, 1000));
	R(get("u", &h, 0));
	R(find(AT_FDCWD, &h, O_RDONLY));
	R(find(AT_FDCWD, NULL, O_RDONLY));
	R(find(-1, &h, O_RDONLY));
	h.bytes = 0;
	R(find(AT_FDCWD, &h, O_RDONLY));
}

int main(void)
{
	names(1);
	wrong();
	in_child("connected", connected);
	in_child("on_tmpfs", on_tmpfs);
	in_child("as_user", as_user);
	return 0;
}
