/* PROCMAP_QUERY (linux/fs.h): what one asks of /proc/PID/maps about an address. */
#include "../check.h"
#include <elf.h>
#include <link.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>

struct query {
	uint64_t size, flags, address, start, end, vma_flags, page_size, offset, inode;
	uint32_t major, minor, name_size, id_size;
	uint64_t name, id;
};

#define QUERY(type) _IOWR('f', 17, type)
#define PAGE 4096ul
#define BASE 0x100000000000ul
#define AT(page) (BASE + (page)*PAGE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

static int maps;
static char name[5000];
static unsigned char id[64];

static long ask(struct query *q, uint64_t address, uint64_t flags)
{
	q->size = sizeof *q;
	q->address = address;
	q->flags = flags;
	return ioctl(maps, QUERY(struct query), q);
}

static void show(const char *what, uint64_t address, uint64_t flags)
{
	struct query q = {.name = (uint64_t)name, .name_size = sizeof name};
	struct stat st;

	strcpy(name, "untouched");
	if (ask(&q, address, flags) == -1) {
		say("%s, %lx: %s\n", what, (long)flags, errno_name(errno));
		return;
	}
	int same = q.inode != 0 && stat("f", &st) == 0 && st.st_ino == q.inode && major(st.st_dev) == q.major &&
		   minor(st.st_dev) == q.minor;
	char *base = strrchr(name, '/');
	say("%s, %lx: %lx to %lx flags %lx page %lu offset %lx file %d inode %d name %s size %d\n", what, (long)flags,
	    (q.start - BASE) / PAGE, (q.end - BASE) / PAGE, (long)q.vma_flags, (long)q.page_size, (long)q.offset, same,
	    q.inode != 0, base ? base : name, base ? (int)(q.name_size - strlen(name)) : (int)q.name_size);
}

static void areas(void)
{
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));

	MUST(ftruncate(fd, 8 * PAGE));
	MUST(mmap((void *)AT(0), 2 * PAGE, PROT_READ | PROT_WRITE, ANON, -1, 0));
	MUST(mmap((void *)AT(4), PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 3 * PAGE));
	MUST(mmap((void *)AT(5), 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, PAGE));
	MUST(mmap((void *)AT(8), PAGE, PROT_NONE, ANON, -1, 0));
	MUST(mmap((void *)AT(10), PAGE, PROT_READ | PROT_EXEC, ANON, -1, 0));
	for (int page = 0; page < 12; page += 3)
		show("covering", AT(page) + 5, 0);
	for (int page = 0; page < 11; page++) {
		show("next", AT(page), 0x10);
		if (page <= 6)
			show("of a file", AT(page), 0x30);
	}
	for (int flags = 0; flags < 16; flags++)
		show("with rights", AT(0), 0x10 | flags);
	show("exact rights", AT(0), 4);
	show("a file", AT(0), 0x20);
	show("stranger", AT(0), 0x40);
	show("stranger", AT(0), 1ul << 32);
	show("far", -1ul, 0x10);
	show("high", 1ul << 62, 0);
	MUST(unlink("f"));
	show("deleted", AT(4), 0);
	MUST(mmap((void *)AT(20), PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	struct query q = {.name = (uint64_t)name, .name_size = sizeof name};

	R(ask(&q, AT(20), 0));
	say("shared: flags %lx name %s\n", (long)q.vma_flags, name);
}

static void names(void)
{
	struct query q = {.name = (uint64_t)name, .name_size = 9};
	uint64_t here = (uint64_t)&q;

	R(ask(&q, here, 0));
	R(q.name_size);
	say("%s\n", name);
	MUST(malloc(100) != NULL);
	R(ask(&q, (uint64_t)sbrk(0) - 1, 0));
	say("%s\n", name);
	q.name_size = 8;
	R(ask(&q, here, 0));
	q.name_size = 7;
	R(ask(&q, here, 0));
	q.name_size = 100000;
	R(ask(&q, here, 0));
	R(q.name_size);
	q.name = 0;
	R(ask(&q, here, 0));
	q.name_size = 0;
	R(ask(&q, here, 0));
	q.name = 8;
	R(ask(&q, here, 0));
	q.name_size = 100;
	R(ask(&q, here, 0));
	q.name = (uint64_t)name;
	R(ask(&q, AT(0), 0));
	R(q.name_size);
}

static int find_note(struct dl_phdr_info *info, size_t size, void *data)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const char *at = (const char *)info->dlpi_addr + p->p_vaddr;
		const char *end = at + p->p_filesz;

		while (p->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) < end) {
			const ElfW(Nhdr) *n = (const void *)at;

			if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4) {
				memcpy(data, (const char *)(n + 1) + 4, n->n_descsz);
				return n->n_descsz;
			}
			at += sizeof *n + ((n->n_namesz + 3) & -4) + ((n->n_descsz + 3) & -4);
		}
	}
	return 0;
}

