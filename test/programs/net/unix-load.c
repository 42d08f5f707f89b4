/* A server with several clients over a stream socket; more data than the buffers hold. */
#include "../check.h"
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un address = {AF_UNIX, "server"};
static char data[300000];

static void client(int number)
{
	int s = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	long got = 0, n, sum = 0;

	MUST(connect(s, (struct sockaddr *)&address, sizeof address));
	memset(data, number, sizeof data);
	if (MUST(fork()) == 0) {
		for (long done = 0; done < (long)sizeof data; done += n)
			n = MUST(write(s, data + done, sizeof data - done));
		MUST(shutdown(s, SHUT_WR));
		_exit(0);
	}
	while ((n = MUST(read(s, data, 5000))) > 0) {
		got += n;
		for (long i = 0; i < n; i++)
			sum += data[i] == number;
	}
	wait(NULL);
	_exit(got == sizeof data && sum == got ? number : 100);
}

static void serve(int s)
{
	char buf[7000];
	long n;

	while ((n = MUST(read(s, buf, sizeof buf))) > 0)
		for (long done = 0, m; done < n; done += m)
			m = MUST(write(s, buf + done, n - done));
	_exit(0);
}

int main(void)
{
	int listener = MUST(socket(AF_UNIX, SOCK_STREAM, 0)), status, sum = 0;

	MUST(bind(listener, (struct sockaddr *)&address, sizeof address));
	MUST(listen(listener, 10));
	pid_t server = MUST(fork());
	if (server == 0)
		for (;;) {
			int s = MUST(accept(listener, NULL, NULL));
			if (MUST(fork()) == 0)
				serve(s);
			close(s);
		}
	for (int i = 1; i <= 6; i++)
		if (MUST(fork()) == 0)
			client(i);
	for (int i = 0; i < 6; i++) {
		wait(&status);
		sum += WEXITSTATUS(status);
	}
	R(sum);
	kill(server, SIGKILL);
	return 0;
}
