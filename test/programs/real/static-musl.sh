# test: needs musl-gcc
# A static program against musl.
cat >m.c <<'END'
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static void *thread(void *a) { return (char *)a + 1; }
static void handler(int s) { write(1, s == SIGUSR1 ? "signal\n" : "?\n", 7); }
int main(int argc, char **argv) {
  pthread_t t; void *r; int status; struct timespec ts;
  printf("%d %s\n", argc, argv[1]);
  pthread_create(&t, 0, thread, (void *)41); pthread_join(t, &r); printf("%ld\n", (long)r);
  signal(SIGUSR1, handler); fflush(stdout); raise(SIGUSR1);
  if (!fork()) { execlp("sh", "sh", "-c", "echo exec; exit 5", (char *)0); _exit(1); }
  wait(&status); printf("%d\n", WEXITSTATUS(status));
  printf("%d\n", clock_gettime(CLOCK_MONOTONIC, &ts)); char *p = malloc(10000000); memset(p, 1, 10000000); printf("%d\n", p[9999999]);
  FILE *f = popen("echo popen", "r"); char line[100]; fputs(fgets(line, 100, f), stdout); return pclose(f) + 3;
}
END
musl-gcc -static -O2 -o m m.c && ./m word; echo $?
musl-gcc -static-pie -fPIE -O2 -o mp m.c 2>/dev/null && ./mp word; echo $?
