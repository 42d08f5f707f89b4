# test: needs gcc make
# A small C project: generated sources, a library, make -j2, tests; then built again after an edit.
mkdir src && cd src || exit 1
for i in $(seq 1 16); do
  printf '#include "all.h"\n#include <stdlib.h>\n#include <string.h>\n#include <stdio.h>\nint cmp%d(const void *a, const void *b) { return *(int *)a - *(int *)b; }\nlong f%d(long n) { int v[500]; long s = 0; for (int i = 0; i < 500; i++) v[i] = (i * %d + n) %% 997; qsort(v, 500, sizeof *v, cmp%d); for (int i = 0; i < 500; i++) s += v[i] * i; return s; }\n' $i $i $((i * 37)) $i >f$i.c
done
for i in $(seq 1 16); do echo "long f$i(long);"; done >all.h
{ echo '#include "all.h"'; echo '#include <stdio.h>'; echo 'int main(void) { long s = 0;'; for i in $(seq 1 16); do echo "s += f$i($i);"; done; echo 'printf("%ld\n", s); return s == 0; }'; } >main.c
cat >Makefile <<'END'
OBJS := $(patsubst %,f%.o,$(shell seq 1 16))
CFLAGS = -O2 -Wall
all: prog shared.so
prog: main.o libf.a
	$(CC) -o $@ $^
libf.a: $(OBJS)
	ar rcD $@ $^
shared.so: f1.c
	$(CC) -shared -fPIC -o $@ $<
%.o: %.c all.h
	$(CC) $(CFLAGS) -c -o $@ $<
check: all
	./prog
clean:
	rm -f *.o *.a prog *.so
.PHONY: all check clean
END
make -s -j2 all; echo "make $?"; ./prog; ls *.o | wc -l; make -s -j2 all; echo "again $?"
touch f3.c; make -j2 all | grep -c -e ' -c '; make -s check; echo 'int broken(' >>f4.c; make -s all 2>&1 | grep -c error; sed -i '$d' f4.c
make -s clean; make -s -j2 CFLAGS='-O0 -g' all; ./prog
gcc -O2 -flto -o lto main.c f*.c && ./lto; gcc -static -o static main.c f*.c && ./static
echo '#include <iostream>
#include <map>
#include <thread>
int main() { std::map<int, int> m; for (int i = 0; i < 1000; i++) m[i % 10] += i; std::thread t([&] { m[3] = 7; }); t.join(); try { throw m[3]; } catch (int x) { std::cout << x << m.size() << "\n"; } }' >x.cc
command -v g++ >/dev/null && g++ -O1 -pthread -o x x.cc && ./x
objdump -d prog | grep -c '<main>:'; strip prog && ./prog; nm -D shared.so | grep -c ' T f1'
