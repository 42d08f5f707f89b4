# test: needs gcc g++ make gdb
# A parallel build, make's options, threads of every kind, OpenMP, sanitizers, shared objects, C++'s library.
mkdir lib; for i in $(seq 1 60); do printf '#include <stdio.h>\n#include "h.h"\n#include <math.h>\nstatic double t%d[64];\ndouble f%d(int n) { for (int i = 0; i < 64; i++) t%d[i] = sin(i * %d.0 + n); double s = 0; for (int i = 0; i < 64; i++) s += t%d[i] * (i %% 7); return s; }\n' $i $i $i $i $i >lib/f$i.c; echo "double f$i(int);" >>lib/h.h; done
{ echo '#include "h.h"'; echo '#include <stdio.h>'; echo 'int main(void) { double s = 0;'; for i in $(seq 1 60); do echo "s += f$i($i);"; done; echo 'printf("%.6f\n", s); return 0; }'; } >lib/main.c
cat >Makefile <<'M'
SRC := $(wildcard lib/*.c)
OBJ := $(SRC:.c=.o)
CFLAGS := -O2 -MMD -MP
prog: $(OBJ)
	@echo LD; $(CC) -o $@ $^ -lm -Wl,-Map=map.txt
-include $(OBJ:.o=.d)
sub:
	$(MAKE) -C subdir --no-print-directory
fail: ; false
keep: k1 k2
k1: ; @echo k1; exit 1
k2: ; @echo k2
M
mkdir subdir; printf 'all: a b\na: ; @sleep 0.1; echo suba\nb: ; @echo subb\n' >subdir/Makefile
make -j4 prog >log 2>&1; echo $?; tail -1 log; ./prog; make prog; touch lib/h.h; make -n prog | wc -l; make -j8 prog | grep -c lib/; make -j3 --output-sync=target sub | sort; make fail; echo $?; make -k -j2 keep 2>&1 | sort; make -q prog; echo $?; make --version | head -1 | wc -l; make -p -n prog | grep -c '^lib/f.*\.o:'; make -j2 -l 100 prog; make SHELL=/bin/bash -B --trace prog | wc -l; MAKEFLAGS=-s make prog; echo 'a: ; @echo $(shell echo sh) $(words $(wildcard lib/*))' | make -f -
gcc -O2 -flto=2 -o lto lib/*.c -lm && ./lto; gcc -O3 -pthread -fopenmp -o omp -x c - <<'C' && OMP_NUM_THREADS=4 ./omp
#include <omp.h>
#include <stdio.h>
int main(void) { long s = 0;
#pragma omp parallel for reduction(+:s)
for (long i = 0; i < 10000000; i++) s += i % 7; printf("%ld %d\n", s, omp_get_max_threads()); }
C
cat >t.c <<'C'
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <semaphore.h>
#include <unistd.h>
#include <sched.h>
#include <stdatomic.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; static pthread_cond_t c = PTHREAD_COND_INITIALIZER; static long n; static pthread_barrier_t b; static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER; static sem_t s; static pthread_key_t k; static pthread_once_t o = PTHREAD_ONCE_INIT; static atomic_int at; static __thread int tl; static pthread_spinlock_t sp;
static void once(void) { puts("once"); } static void dtor(void *p) { atomic_fetch_add(&at, (int)(long)p); }
static void *w(void *a) { pthread_once(&o, once); pthread_setspecific(k, (void *)1); pthread_barrier_wait(&b); for (int i = 0; i < 5000; i++) { pthread_mutex_lock(&m); n++; if (n % 100 == 0) pthread_cond_broadcast(&c); pthread_mutex_unlock(&m); if (i % 50 == 0) { pthread_rwlock_rdlock(&rw); tl++; pthread_rwlock_unlock(&rw); pthread_rwlock_wrlock(&rw); tl++; pthread_rwlock_unlock(&rw); } pthread_spin_lock(&sp); atomic_fetch_add(&at, 0); pthread_spin_unlock(&sp); } sem_post(&s); return (void *)(long)tl; }
static void clean(void *p) { puts("cleanup"); } static void *cancel(void *p) { pthread_cleanup_push(clean, 0); for (;;) sleep(100); pthread_cleanup_pop(0); return 0; }
int main(void) { pthread_t t[16]; pthread_spin_init(&sp, 0); pthread_barrier_init(&b, 0, 16); sem_init(&s, 0, 0); pthread_key_create(&k, dtor); pthread_attr_t at2; pthread_attr_init(&at2); pthread_attr_setstacksize(&at2, 1 << 18); for (int i = 0; i < 16; i++) pthread_create(&t[i], &at2, w, 0); pthread_mutex_lock(&m); while (n < 16 * 5000) { struct timespec ts; clock_gettime(CLOCK_REALTIME, &ts); ts.tv_sec += 5; if (pthread_cond_timedwait(&c, &m, &ts)) break; } pthread_mutex_unlock(&m); long q = 0; for (int i = 0; i < 16; i++) { void *r; sem_wait(&s); pthread_join(t[i], &r); q += (long)r; } printf("%ld %ld %d\n", n, q, at); pthread_t x; pthread_create(&x, 0, cancel, 0); usleep(20000); pthread_cancel(x); void *r; pthread_join(x, &r); printf("%d\n", r == PTHREAD_CANCELED); for (int i = 0; i < 500; i++) { pthread_create(&x, &at2, (void *(*)(void *))puts, "") && puts("fail"); pthread_join(x, 0); } return 0; }
C
gcc -O1 -pthread -o t t.c && ./t | sort | uniq -c; gcc -g -O0 -fsanitize=address -o asan -x c - <<'C' && { ./asan 2>&1 | grep -o 'heap-buffer-overflow' | head -1; }
#include <stdlib.h>
int main(int c, char **v) { char *p = malloc(10); p[10 + c - 1] = 1; return 0; }
C
gcc -fsanitize=undefined -o ub -x c - <<<'int main(int c, char **v) { int x = 2147483647; return (x + c) != 0; }' && { ./ub 2>&1 | grep -o 'signed integer overflow'; }
gcc -shared -fPIC -o libx.so -x c - <<<'int x(void) { return 42; } __attribute__((constructor)) void c(void) { write(1, "ctor\n", 5); }' 2>/dev/null; gcc -o dl -x c - -ldl <<'C' && ./dl
#include <dlfcn.h>
#include <stdio.h>
int main(void) { void *h = dlopen("./libx.so", RTLD_LAZY); int (*f)(void) = dlsym(h, "x"); printf("%d\n", f()); printf("%d\n", dlclose(h)); printf("%s\n", dlopen("nope.so", 1) ? "?" : "none"); }
C
LD_PRELOAD=./libx.so /bin/true; LD_DEBUG=libs ./dl 2>&1 | grep -c 'find library'; gcc -static-pie -o sp -x c - <<<'int main(void) { return 7; }' && ./sp; echo $?; gcc -nostdlib -static -o ns -x c - <<<'void _start(void) { __asm__("mov $60,%eax; mov $9,%edi; syscall"); }' && ./ns; echo $?; gcc -m32 -x c - <<<'int main(){}' 2>&1 | head -1 | cut -c1-10; gcc -fprofile-generate -o pg t.c -pthread && ./pg >/dev/null && ls *.gcda | wc -l; gcc -pg -o gp -x c - <<<'int main(void) { volatile long s = 0; for (long i = 0; i < 1000000; i++) s += i; return 0; }' && ./gp && ls gmon.out; gcc -c -x c - -o a.o <<<'int a;'; ar rcsD l.a a.o; ar t l.a; ranlib l.a; nm l.a | head -3; size a.o | wc -l; objcopy -O binary prog p.bin; strings prog | grep -c GLIBC; readelf -h prog | grep Type; ld --version | head -1 | wc -l; as --version | wc -l | grep -c .; gcc -pipe -c lib/f1.c -o /dev/null; echo $?; gcc -v 2>&1 | wc -l | grep -c .; echo 'int main(' | gcc -x c - 2>&1 | grep -c error; gdb -batch -ex 'info functions main' prog 2>/dev/null | grep -c main; gdb -batch -ex 'p 6*7' -ex 'disassemble main' prog 2>/dev/null | head -1; addr2line -e asan 0 ; c++filt _Z1fi; cpp -dM /dev/null | grep -c __x86_64__; g++ -O1 -std=c++20 -pthread -o cc -x c++ - <<'C' && ./cc
#include <bits/stdc++.h>
#include <thread>
#include <future>
#include <filesystem>
#include <shared_mutex>
int main() { std::vector<std::future<long>> v; for (int i = 0; i < 10; i++) v.push_back(std::async(std::launch::async, [i] { long s = 0; for (int j = 0; j < 100000; j++) s += j * i; return s; })); long t = 0; for (auto &f : v) t += f.get(); std::cout << t << "\n"; std::jthread j([](std::stop_token s) { while (!s.stop_requested()) std::this_thread::yield(); }); j.request_stop(); j.join(); std::filesystem::create_directories("fs/a/b"); std::ofstream("fs/a/f") << "x"; int n = 0; for (auto &e : std::filesystem::recursive_directory_iterator("fs")) n++; std::cout << n << std::filesystem::file_size("fs/a/f") << std::filesystem::remove_all("fs") << "\n"; try { std::filesystem::space("/nope"); } catch (std::exception &e) { std::cout << e.what() << "\n"; } std::random_device rd; std::cout << (rd() != rd()) << std::regex_match("abc", std::regex("[a-c]+")) << "\n"; }
C
