# test: needs python3
# Bash's job control on a terminal: ^Z, bg, fg, jobs, ^C.
cat >drive.py <<'END'
import os, pty, re, select, sys, time

pid, fd = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
seen = b""

def wait(text, seconds=15):
    global seen
    end = time.time() + seconds
    while text not in seen:
        if time.time() > end:
            print("no", text, "in", seen); sys.exit(1)
        if select.select([fd], [], [], 0.1)[0]:
            seen += os.read(fd, 4096)
    before, _, seen = seen.partition(text)
    return before

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
cmd(b"cat"); time.sleep(0.5); send(b"typed\n"); wait(b"typed\r\ntyped\r\n"); send(b"\x1a"); show("stop", wait(b"ready> "))
cmd(b"jobs"); show("jobs", wait(b"ready> "))
cmd(b"fg"); wait(b"cat\r\n"); time.sleep(0.3); send(b"again\n"); wait(b"again\r\nagain\r\n"); send(b"\x04"); show("eof", wait(b"ready> "))
cmd(b"sleep 100"); time.sleep(0.5); send(b"\x03"); show("interrupt", wait(b"ready> "))
cmd(b"echo $?"); show("status", wait(b"ready> "))
cmd(b"sleep 0.5 &"); show("background", wait(b"ready> "))
cmd(b"wait"); show("wait", wait(b"ready> "))
cmd(b"sleep 100"); time.sleep(0.5); send(b"\x1a"); wait(b"ready> ")
cmd(b"bg"); show("bg", wait(b"ready> "))
cmd(b"kill %1; wait"); wait(b"ready> ")
cmd(b"stty size"); show("size", wait(b"ready> "))
cmd(b"exit 7"); wait(b"exit\r\n")
print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
python3 drive.py
