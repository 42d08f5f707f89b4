# test: needs python3
# Bash's job control on a terminal: ^Z, bg, fg, jobs, ^C.
cat >drive.py <<'END'
import os, pty, re, select, sys, time

pid, fd = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
seen = b""

def wait(text, seconds=120):
    global seen
    end = time.time() + seconds
    while text not in seen:
        if time.time() > end:
            print("no", text, "in", seen); sys.exit(1)
        if select.select([fd], [], [], 0.1)[0]:
            seen += os.read(fd, 4096)
    before, _, seen = seen.partition(text)
    return before

def fields(pid):
    try:
        stat = open(f"/proc/{pid}/stat").read()
    except OSError:
        return "", ""
    return stat[stat.index("(") + 1:stat.rindex(")")], stat[stat.rindex(")") + 2]

def until(true):
    for i in range(12000):
        if true(): return
        time.sleep(0.01)
    print("never so"); sys.exit(1)

def runs(name):
    """Until the program has the terminal and waits."""
    until(lambda: fields(os.tcgetpgrp(fd)) == (name, "S"))

def send(text):
    os.write(fd, text)

send(b"PS1='ready> '; bind 'set enable-bracketed-paste off'; echo be''gin\n")
wait(b"begin\r\n")
def cmd(line):
    send(line + b"\n")
def show(label, data):
    text = re.sub(rb"\x1b\[[?0-9;]*[a-zA-Z]", b"", data).decode().replace("\r", "")
    text = re.sub(r"\[1\] \d+\n", "[1] PID\n", text)
    print(label + ":", text.strip())
wait(b"ready> ")
cmd(b"cat"); runs("cat"); send(b"typed\n"); wait(b"typed\r\ntyped\r\n"); send(b"\x1a"); show("stop", wait(b"ready> "))
cmd(b"jobs"); show("jobs", wait(b"ready> "))
cmd(b"fg"); wait(b"cat\r\n"); runs("cat"); send(b"again\n"); wait(b"again\r\nagain\r\n"); send(b"\x04"); show("eof", wait(b"ready> "))
cmd(b"sleep 1000"); runs("sleep"); send(b"\x03"); show("interrupt", wait(b"ready> "))
cmd(b"echo $?"); show("status", wait(b"ready> "))
os.mkfifo("fifo")
cmd(b"read line <fifo &"); show("background", wait(b"ready> "))
cmd(b"wait"); until(lambda: open(f"/proc/{pid}/syscall").read().startswith("61 ")); os.close(os.open("fifo", os.O_WRONLY)); show("wait", wait(b"ready> "))
cmd(b"sleep 1000"); runs("sleep"); send(b"\x1a"); wait(b"ready> ")
cmd(b"bg"); show("bg", wait(b"ready> "))
cmd(b"kill %1; wait"); wait(b"ready> ")
cmd(b"stty size"); show("size", wait(b"ready> "))
cmd(b"exit 7"); wait(b"exit\r\n")
print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
python3 drive.py
