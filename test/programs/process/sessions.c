/* Process groups and sessions: setpgid, setsid, getsid, kill of groups. */
#include "../check.h"

static void body(void)
{
	pid_t me = getpid();

	R(setsid() == me);
	R(getsid(0) == me);
	R(getpgrp() == me);
	R(setsid());
	R(setpgid(0, 0));
	R(setpgid(0, 1));
	R(setpgid(1, 0));
	R(setpgid(-1, 0));
	R(setpgid(0, -1));
	R(getpgid(99999999));
	R(getsid(99999999));

	int ready[2];
	char c;
	MUST(pipe(ready));
	pid_t kids[3];
	for (int i = 0; i < 3; i++) {
		kids[i] = MUST(fork());
		if (kids[i] == 0) {
			MUST(setpgid(0, i == 0 ? 0 : kids[0]));
			write(ready[1], "x", 1);
			for (;;)
				pause();
		}
		if (i == 0)
			R(setpgid(kids[0], kids[0]));
		else
			R(setpgid(kids[i], kids[0]));
	}
	for (int i = 0; i < 3; i++)
		read(ready[0], &c, 1);
	R(getpgid(kids[2]) == kids[0]);
	R(getsid(kids[2]) == me);
	R(kill(-kids[0], 0));
	R(kill(-kids[0], SIGTERM));
	int status;
	for (int i = 0; i < 3; i++) {
		R(waitpid(-kids[0], &status, 0) > 0);
		say_status("member", status);
	}
	R(waitpid(-kids[0], &status, 0));
	R(kill(-kids[0], SIGTERM));
	R(kill(0, 0));
	R(kill(me, 99));

	pid_t late = MUST(fork());
	if (late == 0) {
		execlp("sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	until(strcmp(proc_text(late, "comm"), "sleep\n") == 0 && state_of(late) == 'S');
	R(setpgid(late, late));
	kill(late, SIGKILL);
	waitpid(late, &status, 0);
}

int main(void)
{
	in_child("session", body);
	return 0;
}
