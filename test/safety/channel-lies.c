/*
 * Pipes that two processes read and write without the kernel (channel.ts): no lie does more than spoil that pipe's bytes, and
 * who comes later finds nothing of what was before.
 */
#define _GNU_SOURCE
#include "channel.h"

/* Lies of one liar, and liars of each kind. */
#define LIES 1500
#define LIARS 6
/* How often a writer hides that the channel was closed, and how often it says so each time. */
#define HOLDS 400
#define HOLD 50000
/* After so many microseconds a liar has got stuck in its own lies. */
#define STUCK 700000

static unsigned seed;

static unsigned dice(void)
{
	seed = seed * 1103515245 + 12345;
	return seed >> 7;
}


static unsigned position(unsigned other)
{
	switch (dice() % 12) {
	case 0: return 0;
	case 1: return dice() << 16 ^ dice();
	case 2: return (dice() << 16 ^ dice()) | CHANNEL_OPEN;
	case 3: return 0xffffffff;
	case 4: return 0x80000000 + dice() % 2;
	case 5: return other & ~(unsigned)CHANNEL_OPEN;
	case 6: return other;
	case 7: return other + 2 * RING_SIZE;
	case 8: return other - 2 * RING_SIZE;
	case 9: return other + 2 * RING_SIZE + 2;
	case 10: return other - 2;
	default: return other + 2 * (dice() % 5000);
	}
}

/* What a liar does to a word: once, or for as long as another may need to look at it in vain. */
static void set(unsigned long at, unsigned value)
{
	for (int i = dice() % 8 == 0 ? 3000 : 1; i > 0; i--)
		WORD(at) = value;
}

static void lie_as_writer(void)
{
	unsigned tail = WORD(CHANNEL_BASE + C_TAIL);

	switch (dice() % 7) {
	case 0: set(CHANNEL_BASE + C_WRITER, dice() % 4 - 1); break;
	case 1: set(CHANNEL_BASE + C_WRITER, dice()); break;
	case 5: set(CHANNEL_BASE + C_FULL, dice() % 2 ? dice() % 2 : dice()); break;
	case 6: set(CHANNEL_BASE + C_WRITER_LOOKS, dice() % 2 ? dice() % 3 - 1 : dice()); break;
	case 2: memset((char *)CHANNEL_BASE + C_RING, (int)dice(), RING_SIZE); break;
	case 3: set(CHANNEL_BASE + C_TAIL, tail); break;
	default: set(CHANNEL_BASE + C_TAIL, position(WORD(CHANNEL_BASE + C_HEAD))); break;
	}
}

static void lie_as_reader(void)
{
	switch (dice() % 5) {
	case 0: set(READER + C_EMPTY, dice() % 2 ? dice() % 2 : dice()); break;
	case 1: set(READER + C_READER_LOOKS, dice() % 2 ? dice() % 3 - 1 : dice()); break;
	case 2: set(READER + C_READER, dice() % 4 - 1); break;
	default: set(READER + C_HEAD, position(WORD(READER + C_TAIL))); break;
	}
}

static void lie_in_slot(void)
{
	static const unsigned fields[] = { S_CHANNELS, S_CHANNEL_WRITE, S_CHANNEL_READ };

	WORD(SLOT + fields[dice() % 3]) = dice() % 8 == 0 ? dice() : dice() % 12;
}

