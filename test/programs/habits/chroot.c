/*
 * A program that opens the same names each time, after it has changed its root (chroot(2)) or its user: names lead where
 * they lead from there, and only whom they may lead.
 * test: prepare mkdir -p jail/etc shut; echo jailed >jail/etc/passwd; echo secret >shut/file; chmod 700 shut
 */
#include "../check.h"
#include <sys/wait.h>

static void show(const char *name)
{
	char text[7] = "";
	int fd = open(name, O_RDONLY);

	if (fd >= 0) {
		text[read(fd, text, 6) > 0 ? 6 : 0] = 0;
		close(fd);
	}
	printf("%s: %s\n", fd < 0 ? errno_name(errno) : "opened", fd < 0 ? "" : text[0] == 'j' ? text : "another");
	fflush(stdout);
}

static int program(const char *root, const char *user, const char *file)
{
	if (*file == '/' && chroot(root) != 0)
		return 1;
	if (setresuid(atoi(user), atoi(user), atoi(user)) != 0)
		return 1;
	show("/etc/passwd");
	show(file);
	show("/etc/passwd");
	return 0;
}

static void run(char *self, char *root, char *user, char *file)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		execl(self, self, root, user, file, (char *)NULL);
		_exit(99);
	}
	waitpid(child, &status, 0);
	printf("status %x\n", status);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char self[4096], file[4096 + 16];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc > 3)
		return program(argv[1], argv[2], argv[3]);
	if (geteuid() != 0)
		return 77;
	self[length] = 0;
	if (!getcwd(file, 4096))
		return 1;
	strcat(file, "/shut/file");
	for (int i = 0; i < 4; i++)
		run(self, "/", "0", file);
	run(self, "jail", "0", file);
	run(self, "/", "1000", file);
	run(self, "jail", "0", file);
	run(self, "/", "0", file);
	return 0;
}
