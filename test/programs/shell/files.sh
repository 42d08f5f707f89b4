# What coreutils do to files.
mkdir -p d/e/f; echo hello >d/a; cp d/a d/b; ln d/a d/hard; ln -s a d/soft; mkfifo d/pipe
stat -c '%n %F %a %h' d/a d/hard d/soft d/pipe
cp -a d copy; diff -r --no-dereference d copy 2>&1 | grep -v 'is a fifo'
ls -A d | sort; readlink d/soft; realpath --relative-to=. d/soft
mv d/b d/e/; find d -type f | sort; rm -r copy
touch -d '2001-02-03 04:05:06 UTC' d/a; stat -c %Y d/a; date -u -r d/a +%FT%T
chmod u=rwx,go=r d/a; stat -c %A d/a; test -x d/a && echo executable
dd if=/dev/zero of=z bs=1000 count=5 seek=2 2>/dev/null; stat -c %s z; md5sum z
truncate -s 1M z; du --apparent-size -k z | cut -f1; split -b 300k z part; ls part* | wc -l; cat part* | cmp - z && echo same
seq 1000 | shuf --random-source=/dev/zero | sort -n | uniq -c | tail -n1
printf 'b\na\nc\n' >s; sort -o s s; cat s; tac s; nl s; od -c s | head -n2; base64 s
head -c 100000 /dev/zero | gzip | gunzip | wc -c
mktemp -d tmp.XXXXXX | cut -c1-4; install -m 750 s inst; stat -c %a inst
ln -s nowhere dangling; cat dangling; ls nope; rmdir d; echo $?
: >followed; tail -f s --pid=$$ >followed & until grep -q c followed; do sleep 0.05; done; echo more >>s; until grep -q more followed; do sleep 0.05; done; { kill $!; wait $!; } 2>/dev/null; cat followed
[ "$(tty)" = "not a tty" ] && echo no terminal
sync; df . >/dev/null && echo df; id -u | wc -l
