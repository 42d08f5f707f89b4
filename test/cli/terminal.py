"""terminal.py COMMAND...: runs it on a new terminal of 33 rows and 101 columns and plays a scene on it.

Prints what was seen as JSON: answers, the status, and the terminal's settings before and after.
"""
import fcntl, json, os, pty, select, signal, struct, sys, termios, time

master, slave = pty.openpty()
size = lambda rows, cols: fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("4H", rows, cols, 0, 0))
size(33, 101)
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.closerange(3, 100)
    os.environ["TERM"] = "xterm"
    os.execv(sys.argv[2], sys.argv[2:])

seen = b""


def fail(why):
    print(json.dumps({"error": why, "seen": seen.decode("latin1")}))
    os.kill(pid, signal.SIGKILL)
    sys.exit(0)


def until(text, seconds=20):
    """What came before `text`, which must come."""
    global seen
    end = time.time() + seconds
    while text not in seen:
        if time.time() > end:
            fail("never seen: " + repr(text))
        if select.select([master], [], [], 0.1)[0]:
            seen += os.read(master, 4096)
    got, _, seen = seen.partition(text)
    return got.decode("latin1").replace("\r", "")


def do(line):
    """Types a command; its output."""
    os.write(master, line + b"; echo en''d $?\n")
    until(b"\n")
    got = until(b"end ")
    return got, until(b"\n").strip()


result = {}
os.write(master, b"PS1=; stty -echo; echo be''gin\n")
until(b"begin\r\n")
result["size"] = do(b"stty size")
size(40, 120)
time.sleep(0.3)
result["resized"] = do(b"stty size")
result["tty"] = do(b"test -t 0 && test -t 1 && test -t 2 && tty >/dev/null")
os.write(master, b"sleep 100\n")
time.sleep(0.5)
os.write(master, b"\x03")
result["interrupted"] = do(b"echo was $?")
os.write(master, b"sleep 100\n")
time.sleep(0.5)
os.write(master, b"\x1a")
result["stopped"] = do(b"jobs | grep -c Stopped")
result["raw"] = termios.tcgetattr(slave)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)
if sys.argv[1] == "exit":
    os.write(master, b"kill -9 %1; sleep 0.5; jobs; exit 9\n")
else:
    os.kill(pid, getattr(signal, sys.argv[1]))
end = time.time() + 10
ended = 0
while not ended and time.time() < end:
    if select.select([master], [], [], 0.05)[0]:
        seen += os.read(master, 4096)
    ended, status = os.waitpid(pid, os.WNOHANG)
if not ended:
    fail("does not end")
result["status"] = os.waitstatus_to_exitcode(status)
end = time.time() + 2
while termios.tcgetattr(slave) != before and time.time() < end:
    time.sleep(0.05)
result["restored"] = termios.tcgetattr(slave) == before
print(json.dumps(result))
