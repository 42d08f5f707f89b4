/* Sums up areas of a tebibyte (/proc/self/smaps_rollup) while nobody else is answered: whether that is soon over. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

int main(void)
{
	char text[4096];
	double began;
	int i, fd;

	for (i = 0; i < 1024; i++)
		mmap(NULL, 1UL << 30, i & 1 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	began = now();
	fd = open("/proc/self/smaps_rollup", O_RDONLY);
	printf("read %d, ", read(fd, text, sizeof(text)) > 500);
	printf("in time %d\n", now() - began < 0.5);
	return 0;
}
