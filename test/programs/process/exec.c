/* execve(2): arguments, environment, scripts, descriptors, errors. The program executes itself. */
#include "../check.h"
#include <sys/auxv.h>
#include <sys/resource.h>

static char *self;

static void put(const char *path, const char *text, mode_t mode)
{
	int fd = MUST(open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600));

	MUST(write(fd, text, strlen(text)));
	MUST(fchmod(fd, mode));
	close(fd);
}

static void try(const char *path)
{
	char *argv[] = {"zero", "one", NULL}, *envp[] = {"A=1", "B=2", NULL};
	int status;
	pid_t pid = MUST(fork());

	if (pid == 0) {
		execve(path, argv, envp);
		say("%s: %s\n", path, errno_name(errno));
		_exit(1);
	}
	waitpid(pid, &status, 0);
	say_status(path, status);
}

/* By descriptor: what it is called is the descriptor's name below /dev/fd (execveat(2), NOTES). */
static void try_at(int dir, const char *name, int flags)
{
	char *argv[] = {"zero", "one", NULL}, *envp[] = {"A=1", NULL};
	int status;
	pid_t pid = MUST(fork());

	if (pid == 0) {
		syscall(SYS_execveat, dir, name, argv, envp, flags);
		say("at %d %s: %s\n", dir, name, errno_name(errno));
		_exit(1);
	}
	waitpid(pid, &status, 0);
	say_status(name, status);
}

static void by_descriptor(void)
{
	int open_dir = 3, cloexec_dir = 4, eventfd = MUST(syscall(SYS_eventfd2, 0, O_CLOEXEC));
	int elf = MUST(open("self", O_RDONLY)), script = MUST(open("script", O_RDONLY));
	int elf_path = MUST(open("self", O_PATH | O_CLOEXEC)), gone = MUST(open("script", O_RDONLY | O_CLOEXEC));

	try_at(elf, "", AT_EMPTY_PATH);
	try_at(elf_path, "", AT_EMPTY_PATH);
	try_at(script, "", AT_EMPTY_PATH);
	try_at(gone, "", AT_EMPTY_PATH);
	try_at(open_dir, "self", 0);
	try_at(cloexec_dir, "self", 0);
	try_at(open_dir, "script", 0);
	try_at(cloexec_dir, "script", 0);
	try_at(cloexec_dir, self, 0);
	try_at(elf, "", 0);
	try_at(elf, "script", 0);
	try_at(eventfd, "", AT_EMPTY_PATH);
	try_at(eventfd, "script", 0);
	try_at(99, "script", 0);
	close(elf);
	close(script);
	close(eventfd);
	close(elf_path);
	close(gone);
}

static int shown(int argc, char **argv)
{
	extern char **environ;

	say("argc %d:", argc);
	for (int i = 0; i < argc && i < 6; i++)
		say(" [%.40s]", argv[i]);
	say(" env:");
	for (char **e = environ; *e && e < environ + 4; e++)
		say(" %s", *e);
	say("\n3: %s 4: %s\n", fcntl(3, F_GETFD) < 0 ? "closed" : "open", fcntl(4, F_GETFD) < 0 ? "closed" : "open");
	say("auxv: page %ld execfn %s secure %ld random %d\n", getauxval(AT_PAGESZ), (char *)getauxval(AT_EXECFN), getauxval(AT_SECURE), getauxval(AT_RANDOM) != 0);
	sigset_t set;
	struct sigaction action;
	sigprocmask(SIG_BLOCK, NULL, &set);
	say("blocked usr1 %d usr2 %d", sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2));
	sigaction(SIGINT, NULL, &action);
	say(" int %s", action.sa_handler == SIG_IGN ? "ignored" : "default");
	sigaction(SIGHUP, NULL, &action);
	say(" hup %s\n", action.sa_handler == SIG_DFL ? "default" : "other");
	return 0;
}

static void open_busy(void)
{
	T(open("busy", O_WRONLY));
	T(open("busy", O_RDWR | O_APPEND));
	T(open("busy", O_RDONLY | O_TRUNC));
	T(open("busy", O_RDWR | O_CREAT, 0600));
	T(truncate("busy", 0));
	T(open("busy", O_RDONLY));
}

