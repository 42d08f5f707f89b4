# grep, sed, awk, find, xargs, cut, join, comm over generated text and the host's own files.
seq 1 3000 | awk '{ s += $1; if ($1 % 500 == 0) print $1, s } END { printf "%.3f\n", s / NR }'
seq 1 3000 | grep -E '^[13]+7$' | sed -E 's/(.)(.*)/\2-\1/' | tail -n 5
for i in $(seq 1 200); do mkdir -p t/$((i % 10)); printf 'line %d\nother\n' "$i" >t/$((i % 10))/f$i.txt; done
find t -name '*9.txt' -newer /etc/passwd | sort | head -n 5; find t -type f -size -20c | wc -l
find t -type f -print0 | xargs -0 -n 50 cat | sort | uniq -c | sort -rn | head -n 3
grep -rl 'line 7$' t; grep -rc other t | awk -F: '{ s += $2 } END { print s }'
find t -name 'f1?.txt' -exec rm {} +; find t -type f | wc -l; find t -depth -delete; ls t 2>&1
ls -R /usr/bin | sort | md5sum; find /usr/lib/python3* /usr/share/perl -name '*.p[ym]' 2>/dev/null | head -n 2000 | xargs cat | md5sum
awk 'BEGIN { while (("echo a; echo b" | getline line) > 0) print "got " line; close("echo a; echo b"); print "x" | "cat"; close("cat"); system("echo system") }'
paste <(seq 3) <(seq 4 6) | column -t; join <(printf '1 a\n2 b\n') <(printf '1 x\n2 y\n'); comm -12 <(seq 5) <(seq 3 8)
sed -i.bak 's/a/b/' /dev/stdin </dev/null 2>/dev/null; echo aaa >f; sed -i.bak 's/a/b/2' f; cat f f.bak
bc <<<'2^100; scale=20; 1/7' 2>/dev/null || echo no bc
