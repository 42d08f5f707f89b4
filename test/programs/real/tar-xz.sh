# test: needs tar xz gzip
# Archives made and unpacked: modes, links, times, sparse files, compression by several threads.
mkdir -p src/deep/er; for i in $(seq 1 300); do seq "$i" $((i + 200)) >src/deep/f$i; done
ln -s deep/f1 src/link; ln src/deep/f2 src/hard; mkfifo src/fifo; truncate -s 3M src/sparse; printf end >>src/sparse; chmod 705 src/deep/f3
touch -d '2020-01-01 UTC' src/deep/f4
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime='2021-01-01 UTC' -cf a.tar src; md5sum a.tar; tar tf a.tar | wc -l
tar -cSf sparse.tar src/sparse; [ "$(stat -c %s sparse.tar)" -lt 100000 ] && echo sparse
for z in gzip xz bzip2 zstd; do command -v $z >/dev/null || { echo no $z; continue; }; $z -k <a.tar >a.$z; $z -dc a.$z | cmp - a.tar && echo $z same; done
xz -T2 -k -9 a.tar && xz -t a.tar.xz && echo threads
mkdir out; tar xJf a.tar.xz -C out; diff -r --no-dereference src out/src 2>&1 | grep -v fifo; stat -c '%a %h %F' out/src/deep/f3 out/src/hard out/src/fifo
tar -C src -cf - . | tar -C out -xf - && find out -type f | wc -l
tar xf a.tar --to-stdout src/deep/f7 | md5sum; tar df a.tar 2>&1 | grep -v -i 'time\|fifo' | head; echo end
