# test: needs valgrind gcc
# Valgrind runs a program's text by reading it: memory errors, threads, signals, fork, exec.
cat >v.c <<'C'
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *thread(void *p) { return p; }
static void handler(int signal) { write(1, "signal\n", 7); }
int main(int count, char **words) {
  char *p = malloc(10); pthread_t t; int status;
  p[0] = 1; if (count == 1) free(p);
  pthread_create(&t, NULL, thread, NULL); pthread_join(t, NULL);
  signal(SIGUSR1, handler); raise(SIGUSR1);
  if (fork() == 0) _exit(3);
  wait(&status);
  return WEXITSTATUS(status) + (count == 3 ? p[10] == 'x' : 0);
}
C
gcc -g -pthread -w v.c -o v
for words in "" "1" "1 2"; do valgrind -q --error-exitcode=9 --leak-check=full ./v $words 2>&1 | grep -E '^signal|Invalid|lost' | sed 's/==[0-9]*==//'; valgrind -q --error-exitcode=9 --leak-check=full ./v $words >/dev/null 2>&1; echo $?; done
valgrind -q --trace-children=yes sh -c 'echo $(ls -d /); exit 3'; echo $?; valgrind -q --tool=callgrind --callgrind-out-file=/dev/null ./v; echo $?
