/*
 * Threads that write at random over what the engine keeps for their process, while it makes calls. Whatever becomes
 * of that process, the machine goes on: others compute and talk as before, and a killed one is gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOT 0x7e8000000000UL
#define SLOT_SIZE 0x80000
#define ANSWERS 0x7e720000UL

static unsigned long seed;
static int mode;

static unsigned long dice(void)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return seed >> 29;
}

/* Words that hurt: small, huge, negative, places of the engine, states, kinds. */
static unsigned long evil(void)
{
	static const unsigned long words[] = { 0, 1, 2, 3, 4, 5, 6, 7, 0x7fffffff, 0x80000000, 0xffffffff, -1UL, 0x7fffffffffffUL,
		0x8000000000000000UL, 0x7e400000, 0x7e500000, 0x7e700000, ANSWERS, SLOT, SLOT + 0x5000, SLOT + 0xfff8, 0x4000,
		0x5000, 0xf000, 0xfff8, 0x10000, 0x46505853, 64, 65, 59, 56, 57, 231, 15, 512, 4096, 0xc000003e };

	return dice() % 4 == 0 ? dice() * dice() : words[dice() % (sizeof(words) / sizeof(words[0]))];
}

static void scribble(unsigned long slot)
{
	volatile unsigned int *narrow;
	unsigned long at;

	switch ((mode + dice() % 2) % 6) {
	case 0: at = slot + 16 + dice() % 35 * 4; break;			/* fields, not the state */
	case 1: at = slot + 0x400 + dice() % 256 * 4; break;			/* copies */
	case 2: at = slot + 0x4000 + dice() % 0xc000 / 4 * 4; break;		/* frames, extended state */
	case 3: at = slot + dice() % 36 * 4; break;				/* fields and state */
	case 4: at = ANSWERS + dice() % 4 * 4; break;
	default: at = slot + dice() % SLOT_SIZE / 4 * 4; break;
	}
	narrow = (void *)at;
	if (dice() % 3)
		*narrow = evil();
	else
		*(volatile unsigned long *)(at & ~7UL) = evil();
}

static void *spoiler(void *unused)
{
	for (;;) {
		scribble(SLOT);
		if (dice() % 8 == 0)
			scribble(SLOT + SLOT_SIZE * (dice() % 3));
	}
}

static void nothing(int signal)
{
}

static void *calls(void *unused)
{
	static char buffer[200000];
	struct timespec moment = { 0, 1000 };
	struct iovec pieces[4] = { { buffer, 10 }, { buffer + 50, 3000 }, { buffer + 9000, 1 }, { buffer, 70000 } };
	struct stat st;
	int ends[2];

	signal(SIGUSR1, nothing);
	for (;;) {
		if (pipe(ends) != 0)
			continue;
		write(ends[1], buffer, dice() % 5000);
		read(ends[0], buffer, sizeof(buffer));
		fcntl(ends[0], F_SETFL, O_NONBLOCK);
		fcntl(ends[1], F_SETFL, O_NONBLOCK);
		writev(ends[1], pieces, 4);
		readv(ends[0], pieces, 4);
		close(ends[0]);
		close(ends[1]);
		stat("/etc/passwd", &st);
		open("/nonexistent/file", O_RDONLY);
		kill(getpid(), SIGUSR1);
		nanosleep(&moment, NULL);
		mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (dice() % 50 == 0 && fork() == 0)
			_exit(0);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		getcwd(buffer, 4096);
	}
}

static void victim(void)
{
	pthread_t thread;
	int i;

	for (i = 1; i < 32; i++)
		if (i != SIGUSR1 && i != SIGKILL)
			signal(i, SIG_DFL);
	close(1);
	close(2);
	pthread_create(&thread, NULL, calls, NULL);
	pthread_create(&thread, NULL, spoiler, NULL);
	calls(NULL);
}

/* Sends numbers to itself through a pipe, and computes; says whether all came as they went. */
static void watcher(int say)
{
	unsigned int i, got, wrong = 0;
	int ends[2], status;
	char page[4096], back[4096];
	int fd = open("/tmp/watched", O_RDWR | O_CREAT | O_TRUNC, 0600);

	pipe(ends);
	for (i = 0;; i++) {
		memset(page, i, sizeof(page));
		write(ends[1], &i, sizeof(i));
		wrong += read(ends[0], &got, sizeof(got)) != sizeof(got) || got != i;
		pwrite(fd, page, sizeof(page), i % 16 * 4096);
		pread(fd, back, sizeof(back), i % 16 * 4096);
		wrong += memcmp(page, back, sizeof(page)) != 0;
		if (i % 64 == 0) {
			pid_t pid = fork();

			if (pid == 0)
				_exit(i / 64 % 100);
			wrong += waitpid(pid, &status, 0) != pid || status != i / 64 % 100 << 8;
			write(say, &wrong, sizeof(wrong));
		}
	}
}

int main(int argc, char **argv)
{
	int seconds = atoi(argv[1]), rounds = 0, reaped = 0, lost = 0, says[2];
	unsigned int wrong = 0, reports, value;
	time_t until = time(NULL) + seconds;
	pid_t watch;

	setbuf(stdout, NULL);
	pipe(says);
	watch = fork();
	if (watch == 0)
		watcher(says[1]);
	while (time(NULL) < until) {
		int status, waited;
		pid_t pid;

		seed = atol(argv[2]) + rounds * 1000003;
		mode = rounds++;
		pid = fork();
		if (pid == 0) {
			setpgid(0, 0);
			if (mode % 2)
				setuid(1000);
			victim();
		}
		setpgid(pid, pid);
		usleep(120000);
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		for (waited = 0; waited < 60000; waited++) {
			if (waitpid(pid, &status, WNOHANG) == pid)
				break;
			usleep(1000);
		}
		if (waited < 60000)
			reaped++;
		else
			lost++, printf("seed %d of round %d: not gone\n", seed, rounds);
		fcntl(says[0], F_SETFL, O_NONBLOCK);
		for (value = 0; read(says[0], &value, sizeof(value)) == sizeof(value);)
			wrong = value;
	}
	/* It still works. */
	fcntl(says[0], F_SETFL, 0);
	for (reports = 0; reports < 3 && read(says[0], &value, sizeof(value)) == sizeof(value); reports++)
		wrong = value;
	kill(watch, SIGKILL);
	printf("rounds %d, reaped %d, lost %d\nwatcher: well, %d wrong\n", rounds, reaped, lost, wrong);
	return 0;
}
