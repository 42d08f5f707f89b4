/*
 * Files of /proc/PID that user 1000 has opened before the process became another program. Of one that has more rights nothing is
 * to be seen, nor may anything be written there; of one that has not, nothing but what is asked anew.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = { "mem", "environ", "auxv", "pagemap", "maps", "smaps", "smaps_rollup", "syscall", "io", "personality" };
#define COUNT (sizeof(names) / sizeof(names[0]))
static char somewhere[] = "some memory";

static void look(const char *what, const char *program)
{
	int go[2], come[2], fds[COUNT], i;
	char path[64], word;
	pid_t pid;

	pipe(go);
	pipe(come);
	pid = fork();
	if (pid == 0) {
		char come_fd[16];

		read(go[0], &word, 1);
		sprintf(come_fd, "%d", come[1]);
		execl(program, "held", come_fd, NULL);
		_exit(9);
	}
	for (i = 0; i < COUNT; i++) {
		sprintf(path, "/proc/%d/%s", pid, names[i]);
		fds[i] = open(path, i == 0 ? O_RDWR : O_RDONLY);
	}
	write(go[1], "x", 1);
	read(come[0], &word, 1);
	printf("%s:", what);
	for (i = 0; i < COUNT; i++) {
		char buffer[4096];
		off_t at = i == 0 ? (off_t)somewhere : i == 3 ? (off_t)somewhere / 4096 * 8 : 0;
		long n = pread(fds[i], buffer, i == 3 ? 8 : sizeof(buffer), at);

		printf(" %s %s", names[i], n > 0 ? "seen" : n == 0 ? "empty" : strerrorname_np(errno));
		if (i == 0)
			printf(", %ld written", (long)pwrite(fds[i], somewhere, 4, at));
		close(fds[i]);
	}
	printf("\n");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(int count, char **words)
{
	char command[512];

	setbuf(stdout, NULL);
	if (count == 3) {
		look("same rights", "/tmp/held");
		look("more rights", "/tmp/held-setuid");
		return 0;
	}
	if (count == 2) {
		write(atoi(words[1]), "x", 1);
		pause();
	}
	sprintf(command, "cp %s /tmp/held && cp /tmp/held /tmp/held-setuid && chmod 755 /tmp/held && chmod 4755 /tmp/held-setuid", words[0]);
	system(command);
	setgid(1000);
	setuid(1000);
	if (fork() == 0) {
		/* What has given up rights may not be looked into: a new program of it may. */
		execl("/tmp/held", "held", "look", "there", NULL);
		_exit(9);
	}
	wait(NULL);
	return 0;
}
