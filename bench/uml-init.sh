#!/bin/bash
# Process 1 of real UML, for comparison: runs rows.sh with what the kernel's command line names.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
stty -opost
[ -z "$bench_rows" ] || "${0%/*}/rows.sh" "$bench_micro" ${bench_rows//,/ } 2>/dev/null
[ -z "$bench_sleep" ] || sleep "$bench_sleep"
exec "$bench_micro" poweroff
