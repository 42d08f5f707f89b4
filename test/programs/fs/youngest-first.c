/* tmpfs lists a directory from its youngest name to its oldest; what is made during a pass is not part of it. */
#include "../check.h"
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static char work[] = "/dev/shm/youngestXXXXXX";

static void make(const char *name)
{
	close(MUST(open(name, O_CREAT | O_WRONLY, 0644)));
}

static void list(const char *when)
{
	DIR *dir = opendir(".");

	say("%s:", when);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		say(" %s", entry->d_name);
	say("\n");
	closedir(dir);
}

static void changes(void)
{
	list("empty");
	for (char name[] = "a"; name[0] <= 'd'; name[0]++)
		make(name);
	list("made");
	R(unlink("b"));
	list("one less");
	make("b");
	list("again");
	R(rename("a", "z"));
	list("renamed");
	R(rename("c", "d"));
	list("onto another");
	R(link("z", "y"));
	R(mkdir("D", 0755));
	list("link and directory");
	R(renameat2(AT_FDCWD, "z", AT_FDCWD, "D", RENAME_EXCHANGE));
	list("exchanged");
}

static void long_passes(void)
{
	char name[300];
	long position = 0;
	int seen = 0, young = 0;
	DIR *dir;
	struct dirent *entry;

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "f%04d", i);
		make(name);
	}
	dir = opendir(".");
	while ((entry = readdir(dir)) != NULL) {
		young += strncmp(entry->d_name, "young", 5) == 0;
		if (++seen == 1000)
			position = telldir(dir);
		snprintf(name, sizeof name, "young%d", seen);
		if (seen >= 3 && seen % 10 == 0)
			make(name);
	}
	R(seen);
	R(young);
	seekdir(dir, position);
	say("goes on at %s\n", (entry = readdir(dir))->d_name);
	R(unlink(entry->d_name));
	seekdir(dir, position);
	say("without it at %s\n", readdir(dir)->d_name);
	rewinddir(dir);
	readdir(dir), readdir(dir);
	say("anew %s\n", readdir(dir)->d_name);

	rewinddir(dir);
	for (seen = 0; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "r%s", entry->d_name);
		MUST(rename(entry->d_name, name));
		seen++;
	}
	R(seen);
	rewinddir(dir);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			MUST(remove(entry->d_name));
	closedir(dir);
	list("removed during a pass");
}

int main(void)
{
	MUST(mkdtemp(work) != NULL);
	MUST(chdir(work));
	changes();
	long_passes();
	R(chdir("/"));
	R(rmdir(work));
	return 0;
}
