# Signals and background processes from the shell; ps and kill. Bash's own messages hold process ids.
exec 2>/dev/null
sleep 100 & p=$!; kill -0 $p && echo alive; kill $p; wait $p; echo $?
sleep 100 & p=$!; kill -STOP $p; until [ "$(cut -d' ' -f3 /proc/$p/stat)" = T ]; do sleep 0.01; done; echo stopped; kill -CONT $p; kill -9 $p; wait $p 2>/dev/null; echo $?
(trap '' TERM; : >deaf; until [ -e killed ]; do sleep 0.01; done; echo survived) & p=$!; until [ -e deaf ]; do sleep 0.01; done; kill $p; : >killed; wait $p; echo $?
setsid sh -c 'echo session' ; nohup sh -c 'echo nohup' 2>/dev/null
sleep 50 & sleep 50 & sleep 50 & jobs -p | wc -l; kill $(jobs -p); wait; jobs >/dev/null; jobs | wc -l
for i in 1 2 3 4 5 6 7 8; do (sleep 0.0$i; exit $i) & done; wait; echo all
sh -c 'kill -SEGV $$'; echo $?
xargs -P4 -n1 sh -c 'echo $0' < <(seq 8) | sort -n | paste -sd' '
ps -o comm= -p $$; ps -e -o pid= | grep -c "^ *$$\$"
pgrep -P $$ -x nosuch; echo $?
sh -c 'sleep 0.1 & exit 0' | cat; echo pipe closed
( ulimit -t 1; while :; do :; done ) 2>/dev/null; echo $?
nice -n 5 nice; taskset -c 0 nproc
flock lock -c 'echo locked'; (flock -n 9 || exit 1; flock -n lock -c 'echo no' || echo busy) 9>lock
cat /proc/self/comm; tr '\0' ' ' </proc/self/cmdline; echo
