"""Runs scripts of raw system calls on the host: the twin of script.ts.

Reads a JSON list of scripts from standard input. A script is {"memory": base64, "ops": [[name, nr, args...]]};
an argument is a number, or {"at": offset} into the script's memory. Each script runs in a process and an empty
directory of its own, without descriptors above 2. Prints a JSON list with the results of each.
"""
import base64
import ctypes
import json
import mmap
import os
import resource
import shutil
import signal
import sys
import tempfile

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class Run:
    def __init__(self, script):
        image = base64.b64decode(script['memory'])
        self.memory = mmap.mmap(-1, len(image))
        self.memory[:] = image
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.ops = script['ops']

    def argument(self, arg):
        return ctypes.c_long(self.base + arg['at'] if isinstance(arg, dict) else arg)

    def call(self, nr, args):
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(nr), *[self.argument(arg) for arg in args])
        return -ctypes.get_errno() if result == -1 and ctypes.get_errno() else result

    def run_op(self, op):
        name, nr, *args = op
        if nr >= 0:
            return self.call(nr, args)
        if name == '@peek':
            at = args[0]['at']
            return self.memory[at:at + args[1]].hex()
        if name == '@poke':
            at = args[0]['at']
            data = bytes.fromhex(args[1])
            self.memory[at:at + len(data)] = data
            return 0
        if name == '@address':
            at = args[0]['at']
            self.memory[at:at + 8] = (self.base + args[1]['at']).to_bytes(8, 'little')
            return 0
        if name == '@namespace':
            # A mount namespace of its own (CLONE_NEWNS) in which nothing gets out (MS_REC | MS_PRIVATE).
            return libc.unshare(0x20000) or libc.mount(b'none', b'/', None, 0x44000, None)
        if name == '@user':
            os.setgroups([])
            os.setresgid(args[1], args[1], args[1])
            os.setresuid(args[0], args[0], args[0])
            return 0
        if name == '@rlimit':
            hard = resource.getrlimit(args[0])[1]
            resource.setrlimit(args[0], (args[1], hard))
            return 0
        raise ValueError(name)


def run_child(script, out):
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o022)
    run = Run(script)
    # Results leave through a descriptor that no script will meet.
    os.dup2(out, 1000)
    os.closerange(3, 1000)
    results = [run.run_op(op) for op in run.ops]
    os.write(1000, json.dumps(results).encode())


def run(script):
    where = '/dev/shm' if os.path.isdir('/dev/shm') else None
    directory = tempfile.mkdtemp(dir=where)
    os.chmod(directory, 0o777)
    out = os.open(os.path.join(tempfile.gettempdir(), f'calls-{os.getpid()}'), os.O_CREAT | os.O_RDWR | os.O_TRUNC)
    os.unlink(os.path.join(tempfile.gettempdir(), f'calls-{os.getpid()}'))
    pid = os.fork()
    if pid == 0:
        try:
            os.chdir(directory)
            run_child(script, out)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    shutil.rmtree(directory, ignore_errors=True)
    os.lseek(out, 0, os.SEEK_SET)
    with os.fdopen(out, 'rb') as file:
        return json.loads(file.read() or b'null')


json.dump([run(script) for script in json.load(sys.stdin)], sys.stdout)
