#!/bin/bash
# rows.sh MICRO ROW...: prints "ROW value" for each: MICRO's rows in its units, the rest in seconds.
# The same script runs on the host, in a machine and in real UML; it works in a new folder, on a tmpfs if there is one.
set -e
micro=$1
shift
python=/usr/bin/python3
[ -x "$python" ] || python=python3

for base in /dev/shm /tmp; do
  [ "$(stat -f -c %T $base 2>/dev/null)" = tmpfs ] && [ -w $base ] && break
done
work=$(mktemp -d "$base/uml-bench.XXXXXX")
trap 'cd /; rm -rf "$work"' EXIT
cd "$work"
export HOME=$work LC_ALL=C GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b

prepare_make() {
  mkdir make
  for i in $(seq 20); do
    printf '#include <stdio.h>\n#include <stdlib.h>\nint f%d(int n) { printf("%%d", n); return abs(n) + %d; }\n' "$i" "$i" >make/f$i.c
  done
  printf 'all: $(patsubst %%.c,%%.o,$(wildcard *.c))\n\tar rcs lib.a $^\n' >make/Makefile
}

prepare_git() {
  mkdir git
  for d in $(seq 20); do
    mkdir git/d$d
    for f in $(seq 100); do echo "file $f of $d" >git/d$d/f$f; done
  done
  git init -q git
}

run_true() { for ((i = 0; i < 300; i++)); do /bin/true; done; }
run_make() { make -s -j2 -C make; }
run_git() { git -C git add . && git -C git commit -q -m all; }
run_python() { for ((i = 0; i < 10; i++)); do "$python" -c pass; done; }

seconds() {
  type -t "prepare_$1" >/dev/null && "prepare_$1"
  local begin=${EPOCHREALTIME/./} end
  "run_$1" >&2
  end=${EPOCHREALTIME/./}
  printf '%s %d.%06d\n' "$1" $(((end - begin) / 1000000)) $(((end - begin) % 1000000))
}

for row in "$@"; do
  case $row in
    true | make | git | python) seconds "$row" ;;
    *) "$micro" "$row" ;;
  esac
done
