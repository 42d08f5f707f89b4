/* vfork(2), posix_spawn(3), clone(2) with flags. */
#include "../check.h"
#include <spawn.h>

extern char **environ;
static volatile int shared;

static int in_clone(void *argument)
{
	shared = *(int *)argument;
	close(3);
	return 17;
}

int main(void)
{
	int status;
	pid_t pid;

	pid = vfork();
	if (pid == 0) {
		shared = 5;
		_exit(6);
	}
	R(waitpid(pid, &status, 0) == pid);
	say_status("vfork", status);
	R(shared);
	fflush(stdout);

	pid = vfork();
	if (pid == 0) {
		execlp("true", "true", NULL);
		_exit(9);
	}
	R(waitpid(pid, &status, 0) == pid);
	say_status("vfork exec", status);

	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "out", O_CREAT | O_WRONLY, 0600);
	char *argv[] = {"sh", "-c", "echo spawned; exit 4", NULL};
	R(posix_spawnp(&pid, "sh", &actions, NULL, argv, environ));
	waitpid(pid, &status, 0);
	say_status("spawn", status);
	R(system("cat out"));
	char *none[] = {"nope", NULL};
	R(posix_spawnp(&pid, "no-such-program", NULL, NULL, none, environ) == ENOENT);

	char *stack = malloc(65536);
	int value = 33, fd = MUST(dup(0));
	R(fd);
	pid = MUST(clone(in_clone, stack + 65536, CLONE_VM | SIGCHLD, &value));
	R(waitpid(pid, &status, 0) == pid);
	say_status("clone vm", status);
	R(shared);
	R(fcntl(3, F_GETFD));
	value = 44;
	pid = MUST(clone(in_clone, stack + 65536, CLONE_FILES | SIGCHLD, &value));
	R(waitpid(pid, &status, 0) == pid);
	R(shared);
	R(fcntl(3, F_GETFD));
	pid_t tid = 0;
	pid = MUST(clone(in_clone, stack + 65536, CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD, &value, &tid));
	R(tid == pid);
	R(shared);
	R(waitpid(pid, &status, 0) == pid);
	pid = MUST(clone(in_clone, stack + 65536, CLONE_VM | CLONE_VFORK, &value));
	R(waitpid(pid, &status, 0));
	R(waitpid(pid, &status, __WCLONE) == pid);
	R(clone(in_clone, stack + 65536, CLONE_THREAD | SIGCHLD, &value));
	R(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
	R(system("exit 3") >> 8);
	FILE *f = popen("echo piped; cat >/dev/null; exit 3", "r");
	char line[100];
	fgets(line, sizeof line, f);
	say("%s", line);
	R(pclose(f));
	return 0;
}
