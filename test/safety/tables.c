/*
 * Reads one byte of each 2 MiB of a large area: that takes no page of memory, but tables, a page for each. Says how many MiB of these
 * there are, after each 64.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define STEP (2UL << 20)
#define TABLE 4096

int main(int count, char **words)
{
	int prot = strcmp(words[1], "read") == 0 ? PROT_READ : PROT_READ | PROT_WRITE;
	unsigned long tables = (strtoul(words[2], NULL, 0) << 20) / TABLE, i;
	volatile char *area = mmap(0, tables * STEP, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	setbuf(stdout, NULL);
	if (area == MAP_FAILED)
		return 1;
	madvise((void *)area, tables * STEP, MADV_NOHUGEPAGE);
	for (i = 0; i < tables; i++) {
		area[i * STEP];
		if ((i + 1) * TABLE % (64 << 20) == 0)
			printf("%lu MiB\n", (i + 1) * TABLE >> 20);
	}
	return 0;
}