/* Who lied itself into a wait that does not end, or into a fault, dies of it. */
static void may_die(void)
{
	struct itimerval stuck = { { 0, STUCK }, { 0, STUCK } };

	signal(SIGALRM, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	setitimer(ITIMER_REAL, &stuck, NULL);
}

/* As the other alone says. */
static int is_shared_open(int writes)
{
	return WORD(writes ? CHANNEL_BASE + C_HEAD : READER + C_TAIL) & CHANNEL_OPEN;
}

/* Until the reader has come round, or for a while: a channel opens when the pipe is empty. */
static void await(int taken)
{
	for (int i = 0; i < 10000 && shared->taken <= taken; i++)
		__builtin_ia32_pause();
}

/* The kernel closes the channel, and the writer hides that from who looks for bytes there, or is about to sleep. */
static void hold(struct link *link)
{
	for (int i = 0; i < HOLDS; i++) {
		unsigned head;

		/* Used again and again, or it is not opened any more. */
		for (int n = 0; n < 3; n++) {
			int taken = shared->taken;

			(void)!write(link->to, "held", 4);
			await(taken);
		}
		head = WORD(CHANNEL_BASE + C_HEAD);
		if (!(head & CHANNEL_OPEN) || WORD(CHANNEL_BASE + C_TAIL) != head)
			continue;
		shared->open++;
		/* It looks longer for who is on another processor. */
		WORD(CHANNEL_BASE + C_WRITER) = 77;
		for (int n = (int)(dice() % 100); n > 0; n--)
			__builtin_ia32_pause();
		umask(022);
		for (int n = 0; n < HOLD; n++)
			WORD(CHANNEL_BASE + C_TAIL) = head;
	}
	_exit(0);
}

/* Once the other says that it may: 'w' and 'r' as who writes or reads, in its own pages, 'W' and 'R' in its slot; 'h' hides. */
static void lie(struct link *link)
{
	static char some[64];
	int what, writes, in_slot;

	while ((what = hear(link)) == 'p')
		say(link, 'p');
	if (what < 0)
		return;
	writes = what == 'w' || what == 'W';
	in_slot = what == 'W' || what == 'R';
	seed += (unsigned)getpid();
	may_die();
	if (what == 'h')
		hold(link);
	for (int i = 0; i < LIES; i++) {
		size_t n = dice() % sizeof(some);

		if (dice() % 4 == 0 && is_shared_open(writes)) {
			shared->open++;
			if (in_slot)
				lie_in_slot();
			else if (writes)
				lie_as_writer();
			else
				lie_as_reader();
		}
		if (writes) {
			(void)!write(link->to, some, n);
			await(i);
		} else {
			(void)!read(link->from, some, n);
			shared->taken++;
		}
	}
	/* What it leaves behind is a lie, too. */
	if (writes)
		lie_as_writer();
	else
		lie_as_reader();
	if (dice() % 2)
		kill(getpid(), SIGKILL);
	_exit(0);
}

/*
 * Reads until the end: no more than is asked for comes, and beyond that nothing is touched. Within it more may be than came: bytes that
 * the writer said were there, until the kernel closed the channel and knew better.
 */
static int reads_well(struct link *link)
{
	for (;;) {
		size_t asked = dice() % 4 ? 200 : 1 + dice() % 100;
		ssize_t n;

		memset(buffer, '#', 256);
		n = read(link->from, buffer, asked);
		shared->taken++;
		if (n == 0)
			return 1;
		if (n < 0 || (size_t)n > asked)
			return 0;
		for (size_t i = asked; i < 256; i++)
			if (buffer[i] != '#')
				return 0;
	}
}

static int writes_well(struct link *link)
{
	for (int i = 0;; i++) {
		size_t asked = 1 + dice() % 60;
		ssize_t n = write(link->to, buffer, asked);

		await(i);
		if (n < 0)
			return errno == EPIPE;
		if ((size_t)n > asked)
			return 0;
	}
}

/* How the process ends that found no channels to begin with, as may be on a busy host. */
#define COLD 2
#define TRIES 5

/* In a process of its own: 0 if all went well. */
static int honest(char what)
{
	pid_t child = fork();

	if (child == 0) {
		struct link link;
		int well;

		alarm(HANGS);
		link = start(lie);
		if (!warm(&link)) {
			end(&link);
			_exit(COLD);
		}
		well = say(&link, what);
		well = well && (what == 'r' || what == 'R' ? writes_well(&link) : reads_well(&link));
		end(&link);
		_exit(!well);
	}
	return result(child);
}

static void show_lies(const char *name, char what)
{
	int well = 0, open = 0;

	for (int i = 0; i < LIARS; i++) {
		int ended = COLD;

		seed++;
		for (int n = 0; n < TRIES && ended == COLD; n++) {
			shared->open = shared->taken = 0;
			ended = honest(what);
		}
		well += ended == 0;
		/* On a busy host the two may not come round for one of them. */
		open |= shared->open > 0;
	}
	printf("%s: %d of %d well, open %d\n", name, well, LIARS, open);
	fflush(stdout);
}

/* What a program says of channels in its slot is not for the next that runs there. */
static void show_inherited(void)
{
	int well = 0;

	for (int i = 0; i < LIARS; i++) {
		pid_t child = fork();

		if (child == 0) {
			WORD(SLOT + S_CHANNEL_READ) = 0;
			WORD(SLOT + S_CHANNEL_WRITE) = 1;
			WORD(SLOT + S_CHANNELS) = 1 + (unsigned)i % 3;
			if (i < LIARS / 2)
				execl("/proc/self/exe", "channel", "plain", NULL);
			/* The next child may be given the slot, too. */
			kill(getpid(), SIGKILL);
		}
		if (i < LIARS / 2)
			well += result(child) == 0;
		else {
			result(child);
			child = fork();
			if (child == 0)
				execl("/proc/self/exe", "channel", "plain", NULL);
			well += result(child) == 0;
		}
	}
	printf("after liars: %d of %d well\n", well, LIARS);
	fflush(stdout);
}

/* As a program does that knows of nothing, by the descriptors 0 and 1. */
static int plain(void)
{
	int ends[2];
	char byte = 0;

	if (pipe(ends) || dup2(ends[0], 0) != 0 || dup2(ends[1], 1) != 1)
		return 1;
	for (int i = 0; i < 20; i++)
		if (write(1, "y", 1) != 1 || read(0, &byte, 1) != 1 || byte != 'y')
			return 2;
	return 0;
}

static void give(int to, int fd)
{
	char byte = 'g', room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(int));
	must(sendmsg(to, &message, 0) == 1, "sendmsg");
}

