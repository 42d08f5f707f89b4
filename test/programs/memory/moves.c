/* mremap(2) beyond one area: several at once, MREMAP_DONTUNMAP, a second mapping of shared pages, locked areas. */
#include "../check.h"
#include <setjmp.h>
#include <sys/resource.h>

#define PAGE 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf back;

static void fault(int signal)
{
	siglongjmp(back, signal);
}

/* What a byte holds, or the signal that a look at it gives. */
static const char *look(volatile char *p)
{
	static char text[4][16];
	static int turn;
	char *to = text[turn++ % 4];
	int signal = sigsetjmp(back, 1);

	if (signal)
		return signal == SIGBUS ? "BUS" : "SEGV";
	sprintf(to, "%d", *p);
	return to;
}

static const char *looks(char *p, int pages)
{
	static char line[2][256];
	static int turn;
	char *to = line[turn++ % 2];

	*to = 0;
	for (int i = 0; i < pages; i++) {
		strcat(to, " ");
		strcat(to, look(p + i * PAGE));
	}
	return to;
}

/* Free room with more of it on both sides. */
static char *reserve(int pages)
{
	char *p = mmap(NULL, (pages + 16) * PAGE, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

	munmap(p, (pages + 16) * PAGE);
	return p + 8 * PAGE;
}

/* Pages with numbers, in areas as the letters say: w writable, r readable, s shared, n nothing, x no access. */
static char *areas(const char *kinds)
{
	int count = strlen(kinds);
	char *p = reserve(count);

	for (int i = 0; i < count; i++) {
		char *at = p + i * PAGE;

		if (kinds[i] == 'n')
			continue;
		mmap(at, PAGE, RW, (kinds[i] == 's' ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		*at = i + 1;
		if (kinds[i] == 'r' || kinds[i] == 'x')
			mprotect(at, PAGE, kinds[i] == 'r' ? PROT_READ : PROT_NONE);
	}
	return p;
}

static const char *name(void *result, void *expected)
{
	return result == MAP_FAILED ? errno_name(errno) : result == expected ? "there" : "elsewhere";
}

static void several(const char *kinds, int first, int count, int new_count, int flags)
{
	int all = strlen(kinds);
	char *p = areas(kinds), *to = reserve(all + 4);
	char *target = flags & MREMAP_FIXED ? to : NULL;

	mmap(to, (all + 4) * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	memset(to, 77, (all + 4) * PAGE);
	void *r = mremap(p + first * PAGE, count * PAGE, new_count * PAGE, flags, target);
	say("%s %d+%d -> %d flags %d: %s; old%s;", kinds, first, count, new_count, flags,
	    r == p + first * PAGE ? "stays" : name(r, target), looks(p, all));
	if (r != MAP_FAILED && r != p + first * PAGE)
		say(" new%s", looks(r, new_count));
	if (target)
		say(" at target%s", looks(to, all + 4));
	say("\n");
	munmap(p, all * PAGE);
	munmap(to, (all + 4) * PAGE);
	if (r != MAP_FAILED && r != p + first * PAGE && r != target)
		munmap(r, new_count * PAGE);
}

static void dontunmap_file(void)
{
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	char page[PAGE];

	memset(page, 'f', PAGE);
	MUST(write(fd, page, PAGE));
	MUST(write(fd, page, PAGE));
	for (int shared = 0; shared < 2; shared++) {
		char *p = mmap(NULL, 2 * PAGE, RW, shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);

		p[0] = 'm';
		char *q = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
		say("file %s: %s old%s new%s\n", shared ? "shared" : "private", q == MAP_FAILED ? errno_name(errno) : "ok",
		    looks(p, 2), q == MAP_FAILED ? "" : looks(q, 2));
	}
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	char *q = mremap(p, 0, PAGE, MREMAP_MAYMOVE);
	say("again: %s old%s", name(q, p), looks(p, 2));
	if (q != MAP_FAILED) {
		q[5] = 'q';
		say(" %c", p[5]);
	}
	q = mremap(p + PAGE, 0, 2 * PAGE, MREMAP_MAYMOVE);
	say("\nagain, longer: %s old%s new%s\n", name(q, p), looks(p, 2), q == MAP_FAILED ? "" : looks(q, 2));
	q = mremap(p, 0, 2 * PAGE, 0);
	say("again, not moving: %s\n", name(q, p));
	char *to = reserve(2);
	q = mremap(p, 0, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	say("again, there: %s old%s new%s\n", name(q, to), looks(p, 2), looks(to, 2));
}

int main(void)
{
	signal(SIGSEGV, fault);
	signal(SIGBUS, fault);
	const int move = MREMAP_MAYMOVE, fixed = MREMAP_MAYMOVE | MREMAP_FIXED, keep = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;

	const char *kinds[] = { "wwww", "wrwr", "wwnw", "nwrw", "wsws", "wwxw", "wnnr", "ssss" };
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		several(kinds[i], 0, 4, 4, fixed);
		several(kinds[i], 0, 4, 4, move);
		several(kinds[i], 0, 4, 4, 0);
		several(kinds[i], 0, 4, 2, fixed);
		several(kinds[i], 0, 4, 2, move);
		several(kinds[i], 0, 4, 2, 0);
		several(kinds[i], 0, 4, 6, fixed);
		several(kinds[i], 0, 4, 6, move);
		several(kinds[i], 0, 2, 6, fixed);
		several(kinds[i], 1, 2, 2, fixed);
		several(kinds[i], 1, 3, 6, move);
		several(kinds[i], 0, 4, 4, keep);
		several(kinds[i], 0, 4, 4, keep | MREMAP_FIXED);
		several(kinds[i], 1, 1, 1, keep);
		several(kinds[i], 1, 1, 1, keep | MREMAP_FIXED);
		several(kinds[i], 1, 1, 2, keep);
		several(kinds[i], 1, 2, 1, keep);
		several(kinds[i], 1, 1, 1, MREMAP_DONTUNMAP);
		several(kinds[i], 1, 0, 1, move);
		several(kinds[i], 1, 0, 1, fixed);
		several(kinds[i], 1, 0, 1, 0);
		several(kinds[i], 3, 3, 3, fixed);
		several(kinds[i], 3, 3, 3, move);
		several(kinds[i], 3, 3, 2, move);
	}
	dontunmap_file();

	/* Pieces that the host may not be able to join: grown apart, then together. */
	char *p = reserve(64);
	mmap(p, 16 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	memset(p, 1, 16 * PAGE);
	mmap(p + 32 * PAGE, 16 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	memset(p + 32 * PAGE, 3, 16 * PAGE);
	mmap(p + 16 * PAGE, 16 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	memset(p + 16 * PAGE, 2, 16 * PAGE);
	char *to = reserve(64);
	say("pieces: %s", name(mremap(p, 48 * PAGE, 48 * PAGE, fixed, to), to));
	for (int i = 0; i < 48; i += 8)
		say(" %s", look(to + i * PAGE));
	say(" %s\n", look(p));
	return 0;
}
