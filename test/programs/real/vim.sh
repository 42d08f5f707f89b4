# test: needs vim
# Vim: edits in silent mode, and on a terminal.
# Vim looks for keys while a command runs, and ends if there never will be any: what it reads is a pipe without an end.
mkfifo keys; exec 3<>keys
seq 1 100 >f; vim -u NONE -es -c '%s/\(\d\)0$/\1x/' -c 'g/5/d' -c '$put =strftime(\"%Y\", 0)' -c 'sort!' -c wq f <&3; echo $?; md5sum f; wc -l f
vim -u NONE -es -c 'call writefile([system("echo from shell")], "out")' -c 'let x = range(1, 5000)' -c 'call writefile([string(reduce(x, {a, b -> a + b}))], "sum")' -c 'qa!' <&3; cat out sum
command -v python3 >/dev/null || exit 0
cat >drive.py <<'END'
import os
from terminal import Terminal
vim = Terminal("vim", "-u", "NONE", "-n", "g", rows=30, cols=90)
for keys in (b"ihello world\x1b", b"yyp", b":s/world/there/\r", b"ggO\x12=6*7\r\x1b", b":wq\r"):
    vim.type(keys)
print("status", os.waitstatus_to_exitcode(vim.end())); print(open("g").read())
END
PYTHONPATH=$(dirname "$0") python3 -B drive.py
