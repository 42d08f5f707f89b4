/*
 * listmount(2), statmount(2): mounts by their numbers.
 * test: needs root
 */
#include "own-mounts.h"
#include <sys/sysmacros.h>

#define STATMOUNT 457
#define LISTMOUNT 458
#define ROOT (~0ul)
#define MOST 20

struct request {
	uint32_t size, fd;
	uint64_t id, param, ns, more;
};

struct about {
	uint32_t size, options;
	uint64_t mask;
	uint32_t major, minor;
	uint64_t magic;
	uint32_t sb_flags, type;
	uint64_t id, parent;
	uint32_t old_id, old_parent;
	uint64_t attributes, propagation, peers, master, from;
	uint32_t root, point;
	uint64_t ns;
	uint32_t subtype, source, option_count, option_array, security_count, security_array;
	uint64_t supported, maps[2], spare[43];
	char text[3000];
};

static struct about about;
static uint64_t in_root, top, sub, bound;

static uint64_t number(const char *path, unsigned mask)
{
	struct statx st;

	MUST(statx(AT_FDCWD, path, 0, mask, &st));
	return st.stx_mask & mask ? st.stx_mnt_id : 0;
}

static long ask(uint64_t id, uint64_t mask, size_t size)
{
	struct request r = {24, 0, id, mask};

	memset(&about, 0xee, sizeof about);
	return syscall(STATMOUNT, &r, &about, size, 0);
}

static long list(uint64_t id, uint64_t after, uint64_t *ids, long count, int flags)
{
	struct request r = {24, 0, id, after};

	return syscall(LISTMOUNT, &r, ids, count, flags);
}

static void names(const char *what, const uint64_t *ids, long count)
{
	say("%s: %ld", what, count);
	for (long i = 0; i < count; i++)
		say(" %s", ids[i] == top ? "top" : ids[i] == sub ? "sub" : ids[i] == bound ? "bound" : "?");
	say("\n");
}

static void listing(void)
{
	uint64_t ids[MOST], many[500];
	long count;

	names("below top", ids, list(top, 0, ids, MOST, 0));
	names("reverse", ids, list(top, 0, ids, MOST, 1));
	names("one", ids, list(top, 0, ids, 1, 0));
	names("after it", ids, list(top, sub, ids, MOST, 0));
	names("before it", ids, list(top, bound, ids, MOST, 1));
	names("after the last", ids, list(top, bound, ids, MOST, 0));
	names("below sub", ids, list(sub, 0, ids, MOST, 0));
	names("no room", ids, list(top, 0, ids, 0, 0));
	count = list(ROOT, 0, many, 500, 0);
	R(count > 3 && many[count - 1] == bound && many[count - 3] == top);
	int sorted = 1, root = 0;
	for (long i = 0; i < count; i++) {
		sorted &= i == 0 || many[i - 1] < many[i];
		root |= many[i] == in_root;
	}
	R(sorted && root);
	R(list(in_root, 0, many, 500, 0) == count - 1);
	R(list(top, 0, ids, MOST, 2));
	R(list(top, 0, NULL, MOST, 0));
	R(list(sub, 0, NULL, MOST, 0));
	R(list(top, 0, ids, 2000000, 0));
	R(list(top, 5, ids, MOST, 0));
	R(list(0, 0, ids, MOST, 0));
	R(list(number("top", STATX_MNT_ID), 0, ids, MOST, 0));
	R(list(ROOT - 1, 0, ids, MOST, 0));
	R(list(bound + 1000, 0, ids, MOST, 0));
}

static void requests(void)
{
	struct request r = {40, 0, top, 1};
	struct about a;
	uint64_t ids[MOST];

	R(syscall(STATMOUNT, NULL, &a, sizeof a, 0));
	R(syscall(STATMOUNT, &r, &a, sizeof a, 0));
	r.more = 1;
	R(syscall(STATMOUNT, &r, &a, sizeof a, 0));
	R(syscall(STATMOUNT, &r, &a, sizeof a, 1));
	r.size = 23;
	R(syscall(STATMOUNT, &r, &a, sizeof a, 0));
	r.size = 5000;
	R(syscall(STATMOUNT, &r, &a, sizeof a, 0));
	r.size = 32;
	r.ns = 1ul << 60;
	R(syscall(STATMOUNT, &r, &a, sizeof a, 0));
	R(syscall(LISTMOUNT, &r, ids, MOST, 0));
	ask(top, 0x40, sizeof about);
	r.ns = about.ns;
	R(syscall(STATMOUNT, &r, &a, sizeof a, 0));
	r.param = 0;
	R(syscall(LISTMOUNT, &r, ids, MOST, 0));
	r.fd = 5000;
	R(syscall(LISTMOUNT, &r, ids, MOST, 0));
	r.ns = 0;
	R(syscall(LISTMOUNT, &r, ids, MOST, 0));
	r.fd = MUST(open("/proc/self/ns/mnt", O_RDONLY));
	R(syscall(LISTMOUNT, &r, ids, MOST, 0));
	R(syscall(STATMOUNT, &r, &a, sizeof a, 0));
	R(ask(ROOT - 1, 0, sizeof a));
	R(ask(ROOT, 0, sizeof a));
	R(ask(5, 0, sizeof a));
}

