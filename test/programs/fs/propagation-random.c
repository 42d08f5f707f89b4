/*
 * Mounts, shared and not, bound and moved at random: after each step the same mounts are at the same places.
 * test: needs root
 */
#include "propagation.h"
#include "../random.h"
#include <sys/syscall.h>

#define STEPS 250
#define MANY 60

/* Names of up to three letters, one directory each. */
static const char *place(void)
{
	static char names[2][8];
	static int last;
	char *name = names[last ^= 1], *at = name;

	for (int i = rnd(3); i >= 0; i--) {
		*at++ = "abc"[rnd(3)];
		*at++ = i ? '/' : 0;
	}
	return name;
}

static void fill(const char *where)
{
	char path[100];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%c", where, "abc"[i]);
		mkdir(path, 0755);
		for (int j = 0; j < 3; j++) {
			snprintf(path, sizeof path, "%s/%c/%c", where, "abc"[i], "abc"[j]);
			mkdir(path, 0755);
		}
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Counts what is mounted, and sums it up: places, roots, and what they share, but not with whom. */
static int count(unsigned *sum)
{
	static char texts[2000][100];
	char *sorted[2000], line[4096], root[500], path[1500];
	FILE *file = fopen("/proc/self/mountinfo", "r");
	int n = 0, length = strlen(base);

	while (n < 2000 && fgets(line, sizeof line, file)) {
		if (sscanf(line, "%*d %*d %*s %499s %1499s", root, path) != 2 || strncmp(path, base, length) != 0)
			continue;
		snprintf(texts[n], sizeof *texts, "%s %s%s%s%s", path + length, strlen(root) < 20 ? root : "?",
			 strstr(line, " shared:") ? " shared" : "", strstr(line, " master:") ? " slave" : "",
			 strstr(line, " unbindable") ? " unbindable" : "");
		sorted[n] = texts[n];
		n++;
	}
	fclose(file);
	qsort(sorted, n, sizeof *sorted, compare);
	*sum = 2166136261u;
	for (int i = 0; i < n; i++) {
		for (char *at = sorted[i]; *at; at++)
			*sum = (*sum ^ (unsigned char)*at) * 16777619u;
		*sum = (*sum ^ '\n') * 16777619u;
		if (getenv("SHOW"))
			say("  %s\n", sorted[i]);
	}
	return n;
}

static void begin(void)
{
	enter();
	fill(".");
}

static long from_tree(const char *from, const char *to, int recursive, int beneath)
{
	int fd = syscall(428, AT_FDCWD, from, 1 | recursive), error;
	long result;

	if (fd == -1)
		return -1;
	result = syscall(429, fd, "", AT_FDCWD, to, 4 | beneath);
	error = errno;
	close(fd);
	errno = error;
	return result;
}

static void step(int number)
{
	const char *a = place(), *b = place(), *what = "";
	int rec = rnd(2) ? MS_REC : 0;
	long result = 0;
	unsigned sum;

	switch (rnd(13)) {
	case 0:
	case 1:
		what = "new";
		if ((result = mount("none", a, "tmpfs", 0, NULL)) == 0)
			fill(a);
		break;
	case 2:
	case 3:
		what = "bind";
		result = mount(a, b, NULL, MS_BIND | rec, NULL);
		break;
	case 4:
		what = "tree";
		result = from_tree(a, b, rnd(2) ? 0x8000 : 0, rnd(3) ? 0 : 0x200);
		break;
	case 5:
		what = "move";
		result = mount(a, b, NULL, MS_MOVE, NULL);
		break;
	case 6:
	case 7:
		what = "umount";
		result = umount2(a, rnd(4) ? 0 : MNT_DETACH);
		break;
	case 8:
	case 9:
		what = "shared";
		result = mount(NULL, a, NULL, MS_SHARED | rec, NULL);
		break;
	case 10:
		what = "slave";
		result = mount(NULL, a, NULL, MS_SLAVE | rec, NULL);
		break;
	case 11:
		what = "private";
		result = mount(NULL, a, NULL, MS_PRIVATE | rec, NULL);
		break;
	case 12:
		what = "unbindable";
		result = mount(NULL, a, NULL, MS_UNBINDABLE | rec, NULL);
		break;
	}
	say("%d %s %s %s: %s", number, what, a, b, result == -1 ? errno_name(errno) : "ok");
	int mounts = count(&sum);
	say(", %d mounts, %08x\n", mounts, sum);
	if (mounts > MANY) {
		leave();
		begin();
	}
}

int main(void)
{
	find_place();
	for (seed = 1; seed < 4; seed = seed % 1000 + 1) {
		unsigned first = seed;

		say("--- %u\n", first);
		begin();
		for (int i = 0; i < STEPS; i++)
			step(i);
		leave();
		seed = first;
	}
	return 0;
}
