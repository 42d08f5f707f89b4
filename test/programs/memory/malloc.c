/* test: flags -pthread */
/* Heaps of several threads, large and small, given back and taken again. */
#include "../check.h"
#include <malloc.h>
#include <pthread.h>

static unsigned next(unsigned *seed)
{
	return *seed = *seed * 1103515245 + 12345;
}

static void *work(void *argument)
{
	unsigned seed = (long)argument;
	unsigned char *blocks[64] = {0};
	size_t sizes[64] = {0};
	long wrong = 0;

	for (int i = 0; i < 20000; i++) {
		int at = (next(&seed) >> 16) % 64;
		if (blocks[at]) {
			wrong += blocks[at][0] != (unsigned char)at || blocks[at][sizes[at] - 1] != (unsigned char)at;
			free(blocks[at]);
		}
		sizes[at] = (next(&seed) >> 16) % 100 == 0 ? 300000 : (next(&seed) >> 16) % 3000 + 1;
		blocks[at] = malloc(sizes[at]);
		blocks[at][0] = blocks[at][sizes[at] - 1] = at;
	}
	for (int i = 0; i < 64; i++)
		free(blocks[i]);
	return (void *)wrong;
}

int main(void)
{
	pthread_t threads[4];
	void *wrong;

	for (long i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, work, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		R((long)wrong);
	}
	char *big = malloc(200 << 20);
	for (size_t i = 0; i < 200 << 20; i += 1 << 20)
		big[i] = 1;
	big = realloc(big, 100 << 20);
	big = realloc(big, 300 << 20);
	R(big[99 << 20]);
	free(big);
	R(malloc_trim(0) >= 0);
	R(malloc(1ul << 50) == NULL);
	return 0;
}
