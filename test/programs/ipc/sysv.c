/* semget(2), msgget(2), shmget(2) and what goes with them. */
#include "../check.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static void semaphores(void)
{
	int id = MUST(semget(IPC_PRIVATE, 3, 0600));
	unsigned short values[3] = {1, 0, 40000};
	struct sembuf take = {0, -1, IPC_NOWAIT}, zero = {1, 0, IPC_NOWAIT}, far = {3, 1, 0};
	struct sembuf both[2] = {{1, 1, 0}, {0, -1, IPC_NOWAIT}};
	struct timespec soon = {0, 1000000};

	R(semctl(id, 0, SETALL, values));
	values[2] = 32767;
	R(semctl(id, 0, SETALL, values));
	R(semop(id, &take, 1));
	R(semop(id, &take, 1));
	R(semop(id, both, 2));
	R(semctl(id, 1, GETVAL));
	R(semop(id, &zero, 1));
	R(semop(id, &far, 1));
	R(semop(id, both, 0));
	R(semtimedop(id, &(struct sembuf){0, -1, 0}, 1, &soon));
	R(semop(id, &(struct sembuf){2, 1, 0}, 1));
	R(semctl(id, 0, SETVAL, -1));
	R(semctl(id, 7, GETVAL));
	R(semctl(id, 0, 99));

	/* SEM_UNDO, and waking in line. */
	pid_t child = fork();
	if (child == 0) {
		semop(id, &(struct sembuf){0, 5, SEM_UNDO}, 1);
		_exit(semctl(id, 0, GETVAL));
	}
	int status;
	waitpid(child, &status, 0);
	R(WEXITSTATUS(status));
	R(semctl(id, 0, GETVAL));
	R(semctl(id, 0, GETPID) == child);
	child = fork();
	if (child == 0)
		_exit(semop(id, &(struct sembuf){0, -2, 0}, 1) == 0 ? 7 : errno);
	while (semctl(id, 0, GETNCNT) == 0)
		usleep(1000);
	R(semctl(id, 0, GETZCNT));
	R(semop(id, &(struct sembuf){0, 2, 0}, 1));
	waitpid(child, &status, 0);
	R(WEXITSTATUS(status));
	R(semctl(id, 0, GETVAL));
	child = fork();
	if (child == 0)
		_exit(semop(id, &(struct sembuf){0, -2, 0}, 1) == 0 ? 7 : errno);
	while (semctl(id, 0, GETNCNT) == 0)
		usleep(1000);
	R(semctl(id, 0, IPC_RMID));
	waitpid(child, &status, 0);
	R(WEXITSTATUS(status));
	R(semctl(id, 0, IPC_RMID));
}

static void messages(void)
{
	struct { long type; char text[32]; } m = {5, "five"}, got;
	struct msqid_ds ds;
	int id = MUST(msgget(IPC_PRIVATE, 0600));

	R(msgsnd(id, &m, 5, 0));
	m.type = 2;
	strcpy(m.text, "two");
	R(msgsnd(id, &m, 4, 0));
	m.type = 0;
	R(msgsnd(id, &m, 4, 0));
	R(msgsnd(id, &m, 9000, 0));
	R(msgrcv(id, &got, 32, 9, IPC_NOWAIT));
	R(msgrcv(id, &got, 1, -3, IPC_NOWAIT));
	R(msgrcv(id, &got, 2, -9, IPC_NOWAIT | MSG_NOERROR));
	R(got.type);
	R(msgctl(id, IPC_STAT, &ds));
	R(ds.msg_qnum);
	R(ds.__msg_cbytes);
	R(msgrcv(id, &got, 32, 5, MSG_EXCEPT | IPC_NOWAIT));
	R(msgrcv(id, &got, 32, 0, 0));
	R(got.type);
	ds.msg_qbytes = 4;
	R(msgctl(id, IPC_SET, &ds));
	m.type = 1;
	R(msgsnd(id, &m, 4, IPC_NOWAIT));
	R(msgsnd(id, &m, 4, IPC_NOWAIT));
	R(msgctl(id, IPC_RMID, NULL));
	R(msgsnd(id, &m, 4, IPC_NOWAIT));
}

static void segments(void)
{
	struct shmid_ds ds;
	key_t key = 0x5eed0000 ^ getpid(); /* others may test, too */
	int id = MUST(shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0600));
	int other = MUST(shmget(key, 0, 0));

	R(other == id);
	R(shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0600));
	R(shmget(key, 9000, 0));
	char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);
	R(a != (char *)-1 && b != (char *)-1);
	strcpy(a + 4999, "x");
	R(b[4999]);
	pid_t child = fork();
	if (child == 0) {
		shmctl(id, IPC_STAT, &ds);
		a[0] = (char)ds.shm_nattch;
		_exit(0);
	}
	waitpid(child, NULL, 0);
	R(b[0]);
	R(shmctl(id, IPC_STAT, &ds));
	R(ds.shm_nattch);
	R(ds.shm_segsz);
	R(shmctl(id, IPC_RMID, NULL));
	R(shmget(key, 0, 0));
	R(shmctl(id, IPC_STAT, &ds));
	R(ds.shm_perm.mode);
	R(shmdt(a));
	R(shmdt(a));
	R(b[4999]);
	R(shmdt(b));
	R(shmctl(id, IPC_STAT, &ds));
	R(shmat(id, NULL, 0) == (void *)-1);
}

static long kcmp_undo(pid_t other)
{
	return syscall(SYS_kcmp, getpid(), other, 6, 0, 0);
}

int main(void)
{
	int own = MUST(semget(IPC_PRIVATE, 1, 0600));
	pid_t sleeper = MUST(fork());
	if (sleeper == 0) {
		pause();
		_exit(0);
	}
	R(kcmp_undo(getpid()));
	R(kcmp_undo(sleeper));
	struct sembuf up = {0, 1, SEM_UNDO};
	R(semop(own, &up, 1));
	R(kcmp_undo(getpid()));
	R(kcmp_undo(sleeper) > 0);
	kill(sleeper, SIGKILL);
	waitpid(sleeper, NULL, 0);
	R(semctl(own, 0, IPC_RMID));

	semaphores();
	messages();
	segments();
	return 0;
}
