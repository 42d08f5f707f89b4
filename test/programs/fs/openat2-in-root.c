/* openat2(2) with RESOLVE_IN_ROOT: an absolute name begins at the directory that was given. */
#include "../check.h"
#include <linux/openat2.h>

static const char *names[] = {"/x", "/secret", "/sub/../x", "/../x", "/l", "l", "l2", "/l2", "/", "."};

static void try(int dirfd, const char *name, unsigned long long resolve, size_t top)
{
	struct open_how how = {.flags = O_PATH, .resolve = resolve};
	char link[64], path[256] = "";
	int fd = syscall(SYS_openat2, dirfd, name, &how, sizeof how);

	if (fd < 0) {
		say("%s: %s\n", name, errno_name(errno));
		return;
	}
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	readlink(link, path, sizeof path - 1);
	say("%s: %s\n", name, strlen(path) >= top ? path + top : "above");
	close(fd);
}

int main(void)
{
	char dir[] = "/tmp/in-root-XXXXXX", path[256];

	MUST(mkdtemp(dir) == NULL ? -1 : 0);
	MUST(chdir(dir));
	getcwd(path, sizeof path);
	mkdir("jail", 0755);
	mkdir("jail/sub", 0755);
	close(open("jail/x", O_CREAT | O_WRONLY, 0644));
	close(open("secret", O_CREAT | O_WRONLY, 0600));
	MUST(symlink("/x", "jail/l"));
	MUST(symlink("/../../secret", "jail/l2"));
	int jail = MUST(open("jail", O_PATH | O_DIRECTORY)), file = MUST(open("jail/x", O_RDONLY));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		try(jail, names[i], RESOLVE_IN_ROOT, strlen(path));
		try(jail, names[i], RESOLVE_BENEATH, strlen(path));
		try(file, names[i], RESOLVE_IN_ROOT, strlen(path));
		try(-1, names[i], RESOLVE_IN_ROOT, strlen(path));
		try(AT_FDCWD, names[i], RESOLVE_IN_ROOT, strlen(path));
	}
	const char *made[] = {"jail/l", "jail/l2", "jail/x", "secret"};
	for (int i = 0; i < 4; i++) unlink(made[i]);
	rmdir("jail/sub");
	rmdir("jail");
	rmdir(dir);
	return 0;
}
