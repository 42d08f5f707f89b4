"""terminal-signal.py SIGNAL COMMAND...: runs it on a new terminal and sends the signal once it says "ready".

Prints as JSON what it said then, its status, and whether the terminal's settings are as before.
"""
import fcntl, json, os, pty, select, signal, sys, termios, time

master, slave = pty.openpty()
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.closerange(3, 100)
    os.execv(sys.argv[2], sys.argv[2:])

seen = b""
sent = ended = status = 0
end = time.time() + 30
while not ended and time.time() < end:
    if select.select([master], [], [], 0.05)[0]:
        seen += os.read(master, 4096)
    if not sent and b"ready" in seen:
        sent = os.kill(pid, getattr(signal, sys.argv[1])) or 1
    ended, status = os.waitpid(pid, os.WNOHANG)
if not ended:
    os.kill(pid, signal.SIGKILL)
while select.select([master], [], [], 0.2)[0]:
    seen += os.read(master, 4096)
said = seen.partition(b"ready")[2].decode("latin1").replace("\r", "").lstrip("\n")
restored = termios.tcgetattr(slave) == before
print(json.dumps([said, os.waitstatus_to_exitcode(status) if ended else None, restored]))