static int given(int from)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	int fd = -1;

	must(recvmsg(from, &message, 0) == 1, "recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return fd;
}

static int secrets(void)
{
	int found = 0;

	for (int n = 0; n < PAGES; n += 3)
		for (unsigned i = 0; is_seen(n) && i < CHANNEL_SIZE - 6; i++)
			found += memcmp((char *)page(n) + i, "secret", 6) == 0;
	return found;
}

/* Writes a word and waits until it was read, until who reads says that it ends. */
static int feed(int to, int from, const char *word)
{
	char answer = 'g';

	for (int i = 0; i < PATIENT && answer != 'e'; i++)
		if (write(to, word, 6) != 6 || read(from, &answer, 1) != 1)
			return 0;
	return answer == 'e';
}

/* Reads words until they come through the channel. */
static int eat(int from, int to)
{
	char word[6];

	for (int i = 0; i < PATIENT; i++) {
		unsigned head = i > 16 && reads_channel() ? WORD(READER + C_HEAD) : 0;

		if (read(from, word, 6) != 6)
			return 0;
		if (head != 0 && WORD(READER + C_HEAD) == head + 2 * 6)
			return 1;
		if (write(to, "g", 1) != 1)
			return 0;
	}
	return 0;
}

/* The first, who has read secrets, gives its end to another. With `lies` it says before that it has not read them. */
static void first_reader(int from, int to, int hand, int lies)
{
	int open = eat(from, to);

	/* To look for secrets is to touch pages that it does not have, which closes the channel. */
	if (lies) {
		open &= WORD(READER + C_TAIL) & CHANNEL_OPEN;
		WORD(READER + C_HEAD) = WORD(READER + C_TAIL) - 2 * RING_SIZE;
	} else
		open = open && secrets() > 0;
	shared->open = open;
	give(hand, from);
	must(write(to, "e", 1) == 1, "write");
	_exit(0);
}

/* All that was written has been read: a lie about that brings it again, but nothing else. */
static void count_again(int from)
{
	int forged = 0;

	fcntl(from, F_SETFL, O_NONBLOCK);
	for (ssize_t n; (n = read(from, buffer, sizeof(buffer))) > 0;)
		for (int i = 0; i < n; i++)
			forged += buffer[i] == 0 || strchr("secret", buffer[i]) == NULL;
	printf("after a lie: open %d, %d bytes that were never written\n", shared->open, forged);
	fflush(stdout);
	_exit(0);
}

/* What was read is gone: who takes over gets neither it nor pages that hold it. */
static void show_successor(int lies)
{
	int ends[2], hand[2], go[2], open;
	pid_t first, second;

	shared->open = shared->seen = 0;
	must(pipe(ends) == 0 && pipe(go) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, hand) == 0, "pipe");
	second = fork();
	if (second == 0) {
		int from;

		close(ends[0]);
		close(ends[1]);
		from = given(hand[0]);
		if (lies)
			count_again(from);
		shared->open = eat(from, go[1]);
		shared->seen = secrets();
		must(write(go[1], "e", 1) == 1, "write");
		_exit(0);
	}
	first = fork();
	if (first == 0) {
		close(ends[1]);
		first_reader(ends[0], go[1], hand[1], lies);
	}
	close(ends[0]);
	close(hand[0]);
	close(hand[1]);
	feed(ends[1], go[0], "secret");
	result(first);
	open = shared->open;
	if (!lies) {
		int fed = feed(ends[1], go[0], "public"), left = secrets();

		result(second);
		printf("successor: open %d and %d, %d and %d secrets\n", open, fed && shared->open, shared->seen, left);
		fflush(stdout);
	}
	result(second);
	close(ends[1]);
	close(go[0]);
	close(go[1]);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 1;
	begin();
	if (strcmp(argv[1], "plain") == 0)
		return plain();
	seed = (unsigned)atoi(argv[1]);
	share();
	show_lies("lying writers", 'w');
	show_lies("lying readers", 'r');
	show_lies("slots of writers", 'W');
	show_lies("slots of readers", 'R');
	show_lies("hiding writers", 'h');
	show_inherited();
	show_successor(0);
	show_successor(1);
	return 0;
}
