/* Numbers at random, the same on the host and in a machine: from `seed`, to which a program gives its own value. */
#ifndef RANDOM_H
#define RANDOM_H

static unsigned seed;

/* One below n. */
static inline unsigned rnd(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return seed / 65536 % n;
}

#endif
