# test: needs vim python3 less
# Vim: undo files, jobs, timers, a killed one's swap file, a terminal inside, sizes; less, top, watch.
# Vim looks for keys while a command runs, and ends if there never will be any: what it reads is a pipe without an end.
mkfifo keys; exec 3<>keys
seq 1 20 >f; vim -u NONE -es -S <(cat <<'V'
set undofile undodir=.
5delete
%s/\v(\d)(\d)/\2\1/
$r !echo shell; exit 3
call append(0, v:shell_error)
g/^1/m$
normal! ggyG
undo
redo
w
let j = job_start(['sh','-c','echo job; sleep 0.1; echo end'], {'out_io':'file','out_name':'jobout','exit_cb':{j,s->writefile([s],'jobst')}})
while job_status(j) ==# 'run' || !filereadable('jobst') | sleep 10m | endwhile
call writefile([string(timer_info()), job_status(j)], 'js')
let t = timer_start(50, {-> writefile(['timer'], 'tm')})
while !filereadable('tm') | sleep 10m | endwhile
call writefile(systemlist('cat', ['to stdin']), 'sl')
call mkdir('a/b', 'p') | call rename('js', 'a/b/js') | vimgrep /7/ f
call writefile([len(getqflist()) .. ''], 'qf')
make! -f /dev/null nosuch
call writefile([v:shell_error], 'mk')
!true
call writefile([getftype('a'), getfperm('f'), getfsize('f'), hostname() == '' ? 'no' : 'host', getpid() > 0, executable('sh'), exepath('sh'), has('unix')], 'ft')
wqa
V
) <&3; echo $?; cat f jobout jobst tm sl qf mk ft a/b/js; vim -u NONE -es -c 'set undofile undodir=.' -c 'silent undo' -c 'wq' f <&3; md5sum f
cat >drive.py <<'END'
import glob, os, signal
from terminal import Terminal
def there(name): return os.path.exists(name) and os.path.getsize(name) > 0
VIM = ("vim", "-u", "NONE", "-N")
t = Terminal(*VIM, "g"); t.type(b"iswap me\x1b:preserve\r"); t.settle(); print(glob.glob(".g.sw*")); os.kill(t.pid, 9); t.end()
t = Terminal(*VIM, "g"); t.settle(); print(b"ATTENTION" in t.seen, b"recover" in t.seen.lower()); t.type(b"r"); t.type(b"\r:w! recovered\r:q!\r"); print(t.end(), open("recovered").read()); [os.unlink(x) for x in glob.glob(".*.sw*")]
t = Terminal(*VIM, "h"); t.type(b":terminal ++curwin\r"); t.until(t.children); t.type(b"echo in$((40+2))term; stty size >tsize; exit\r"); t.until(lambda: there("tsize") and not t.children()); t.settle(); print(b"in42term" in t.seen, open("tsize").read()); t.type(b":qa!\r"); print(t.end())
t = Terminal(*VIM, "k"); t.settle(); t.resize(40, 100); t.type(b":call writefile([&lines.'x'.&columns], 'sz')\r"); t.type(b":!echo sub\r"); t.type(b"\r:w\r"); t.settle(); print(open("sz").read()); os.kill(t.pid, signal.SIGHUP); print(t.end()); t = Terminal("vimdiff", "-u", "NONE", "f", "g"); t.type(b":qa!\r"); print(t.end())
t = Terminal("less", "f"); t.type(b"/7\r"); t.type(b"Gg"); t.type(b"q"); print(t.end()); t = Terminal("top", "-d", "0.3"); t.until(lambda: t.seen and t.raw()); os.write(t.fd, b"q"); print(t.end()); t = Terminal("man", "true"); t.settle(); os.write(t.fd, b"q"); print(t.end() >= 0)
t = Terminal("watch", "-n", "0.2", "echo watching"); t.until(lambda: b"watching" in t.seen); os.write(t.fd, b"\x03"); print(t.end())
END
PYTHONPATH=$(dirname "$0") /usr/bin/python3 -B drive.py