static void others(void)
{
	if (geteuid() == 0) {
		MUST(setresgid(1000, 1000, 1000));
		MUST(setresuid(1000, 1000, 1000));
	} else {
		MUST(chmod("busy", 0555));
	}
	open_busy();
}

/* A running program is nobody's to write to, but who may not write anyhow hears of that. */
static void running(void)
{
	int begun[2];
	char byte;

	MUST(chmod(".", 0755));
	MUST(system("cp /bin/sleep busy && chmod 755 busy"));
	MUST(pipe2(begun, O_CLOEXEC));
	pid_t pid = MUST(fork());
	if (pid == 0) {
		execl("busy", "busy", "1000", NULL);
		_exit(1);
	}
	close(begun[1]);
	R(read(begun[0], &byte, 1));
	close(begun[0]);
	open_busy();
	in_child("others", others);
	MUST(kill(pid, SIGKILL));
	MUST(waitpid(pid, NULL, 0));
}

static void handler(int signal)
{
	(void)signal;
}

static void large(size_t bytes, int count)
{
	char **argv = calloc(count + 3, sizeof *argv), *envp[] = {NULL};
	int status;

	argv[0] = "zero";
	argv[1] = "--count";
	for (int i = 0; i < count; i++) {
		argv[i + 2] = malloc(bytes + 1);
		memset(argv[i + 2], 'x', bytes);
		argv[i + 2][bytes] = 0;
	}
	pid_t pid = MUST(fork());
	if (pid == 0) {
		execve(self, argv, envp);
		say("%d of %zu: %s\n", count, bytes, errno_name(errno));
		_exit(1);
	}
	waitpid(pid, &status, 0);
	say_status("large", status);
}

int main(int argc, char **argv)
{
	char path[8192];

	if (argc > 1 && strcmp(argv[1], "--count") == 0) {
		size_t sum = 0;
		for (int i = 2; i < argc; i++)
			sum += strlen(argv[i]);
		say("%d words of %zu bytes\n", argc - 2, sum);
		return 0;
	}
	if (argc > 1)
		return shown(argc, argv);
	self = realpath("/proc/self/exe", NULL);
	MUST(symlink(self, "self"));
	MUST(open(".", O_RDONLY));
	MUST(open(".", O_RDONLY | O_CLOEXEC));
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, handler);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);

	try("./self");
	snprintf(path, sizeof path, "#!%s/self\n", getcwd(path + 4096, 4096));
	put("script", path, 0755);
	try("./script");
	snprintf(path, sizeof path, "#! %s/self  an argument  \n", getcwd(path + 4096, 4096));
	put("script2", path, 0755);
	try("./script2");
	put("nested", "#!./script nested\n", 0755);
	try("./nested");
	put("no-interpreter", "#!/no/such/thing\n", 0755);
	try("./no-interpreter");
	put("empty-line", "#!\n", 0755);
	try("./empty-line");
	put("text", "echo hello\n", 0755);
	try("./text");
	put("empty", "", 0755);
	try("./empty");
	put("elf", "\177ELF\2\1\1 and then nothing that makes sense, but long enough to be a header ......", 0755);
	try("./elf");
	put("not-executable", "#!/bin/sh\n", 0644);
	try("./not-executable");
	try(".");
	try("nope");
	try("script/x");
	put("self-loop", "#!./self-loop\n", 0755);
	try("./self-loop");

	by_descriptor();
	running();

	large(10, 1000);
	large(100000, 10);
	large(131071, 1);
	large(131072, 1);
	struct rlimit stack = {8 << 20, RLIM_INFINITY};
	setrlimit(RLIMIT_STACK, &stack);
	large(100000, 18);
	large(100000, 30);
	char *none[] = {NULL};
	R(execve(self, (char **)8, none));
	char *bad[] = {"x", (char *)8, NULL};
	R(execve(self, bad, none));
	int writer = MUST(open("copy", O_CREAT | O_RDWR, 0755));
	R(execve("copy", none, none));
	close(writer);
	R(fexecve(MUST(open("nope2", O_CREAT | O_RDONLY, 0755)), none, none));
	return 0;
}
