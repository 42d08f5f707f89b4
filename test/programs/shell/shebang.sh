# Scripts as programs: interpreters, arguments, environments, missing ones.
printf '#!/bin/sh\necho "$0 $*"\n' >s; chmod +x s; ./s a 'b c'
printf '#!/usr/bin/env -S awk -f\nBEGIN { print "awk" ARGC }\n' >a; chmod +x a; ./a x y
printf 'echo no interpreter line\n' >n; chmod +x n; ./n
printf '#!/does/not/exist\n' >m; chmod +x m; ./m 2>/dev/null; echo $?
chmod -x s; ./s 2>/dev/null; echo $?
nosuchcommand 2>/dev/null; echo $?
printf '\177ELFgarbage' >e; chmod +x e; ./e 2>/dev/null; echo $?
env -i PATH="$PATH" A=1 sh -c 'echo $A; env | wc -l'
(exec -a othername sh -c 'echo $0')
mkdir bin; printf '#!/bin/sh\necho found in PATH\n' >bin/prog; chmod +x bin/prog; PATH=$PWD/bin:$PATH prog
ln -s ../s bin/link; chmod +x s; bin/link linked
