/* System V IPC: ids of what is gone, SHM_EXEC, MSG_COPY of what is longer, IPC_NOWAIT of an operation that comes late. */
#include "../check.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

int main(void)
{
	if (getuid() == 0) {
		MUST(setgid(65534));
		MUST(setuid(65534));
	}
	int gone = MUST(semget(IPC_PRIVATE, 2, 0600));
	MUST(semctl(gone, 0, IPC_RMID));
	int set = MUST(semget(IPC_PRIVATE, 2, 0600));
	R(semctl(gone, 0, GETVAL));
	R(semctl(gone, 0, IPC_RMID));

	/* It waits at its first operation; when that can be done, the second, which cannot, does not wait. */
	pid_t pid = fork();
	if (pid == 0) {
		struct sembuf ops[] = {{0, -1, 0}, {1, -1, IPC_NOWAIT}};
		_exit(semop(set, ops, 2) == 0 ? 0 : errno);
	}
	while (semctl(set, 0, GETNCNT) != 1) sleep_ms(1);
	struct sembuf more = {0, 1, 0};
	MUST(semop(set, &more, 1));
	int status;
	MUST(waitpid(pid, &status, 0));
	say_status("late", status);
	R(semctl(set, 0, GETVAL));
	MUST(semctl(set, 0, IPC_RMID));

	for (int mode = 0600; mode <= 0700; mode += 0100) {
		int id = MUST(shmget(IPC_PRIVATE, 4096, mode));
		T(shmat(id, NULL, SHM_EXEC) == (void *)-1 ? -1 : 0);
		MUST(shmctl(id, IPC_RMID, NULL));
	}

	struct {
		long type;
		char text[8];
	} message = {1, "abc"};
	int queue = MUST(msgget(IPC_PRIVATE, 0600));
	MUST(msgsnd(queue, &message, 4, 0));
	R(msgrcv(queue, &message, 2, 0, IPC_NOWAIT | MSG_NOERROR | 040000));
	R(msgrcv(queue, &message, 2, 0, IPC_NOWAIT | 040000));
	R(msgrcv(queue, &message, 8, 0, IPC_NOWAIT | 040000));
	R(msgrcv(queue, &message, 2, 0, IPC_NOWAIT | MSG_NOERROR));
	MUST(msgctl(queue, IPC_RMID, NULL));
	return 0;
}
