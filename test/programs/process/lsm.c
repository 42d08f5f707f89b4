/* lsm_list_modules(2) and the attributes: what is checked in which order, whatever modules there are. */
#include "../check.h"

#define LIST 461
#define GET 459
#define SET 460

struct context {
	uint64_t id, flags, len, content, rest[4];
};

static void list(void)
{
	uint64_t ids[64];
	uint32_t size = sizeof ids;
	int found = 0;
	long count = syscall(LIST, ids, &size, 0);

	for (long i = 0; i < count; i++)
		found += ids[i] == 100;
	say("%d of capabilities, size fits %d\n", found, size == 8 * count);
	uint32_t whole = size;
	R(syscall(LIST, ids, &size, 1));
	R(size == whole);
	size = whole - 1;
	R(syscall(LIST, ids, &size, 0));
	R(size == whole);
	size = 0;
	R(syscall(LIST, NULL, &size, 0));
	R(size == whole);
	R(syscall(LIST, NULL, &size, 0));
	R(syscall(LIST, ids, NULL, 0));
}

static void get(void)
{
	struct context c = {.id = 100};
	uint32_t size = sizeof c;

	R(syscall(GET, 0, &c, &size, 0));
	R(syscall(GET, 105, &c, NULL, 0));
	R(syscall(GET, 105, &c, 8, 0));
	R(syscall(GET, 105, &c, &size, 2));
	R(syscall(GET, 105, NULL, &size, 1));
	R(syscall(GET, 105, 8, &size, 1));
	R(syscall(GET, 105, &c, &size, 1));
	R(size);
	c.id = 0;
	size = sizeof c;
	R(syscall(GET, 105, &c, &size, 1));
	R(size);
	R(syscall(GET, 77, &c, &size, 0));
	R(size);
}

static void set(void)
{
	struct context c = {.id = 100, .len = 40, .content = 8};

	R(syscall(SET, 100, &c, 40, 0));
	R(syscall(SET, 77, &c, 64, 0));
	R(syscall(SET, 100, &c, 40, 1));
	R(syscall(SET, 100, &c, 31, 0));
	R(syscall(SET, 100, &c, 4097, 0));
	R(syscall(SET, 100, NULL, 40, 0));
	c.content = 9;
	R(syscall(SET, 100, &c, 40, 0));
	R(syscall(SET, 100, &c, 41, 0));
	c.len = 42;
	R(syscall(SET, 100, &c, 41, 0));
	c.content = -8;
	R(syscall(SET, 100, &c, 64, 0));
}

int main(void)
{
	if (syscall(LIST, NULL, NULL, 0) == -1 && errno == ENOSYS) {
		puts("the host has no lsm_list_modules");
		return 77;
	}
	list();
	get();
	set();
	return 0;
}
