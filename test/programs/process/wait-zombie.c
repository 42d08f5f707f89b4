/* waitid(2) without WEXITED: who has only children that are over has none to wait for. */
#include "../check.h"

int main(void)
{
	siginfo_t info;
	pid_t over = fork();

	if (over == 0) _exit(1);
	MUST(waitid(P_PID, over, &info, WEXITED | WNOWAIT));
	alarm(10);
	R(waitid(P_PID, over, &info, WSTOPPED | WNOHANG));
	R(waitid(P_ALL, 0, &info, WSTOPPED | WCONTINUED));
	pid_t alive = fork();
	if (alive == 0) pause();
	R(waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG));
	R(waitid(P_PID, over, &info, WCONTINUED));
	kill(alive, SIGKILL);
	return 0;
}
