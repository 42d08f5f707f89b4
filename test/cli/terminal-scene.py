"""terminal-scene.py END COMMAND...: runs a shell on a terminal of 33 rows and 101 columns and plays a scene on it.

END is how it ends: "exit", or a signal for the command. Prints what was seen as JSON: answers, the status, whether the
terminal was in raw mode and is as before.
"""
import json, os, signal, sys, termios, time
from terminal import Terminal

terminal = Terminal(sys.argv[2:], 33, 101)


def fail(why):
    print(json.dumps({"error": why, "seen": terminal.seen.decode("latin1")}))
    os.kill(terminal.pid, signal.SIGKILL)
    sys.exit(0)


def until(text, seconds=300):
    """What came before `text`, which must come."""
    limit = time.time() + seconds
    while text not in terminal.seen:
        if time.time() > limit:
            fail("never seen: " + repr(text))
        terminal.read(0.1)
    got, _, terminal.seen = terminal.seen.partition(text)
    return got.decode("latin1").replace("\r", "")


def do(line):
    """Types a command; its output."""
    terminal.type(line + b"; echo en''d $?\n")
    until(b"\n")
    got = until(b"end ")
    return got, until(b"\n").strip()


def interrupt(key):
    terminal.type(b"sh -c 'echo fore''ground; exec sleep 100'\n")
    until(b"foreground")
    terminal.type(key)


result = {}
terminal.type(b"PS1=; stty -echo; echo be''gin\n")
until(b"begin\r\n")
result["size"] = do(b"stty size")
terminal.resize(40, 120)
result["resized"] = do(b"stty size")
result["tty"] = do(b"test -t 0 && test -t 1 && test -t 2 && tty >/dev/null")
interrupt(b"\x03")
result["interrupted"] = do(b"echo was $?")
interrupt(b"\x1a")
result["stopped"] = do(b"jobs | grep -c Stopped")
result["raw"] = termios.tcgetattr(terminal.slave)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)
if sys.argv[1] == "exit":
    terminal.type(b"kill -9 %1; wait -f %1; exit 9\n")
else:
    os.kill(terminal.pid, getattr(signal, sys.argv[1]))
result["status"] = terminal.end(300)
if result["status"] is None:
    fail("does not end")
result["restored"] = terminal.restored()
print(json.dumps(result))