static void build_ids(void)
{
	unsigned char mine[64] = "";
	int length = dl_iterate_phdr(find_note, mine);
	struct query q = {.id = (uint64_t)id, .id_size = sizeof id};

	R(ask(&q, (uint64_t)find_note, 0));
	R((int)q.id_size == length);
	R(memcmp(id, mine, length));
	q.id_size = length - 1;
	R(ask(&q, (uint64_t)find_note, 0));
	q.id_size = length;
	R(ask(&q, (uint64_t)find_note, 0));
	R(ask(&q, (uint64_t)&q, 0));
	R(q.id_size);
	R(ask(&q, (uint64_t)&q, 0));
	q.id_size = 20;
	R(ask(&q, AT(5), 0));
	R(q.id_size);
	q.id = 0;
	q.id_size = 20;
	R(ask(&q, (uint64_t)find_note, 0));
	q.id = 8;
	R(ask(&q, (uint64_t)find_note, 0));
}

/* A program's file with one note, which its header says is at `offset` and has `size` bytes. */
static void id_at(uint64_t offset, uint64_t size)
{
	struct {
		ElfW(Ehdr) head;
		ElfW(Phdr) segment;
		ElfW(Nhdr) note;
		char name[4], id[8];
	} file = {
		.head = {.e_ident = ELFMAG "\2\1\1", .e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = 1, .e_phoff = sizeof file.head,
			 .e_ehsize = sizeof file.head, .e_phentsize = sizeof file.segment, .e_phnum = 1},
		.segment = {.p_type = PT_NOTE, .p_offset = offset + sizeof file.head + sizeof file.segment, .p_filesz = size},
		.note = {4, 8, NT_GNU_BUILD_ID}, .name = "GNU", .id = "an id",
	};
	struct query q = {.id = (uint64_t)id, .id_size = sizeof id};
	char name[] = "/tmp/map-query-XXXXXX";
	int fd = MUST(mkstemp(name));
	char *at;

	unlink(name);
	MUST(write(fd, &file, sizeof file));
	MUST(ftruncate(fd, 4096));
	at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	R(ask(&q, (uint64_t)at, 0));
	say("%u %s\n", q.id_size, q.id_size == 8 ? (char *)id : "");
	munmap(at, 4096);
	close(fd);
}

static void places_of_ids(void)
{
	id_at(0, 24);
	id_at(1ull << 32, 24);
	id_at(0, 1ull << 32 | 24);
	id_at(0, 1ull << 32);
	id_at(0, 1 << 20);
	id_at(1ull << 63, 24);
	id_at(0, 1ull << 63 | 24);
}

static void sizes(void)
{
	struct {
		struct query q;
		uint64_t more[2];
	} big = {.q = {.size = sizeof big, .address = (uint64_t)&big}};
	char page[5000] = "";

	R(ioctl(maps, QUERY(struct query), &big));
	big.more[1] = 1;
	R(ioctl(maps, QUERY(struct query), &big));
	big.q.size = 23;
	R(ioctl(maps, QUERY(struct query), &big));
	big.q.size = 24;
	big.q.start = big.q.end = 77;
	R(ioctl(maps, QUERY(struct query), &big));
	R(big.q.start);
	big.q.size = 32;
	R(ioctl(maps, QUERY(struct query), &big));
	R(big.q.start <= (uint64_t)&big);
	R(big.q.end);
	*(uint64_t *)page = 4096;
	*(uint64_t *)(page + 16) = (uint64_t)page;
	R(ioctl(maps, QUERY(struct query), page));
	*(uint64_t *)page = 4097;
	R(ioctl(maps, QUERY(struct query), page));
	R(ioctl(maps, QUERY(struct query), NULL));
	R(ioctl(maps, QUERY(struct query), 8));
	R(ioctl(maps, QUERY(int), &big));
	R(ioctl(maps, _IOWR('f', 18, struct query), &big));
}

static void others(void)
{
	struct query q = {0};
	int held[2];
	char byte, path[64];
	uint64_t here = (uint64_t)name;

	MUST(pipe(held));
	pid_t child = MUST(fork());
	if (child == 0) {
		close(held[1]);
		read(held[0], &byte, 1);
		_exit(0);
	}
	sprintf(path, "/proc/%d/maps", child);
	maps = MUST(open(path, O_RDONLY));
	R(ask(&q, here, 0));
	R(q.start <= here && here < q.end);
	close(held[1]);
	waitpid(child, NULL, 0);
	R(ask(&q, here, 0));
	int fd = MUST(open("/proc/self/smaps", O_RDONLY));
	R(ioctl(fd, QUERY(struct query), &q));
	fd = MUST(open("/proc/self/mem", O_RDONLY));
	R(ioctl(fd, QUERY(struct query), &q));
}

int main(void)
{
	struct query q = {0};

	maps = MUST(open("/proc/self/maps", O_RDONLY));
	if (ask(&q, (uint64_t)&q, 0) == -1 && errno == ENOTTY) {
		puts("the host has no PROCMAP_QUERY");
		return 77;
	}
	areas();
	names();
	build_ids();
	places_of_ids();
	sizes();
	others();
	return 0;
}
