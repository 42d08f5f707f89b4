# test: needs vim
# Vim: edits in silent mode, and on a terminal.
seq 1 100 >f; vim -u NONE -es -c '%s/\(\d\)0$/\1x/' -c 'g/5/d' -c '$put =strftime(\"%Y\", 0)' -c 'sort!' -c wq f; echo $?; md5sum f; wc -l f
vim -u NONE -es -c 'call writefile([system("echo from shell")], "out")' -c 'let x = range(1, 5000)' -c 'call writefile([string(reduce(x, {a, b -> a + b}))], "sum")' -c 'qa!'; cat out sum
command -v python3 >/dev/null || exit 0
cat >drive.py <<'END'
import os, pty, select, time, fcntl, termios, struct
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"; os.execvp("vim", ["vim", "-u", "NONE", "-n", "g"])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", 30, 90, 0, 0))
def drain(seconds):
    end, got = time.time() + seconds, b""
    while time.time() < end:
        if select.select([fd], [], [], 0.05)[0]:
            try: got += os.read(fd, 65536)
            except OSError: break
    return got
drain(1.0)
for keys in (b"ihello world\x1b", b"yyp", b":s/world/there/\r", b"ggO\x12=6*7\r\x1b", b":wq\r"):
    os.write(fd, keys); drain(0.4)
print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])); print(open("g").read())
END
python3 drive.py
