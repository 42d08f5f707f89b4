# Pipelines, redirections, here documents, arithmetic, traps, subshells in bash.
echo one two three | tr ' ' '\n' | sort -r | paste -sd,
cat <<END
here $((6 * 7)) $(echo nested $(echo deeper))
END
f() { local x=$1; return "$x"; }
f 3 || echo "status $?"
(exit 5); echo "subshell $?"
set -o pipefail; false | true; echo "pipefail $?"; set +o pipefail
echo text >file; echo more >>file; wc -l <file
{ echo out; echo err >&2; } 2>&1 >both | sed 's/^/piped: /'; cat both
exec 5>fd5; echo five >&5; exec 5>&-; cat fd5
echo x 2>/dev/null >&9 || echo "bad descriptor"
trap 'echo trapped USR1' USR1; kill -USR1 $$; trap 'echo exit trap' EXIT
for i in {1..3}; do printf '%d ' "$i"; done; echo
diff <(seq 1 5) <(seq 2 6)
read -r a b < <(echo first second third); echo "$b"
coproc cat; echo through >&"${COPROC[1]}"; read -r line <&"${COPROC[0]}"; echo "$line"; { kill $COPROC_PID; wait $COPROC_PID; } 2>/dev/null
sleep 0.05 & wait $!; echo "waited $?"
bash -c 'kill -TERM $$'; echo "term $?"
timeout 0.1 sleep 1000; echo "timeout $?"
[[ -d . && -w . && ! -e nope && -x /bin/sh ]] && echo tests
printf '%s\n' *; mkdir -p a/b/c; cd a/b/c && pwd -P | sed 's|.*/a/|a/|'; cd - >/dev/null
umask; ulimit -n >/dev/null && echo limits
echo "${BASH_VERSION:+bash}" $LC_ALL
mapfile -t lines < <(seq 100); echo "${#lines[@]}"
time_out=$( { time true; } 2>&1 | grep -c real); echo "$time_out"
yes | head -n 100000 | md5sum
seq 20000 | while read -r n; do [ $((n % 5000)) = 0 ] && echo $n; done
echo done
