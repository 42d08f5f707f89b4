/* A child at the other ends of two pipes, which are used often and in small pieces: what tests of pipes between two share. */
#ifndef PIPES_BETWEEN_H
#define PIPES_BETWEEN_H

#include "../check.h"
#include "../random.h"

#define OFTEN 60
#define LONG_ENOUGH 150000

static char buffer[100000];
static int to_child, from_child;
static pid_t child;

/*
 * A child that says back what it hears, `most` bytes at once, until it hears no more. `in_between` is what it does besides; 1: it says
 * nothing.
 */
static void start_with(int (*in_between)(int round), size_t most)
{
	int to[2], from[2];

	MUST(pipe(to));
	MUST(pipe(from));
	child = fork();
	if (child == 0) {
		long n;

		close(to[1]);
		close(from[0]);
		for (int round = 0; (n = read(to[0], buffer, most)) > 0; round++) {
			if (in_between && in_between(round))
				continue;
			for (long done = 0, more; done < n; done += more)
				if ((more = write(from[1], buffer + done, (size_t)(n - done))) < 0)
					_exit(2);
		}
		_exit(n == 0 ? 7 : 3);
	}
	close(to[0]);
	close(from[1]);
	to_child = to[1];
	from_child = from[0];
}

static inline void start(void)
{
	start_with(NULL, 4096);
}

/* How many bytes came back wrong, or not at all. */
static int exchange(const char *bytes, long n)
{
	static char back[4096];
	long done = 0, more;

	if (write(to_child, bytes, (size_t)n) != n)
		return -1;
	while (done < n) {
		if ((more = read(from_child, back + done, (size_t)(sizeof back - (size_t)done))) <= 0)
			return -2;
		done += more;
	}
	return memcmp(back, bytes, (size_t)n) != 0;
}

static int turns(int count)
{
	int wrong = 0;

	for (int i = 0; i < count; i++) {
		char bytes[8] = { (char)i, (char)(i >> 8), 1, 2, 3, 4, 5, 6 };

		wrong += exchange(bytes, 1 + i % 8) != 0;
	}
	return wrong;
}

static int end(void)
{
	int status;

	close(to_child);
	close(from_child);
	MUST(waitpid(child, &status, 0));
	return status;
}

#endif