static void basics(const char *path, uint64_t id)
{
	struct stat st;

	MUST(stat(path, &st));
	R(ask(id, 3, sizeof about));
	say("%s: size %u mask %lx device %d magic %lx flags %x id %d %d parent %d %d attributes %lx propagation %lx %lu %lu\n",
	    path, about.size, (long)about.mask, makedev(about.major, about.minor) == st.st_dev, (long)about.magic,
	    about.sb_flags, about.id == id, about.old_id == number(path, STATX_MNT_ID),
	    about.parent == (id == top ? in_root : top), about.old_parent == number(id == top ? "." : "top", STATX_MNT_ID),
	    (long)about.attributes, (long)about.propagation, (long)about.peers, (long)about.master);
}

static void text(const char *what, uint32_t at)
{
	say("  %s at %u: '%s'\n", what, at, strrchr(about.text + at, '/') ? strrchr(about.text + at, '/') : about.text + at);
}

static void texts(uint64_t id)
{
	R(ask(id, 0x38, sizeof about));
	say("mask %lx size less texts %ld\n", (long)about.mask,
	    (long)about.size - 512 - (strlen(about.text + about.type) + strlen(about.text + about.root) + strlen(about.text + about.point)));
	say("  type '%s' root '%s' first byte %d\n", about.text + about.type, about.text + about.root, about.text[0]);
	text("point", about.point);
	R(ask(id, 0x280, sizeof about));
	say("mask %lx options '%s' source '%s'\n", (long)about.mask, about.text + about.options, about.text + about.source);
	R(ask(id, 0x400, sizeof about));
	say("mask %lx count %u:", (long)about.mask, about.option_count);
	for (char *at = about.text + about.option_array, i = 0; i < about.option_count; i++, at += strlen(at) + 1)
		say(" %s", at);
	say("\n");
	R(ask(id, 0x944, sizeof about));
	say("mask %lx from %ld\n", (long)about.mask, (long)about.from);
}

static void rooms(void)
{
	uint32_t size;

	R(ask(top, 0x20, sizeof about));
	size = about.size;
	R(ask(top, 0x20, size));
	R(ask(top, 0x20, size - 1));
	R(ask(top, 0x20, 512));
	R(ask(top, 3, 512));
	/* All that there is, and more: texts do not fit. */
	R(ask(top, ~0ul, 512));
	R(ask(top, 0xffffffff00000020, 512));
	R(ask(top, 0xffffffff00000001, 512));
	R(ask(top, 3, 20));
	say("size %u mask %lx major %d next %x\n", about.size, (long)about.mask, about.major == 0, about.minor);
	R(ask(top, 3, 0));
	R(ask(top, 0, sizeof about));
	say("size %u mask %lx\n", about.size, (long)about.mask);
	struct request r = {24, 0, top, 3};
	R(syscall(STATMOUNT, &r, 8, 512, 0));
}

static void elsewhere(void)
{
	uint64_t ids[MOST];
	uint64_t outside = in_root;

	MUST(chroot("top/sub"));
	MUST(chdir("/"));
	R(ask(outside, 1, sizeof about));
	R(list(outside, 0, ids, MOST, 0) > 0);
	R(ask(sub, 0x10, sizeof about));
	text("point", about.point);
	R(ask(top, 0x12, sizeof about));
	names("root", ids, list(ROOT, 0, ids, MOST, 0));
	MUST(setresgid(1000, 1000, 1000));
	MUST(setresuid(1000, 1000, 1000));
	R(ask(outside, 1, sizeof about));
	R(list(outside, 0, ids, MOST, 0));
	R(ask(sub, 1, sizeof about));
	R(list(sub, 0, ids, MOST, 0));
	names("root", ids, list(ROOT, 0, ids, MOST, 0));
}

int main(void)
{
	own_mounts();
	in_root = number(".", 0x4000);
	if (in_root == 0 || ask(in_root, 0, sizeof about) == -1) {
		puts("the host has no statmount");
		return 77;
	}
	MUST(mkdir("top", 0755));
	MUST(mount("from", "top", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOATIME, "mode=700,uid=5"));
	MUST(mkdir("top/sub", 0755));
	MUST(mkdir("top/bound", 0755));
	MUST(mkdir("top/bound/inner", 0755));
	MUST(mount("none", "top/sub", "tmpfs", MS_RDONLY | MS_NOEXEC, NULL));
	MUST(mount("top/bound/inner", "top/bound", NULL, MS_BIND, NULL));
	MUST(mount(NULL, "top/bound", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_STRICTATIME, NULL));
	top = number("top", 0x4000);
	sub = number("top/sub", 0x4000);
	bound = number("top/bound", 0x4000);
	listing();
	requests();
	basics("top", top);
	basics("top/sub", sub);
	basics("top/bound", bound);
	texts(top);
	texts(sub);
	texts(bound);
	rooms();
	in_child("elsewhere", elsewhere);
	return 0;
}
