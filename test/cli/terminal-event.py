"""terminal-event.py EVENT COMMAND...: runs it on a terminal; once it says "ready", something happens to it.

EVENT is a signal for the command, "nothing", or "engine": SIGKILL for the process that all its guests come from.
Prints as JSON what it said then, its status, and whether the terminal's settings are as before.
"""
import json, os, signal, sys
from terminal import Terminal


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def happen(event, pid):
    if event == "engine":
        for child in children(pid):
            if os.path.basename(os.readlink(f"/proc/{child}/exe")) == "stub":
                os.kill(child, signal.SIGKILL)
    elif event != "nothing":
        os.kill(pid, getattr(signal, event))


event, *command = sys.argv[1:]
terminal = Terminal(command)
for _ in range(6000):
    terminal.read(0.05)
    if b"ready" in terminal.seen:
        happen(event, terminal.pid)
        break
status = terminal.end(300)
while terminal.read(0.2):
    pass
said = terminal.seen.partition(b"ready")[2].decode("latin1")
print(json.dumps([said.lstrip("\r\n"), status, terminal.restored()]))
