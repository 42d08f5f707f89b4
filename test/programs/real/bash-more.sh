# Bash: coprocesses, traps, descriptors, limits, signals, ways of starting programs, and what cannot be started.
top=$PWD; errors=$PWD/errors; exec 2>"$errors"
shopt -s extglob nullglob globstar
touch a1 a2 b1 b22; echo @(a|b)?; echo !(a*); echo +([a-z])[0-9]; mkdir -p x/y/z; touch x/y/z/f; echo **/f
printf '%q ' 'a b' $'x\ny' "it's" ''; echo; printf '%(%F)T\n' 0; printf '%s-%5.2f-%x\n' a 3.14159 255; printf -v v '%05d' 42; echo $v
mapfile -t m < <(seq 5); echo ${#m[@]} ${m[4]}; mapfile -C 'echo cb' -c 2 -t m < <(seq 4)
select s in aa bb; do echo "sel $s"; break; done <<<2 2>/dev/null
declare -A h=([a]=1 [b]=2); for k in "${!h[@]}"; do echo $k ${h[$k]}; done | sort; declare -n ref=v; echo $ref; echo ${v@Q} ${v^^} ${v/0/x}; echo {1..10..3} {a..e} {01..03}
cat <<-EOF | tr a-z A-Z
	here $((6*7)) `echo back`
	EOF
cat <<'EOF'
no $expansion
EOF
x=$(head -c 200000 /dev/zero | tr '\0' y); cat <<<"$x" | wc -c; cat <<EOF | md5sum
$x
EOF
exec 5>f5; echo five >&5; exec 5>&-; cat f5; { echo out; echo err >&2; } 2>&1 >/dev/null | cat; echo a >|f5; set -C; echo b >f5; set +C
echo <(:) | sed 's/[0-9]*$/N/'; ls -l <(:) | cut -c1; [ -p /dev/stdin ]; echo $?; true | { [ -p /dev/stdin ]; echo $?; }
time_out=$( { TIMEFORMAT=%R; time sleep 0.2; } 2>&1 ); [[ $time_out =~ ^[0-9]+\.[0-9]{3}$ && $time_out != 0.[01]* ]]; echo $?
bash -c 'kill -9 $$'; echo $?; bash -c 'kill -SEGV $$'; echo $?; (exec -a foo bash -c 'echo $0; cat /proc/self/cmdline | tr "\0" " "'); echo
bash -c 'exec 2>/dev/null; nosuch'; echo $?; touch noexec; ./noexec; echo $?; ./x; echo $?; printf '#!/nonexist\n' >bad; chmod +x bad; ./bad; echo $?; printf 'echo script $0 $1\n' >noshebang; chmod +x noshebang; ./noshebang arg
printf '#!/bin/bash -x\necho hi\n' >sheb; chmod +x sheb; ./sheb; printf '#!./sheb\n' >sheb2; chmod +x sheb2; ./sheb2; printf '#!/bin/sh' >e1; chmod +x e1; ./e1; echo $?; printf '#!\n' >e2; chmod +x e2; ./e2; echo $?; (exec ./e2); echo $?; (exec ./nope); echo $?; (exec .); echo $?
printf '#!./self\n' >self; chmod +x self; ./self 2>&1; echo $?; printf '\1\2\0\3' >junk; chmod +x junk; printf '\x7fELF' >elf; chmod +x elf; ./elf; echo $?; cp /bin/true tr; truncate -s 1000 tr; ./tr; echo $?
cd x/y; pwd | sed 's,.*/w-,,'; pwd -P | sed 's,.*/w-,,'; cd - >/dev/null; ln -s x/y ly; cd ly; pwd | sed 's,.*/,,'; pwd -P| sed 's,.*/,,'; cd ..; pwd | sed 's,.*/,,'; pushd x >/dev/null; dirs -p | wc -l; popd >/dev/null
umask 027; touch um; stat -c %a um; mkdir umd; stat -c %a umd; umask -S
hash -r; type -t ls cd if; command -v bash; enable -n echo; type -t echo; enable echo
kill -l 11; kill -l | wc -l; times | wc -l; echo $LINENO ${FUNCNAME[@]-none} ${#BASH_VERSINFO[@]}
mkdir gone; cd gone; rmdir ../gone; pwd | sed 's,.*/,,'; /bin/pwd 2>&1; ls; touch x 2>&1; cd .. 2>&1;  cd ..; readlink /proc/self/cwd | sed 's,.*/,,'; cd "$top"
exec {fd}<>rw; echo abc >&$fd; read -u $fd z; echo "z=$z"; exec {fd}<&-; cat rw; exec 7<rw 8<&7; read -u 7 l; read -u 8 l2; echo "$l/$l2"; exec 7<&- 8<&-
wait_for() { until [ -e "$1" ]; do sleep 0.01; done; }; (exec 9>lk; flock 9; : >has; wait_for free) & wait_for has; exec 9>lk; flock -n 9; echo flock $?; : >free; flock -w 200 9; echo flock $?; exec 9>&-; wait; flock lk -c 'echo locked'
f() { local x=1; trap 'echo return' RETURN; return 3; }; f; echo $?; trap - RETURN
trap 'echo got usr1' USR1; (sleep 0.2; kill -USR1 $$) & sleep 0.5; wait; trap - USR1; (trap 'echo w' USR1; sleep 1 & (sleep 0.2; kill -USR1 $BASHPID; kill -USR1 $(ps -o ppid= $BASHPID)) & wait %1; echo $?) 2>&1 | head -3
bash -c 'trap "echo ex" EXIT; exec true'; bash -c 'trap "echo ex" EXIT; kill -TERM $$; echo after' ; echo $?;  bash -c 'trap "echo hup" HUP; kill -HUP $$; echo after'; 
export -f wait_for; bash -c 'wait_for go & wait_for go & jobs -l | wc -l; jobs -p | wc -l; : >go; wait; jobs >/dev/null; jobs'; (bash -c 'kill -STOP $$; echo resumed' & p=$!; until [ "$(ps -o stat= $p | cut -c1)" = T ]; do sleep 0.01; done; echo stopped; kill -CONT $p; wait $p)
echo "a b" | while read -r a b; do echo $b; done; shopt -s lastpipe; echo q | read q; echo $q; set -o pipefail; false | true; echo $?; ! true; echo $?
ulimit -Sn 64; bash -c 'for i in {10..70}; do eval "exec $i</dev/null" 2>/dev/null || { echo fail; break; }; done' 2>&1 | tail -1; ulimit -u >/dev/null; (ulimit -s 256; bash -c 'f() { f; }; f' 2>/dev/null; echo $?); ulimit -c; (ulimit -f 0; echo x >lim; echo $?) 2>&1
env -i bash -c 'echo $PATH; export'; BASH_ENV=/dev/null bash -c 'echo $-'; bash --posix -c 'echo $POSIXLY_CORRECT'; bash -r -c 'cd /' ; bash -n -c 'if'; echo $?; echo 'echo stdin $0 $1' | bash -s a; bash -c 'echo $0 $@' zero one; bash <(echo 'echo procsub'); source <(echo 'y=5'); echo $y; bash -lc 'shopt login_shell'; bash -ic 'echo $-' 2>/dev/null
printf 'line1\nline2\n' | { read a; cat; }; printf 'line1\nline2\n' >in; { read a; cat; } <in; { head -1 >/dev/null; cat; } <in; { sed 1q; cat; } <in; yes | head -c 100000 | { read x; wc -c; }
sed -E 's/line ([0-9]+): +[0-9]+ /line \1: PID /' "$errors"
