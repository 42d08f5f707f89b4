# test: needs vim python3 less
# Vim: undo files, jobs, timers, a killed one's swap file, a terminal inside, sizes; less, top, watch.
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
sleep 500m
call writefile([string(timer_info()), job_status(j)], 'js')
let t = timer_start(50, {-> writefile(['timer'], 'tm')})
sleep 200m
call writefile(systemlist('cat', ['to stdin']), 'sl')
call mkdir('a/b', 'p') | call rename('js', 'a/b/js') | vimgrep /7/ f
call writefile([len(getqflist()) .. ''], 'qf')
make! -f /dev/null nosuch
call writefile([v:shell_error], 'mk')
!true
call writefile([getftype('a'), getfperm('f'), getfsize('f'), hostname() == '' ? 'no' : 'host', getpid() > 0, executable('sh'), exepath('sh'), has('unix')], 'ft')
wqa
V
); echo $?; cat f jobout jobst tm sl qf mk ft a/b/js; vim -u NONE -es -c 'set undofile undodir=.' -c 'silent undo' -c 'wq' f; md5sum f
cat >drive.py <<'END'
import os, pty, select, time, fcntl, termios, struct, signal, glob, sys
def start(*args):
    pid, fd = pty.fork()
    if pid == 0: os.environ["TERM"] = "xterm"; os.execvp(args[0], args)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0)); return pid, fd
def drain(fd, s):
    end, got = time.time() + s, b""
    while time.time() < end:
        if select.select([fd], [], [], 0.05)[0]:
            try: got += os.read(fd, 65536)
            except OSError: break
    return got
pid, fd = start("vim", "-u", "NONE", "-N", "g"); drain(fd, 1); os.write(fd, b"iswap me\x1b:preserve\r"); drain(fd, 0.5); print(glob.glob(".g.sw*")); os.kill(pid, 9); os.waitpid(pid, 0)
pid, fd = start("vim", "-u", "NONE", "-N", "g"); o = drain(fd, 1); print(b"ATTENTION" in o, b"recover" in o.lower()); os.write(fd, b"r"); drain(fd, 0.5); os.write(fd, b"\r:w! recovered\r:q!\r"); drain(fd, 0.7); print(os.waitpid(pid, 0)[1], open("recovered").read()); [os.unlink(x) for x in glob.glob(".*.sw*")]
pid, fd = start("vim", "-u", "NONE", "-N", "h"); drain(fd, 0.7); os.write(fd, b":terminal ++curwin\r"); drain(fd, 1); os.write(fd, b"echo in$((40+2))term; stty size >tsize; exit\r"); o = drain(fd, 1); print(b"in42term" in o, open("tsize").read()); os.write(fd, b":qa!\r"); drain(fd, 0.5); print(os.waitpid(pid, 0)[1])
pid, fd = start("vim", "-u", "NONE", "-N", "k"); drain(fd, 0.7); fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", 40, 100, 0, 0)); drain(fd, 0.3); os.write(fd, b":call writefile([&lines.'x'.&columns], 'sz')\r:!echo sub\r\r:w\r"); drain(fd, 1); print(open("sz").read()); os.kill(pid, signal.SIGHUP); drain(fd, 0.5); print(os.waitpid(pid, 0)[1]); pid, fd = start("vimdiff", "-u", "NONE", "f", "g"); drain(fd, 0.8); os.write(fd, b":qa!\r"); drain(fd, 0.4); print(os.waitpid(pid, 0)[1])
pid, fd = start("less", "f"); o = drain(fd, 0.5); os.write(fd, b"/7\rGgq"); drain(fd, 0.5); print(os.waitpid(pid, 0)[1]); pid, fd = start("top", "-d", "0.3"); drain(fd, 0.8); os.write(fd, b"q"); drain(fd, 0.5); print(os.waitpid(pid, 0)[1]); pid, fd = start("man", "true"); drain(fd, 1); os.write(fd, b"q"); drain(fd, 0.4); print(os.waitpid(pid, 0)[1] >= 0)
pid, fd = start("watch", "-n", "0.2", "echo watching"); o = drain(fd, 0.8); os.write(fd, b"\x03"); drain(fd, 0.3); print(b"watching" in o, os.waitpid(pid, 0)[1])
END
/usr/bin/python3 drive.py
