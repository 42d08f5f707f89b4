/*
 * Pipes that two processes read and write without the kernel (channel.ts): each party sees the other's page and cannot write it,
 * and nobody else sees either.
 */
#define _GNU_SOURCE
#include "channel.h"

/* A child that says how many pages it sees: by itself, or after it has executed this program anew. */
static int child_sees(int executes, int shares)
{
	pid_t child = shares ? vfork() : fork();

	if (child == 0) {
		if (executes)
			execl("/proc/self/exe", "channel", "look", NULL);
		_exit(executes ? 99 : count(look(is_seen)));
	}
	return result(child);
}

static void execute(struct link *link)
{
	char to[12], from[12];

	sprintf(to, "%d", link->to);
	sprintf(from, "%d", link->from);
	execl("/proc/self/exe", "channel", "serve", to, from, NULL);
	_exit(98);
}

static void *execute_from(void *link)
{
	execute(link);
	return NULL;
}

/* The first thread of this process has ended. */
static int is_alone(void)
{
	char line[200] = "";
	int fd = open("/proc/self/stat", O_RDONLY);
	char *after;

	if (read(fd, line, sizeof(line) - 1) <= 0)
		exit(1);
	close(fd);
	after = strrchr(line, ')');
	return after != NULL && after[2] == 'Z';
}

/* Goes on alone, once the thread is gone that had the channels; the pages may be anybody's once the other party is, too. */
static void *stay(void *place)
{
	struct link *link = place;

	while (hear(link) == 'p')
		if (!say(link, 'p'))
			break;
	for (int i = 0; i < 1000 * HANGS && !is_alone(); i++)
		usleep(1000);
	shared->seen = count(look(is_seen));
	shared->done = 1;
	_exit(0);
}

static void serve(struct link *link)
{
	/* Another thread than ours may go on with it when ours is over. */
	static struct link kept;
	pthread_t thread;
	int what;

	kept = *link;
	while ((what = hear(link)) >= 0) {
		int answer = what;

		if (what == 's' || what == 'w')
			answer = look(what == 's' ? is_seen : is_writable);
		else if (what == 'f' || what == 'x' || what == 'v')
			answer = child_sees(what != 'f', what == 'v');
		else if (what == 'e')
			execute(link);
		else if (what == 't') {
			pthread_create(&thread, NULL, execute_from, &kept);
			for (;;)
				pause();
		} else if (what == 'g') {
			pthread_create(&thread, NULL, stay, &kept);
			syscall(SYS_exit, 0);
		}
		if (!say(link, (char)answer))
			break;
	}
}

/* Who sees and may write what; that they tried does no harm. */
static void show_rights(void)
{
	struct link link = start(serve);
	int open = warm(&link), seen = look(is_seen), writable, other;

	open &= warm(&link);
	writable = look(is_writable);
	printf("one: open %d,%s\n", open, rights(seen, writable));
	open = warm(&link);
	other = ask(&link, 's');
	open &= warm(&link);
	printf("other: open %d,%s\n", open, rights(other, ask(&link, 'w')));
	open = warm(&link);
	printf("afterwards: open %d, ended %d\n", open, end(&link));
	fflush(stdout);
}

/* Whoever is made while the channels are open sees none of them, nor does another program. */
static void show_others(void)
{
	static const char *const names[] = { "forked", "forked, executed", "vforked, executed" };
	struct link link = start(serve);
	int open;

	for (int i = 0; i < 3; i++) {
		int mine, theirs;

		open = warm(&link);
		mine = child_sees(i > 0, i == 2);
		open &= warm(&link);
		theirs = ask(&link, "fxv"[i]);
		printf("%s: open %d, %d and %d seen\n", names[i], open, mine, theirs);
		fflush(stdout);
	}
	for (int i = 0; i < 2; i++) {
		int seen;

		open = warm(&link);
		seen = ask(&link, "et"[i]);
		printf("executed by %s thread: open %d, %d seen\n", i == 0 ? "its" : "another", open, seen);
		fflush(stdout);
	}
	open = warm(&link);
	printf("new program: open %d, ended %d\n", open, end(&link));
	fflush(stdout);
}

/* The thread that had the channels ends, and then the other party does; the process goes on. */
static void show_survivor(void)
{
	pid_t party = fork();

	if (party == 0) {
		struct link link = start(serve);
		int open = warm(&link);

		/* It is not answered: who goes on answers the next. */
		say(&link, 'g');
		shared->open = open && ask(&link, 'p') == 'p';
		_exit(0);
	}
	result(party);
	for (int i = 0; i < 10 * HANGS && !shared->done; i++)
		usleep(100000);
	printf("thread gone: open %d, over %d, %d seen\n", shared->open, shared->done, shared->seen);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 1;
	begin();
	if (strcmp(argv[1], "look") == 0)
		return count(look(is_seen));
	if (strcmp(argv[1], "serve") == 0) {
		struct link link = { atoi(argv[2]), atoi(argv[3]), 0 };

		say(&link, (char)count(look(is_seen)));
		serve(&link);
		return 0;
	}
	share();
	show_rights();
	show_others();
	show_survivor();
	return 0;
}
