#!/bin/bash
# Input that is read byte by byte from pipes: lines, parts of them, what is left for others, and what comes late.
sum=0
while read -r x; do sum=$((sum + x)); done < <(seq 3000)
echo "sum $sum"

seq 500 | (for ((i = 0; i < 40; i++)); do read -r x; done; echo "line $x"; head -n 1; cat | tail -n 1)
seq 500 | (while read -r x && ((x < 100)); do :; done; echo "then $x"; (read -r x; echo "child $x"); read -r x; echo "parent $x"; wc -l)
printf 'a b\\\nc\nlast without end' | while IFS=' ' read -r x y || [ -n "$x" ]; do echo "<$x|$y>"; done
printf 'abcdefghijklmnopqrstuvwxyz' | (while read -r -n 5 x; do echo "five $x"; done; echo "rest $x")
printf 'one\0two\0three\0' | while IFS= read -r -d '' x; do echo "zero $x"; done

# Two who read in turns, and one who writes while it is read.
seq 40 | (while read -r x; do [ $((x % 7)) = 0 ] && (read -r y; echo "other $y"); done; echo "end")
(for i in 1 2 3; do for k in 1 2 3 4 5 6 7 8 9; do echo "$i$k"; done; sleep 0.02; done) | while read -r x; do printf '%s ' "$x"; done
echo
coproc cat
for i in $(seq 30); do echo "ping $i" >&"${COPROC[1]}"; read -r x <&"${COPROC[0]}"; done
echo "coproc: $x"
eval "exec ${COPROC[1]}>&-"
wait

# A pipe that is written in small pieces while nobody reads, and then all at once.
(for i in $(seq 300); do echo "$i"; done; echo done >&2) 2>/dev/null | (sleep 0.1; md5sum)
(for i in $(seq 2000); do printf '%s,' "$i"; done) | (read -r -n 20 x; echo "$x"; wc -c)
yes abc | head -n 1000 | while read -r x; do echo "$x"; done | sort | uniq -c
read -r -t 0.05 x < <(sleep 1) || echo "late: $?"
mapfile -t lines < <(seq 100)
echo "${#lines[@]} ${lines[99]}"
mapfile -n 3 -t lines < <(seq 100) && echo "${lines[*]}"
