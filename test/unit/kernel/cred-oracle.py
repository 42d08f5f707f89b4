"""Runs sequences of credential calls natively, each in a child of its own: JSON in, JSON out."""
import ctypes
import json
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
NR = {
    'setuid': 105, 'setgid': 106, 'setreuid': 113, 'setregid': 114, 'setresuid': 117, 'setresgid': 119,
    'setfsuid': 122, 'setfsgid': 123, 'prctl': 157,
}
FIELDS = ('Uid', 'Gid', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')


def status():
    lines = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)
    return [' '.join(lines[name].split()) for name in FIELDS]


def capset(effective, permitted, inheritable):
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (effective, permitted, inheritable)
    data = (ctypes.c_uint32 * 6)(*[v & 0xffffffff for v in sets], *[v >> 32 for v in sets])
    return libc.syscall(126, header, data)


def run(step):
    name, args = step[0], step[1:]
    ctypes.set_errno(0)
    if name == 'capset':
        result = capset(*args)
    else:
        result = libc.syscall(NR[name], *[ctypes.c_long(a) for a in args], *[ctypes.c_long(0)] * (5 - len(args)))
    return -ctypes.get_errno() if result == -1 and ctypes.get_errno() else result


def child(steps, out):
    trace = [[0, status()]]
    for step in steps:
        result = run(step)
        trace.append([result, status()])
    os.write(out, (json.dumps(trace) + '\n').encode())
    os._exit(0)


for line in sys.stdin:
    sys.stdout.flush()
    if os.fork() == 0:
        child(json.loads(line), 1)
    os.wait()
