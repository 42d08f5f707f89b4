"""Runs lists of file operations on the host's kernel: JSON in, JSON out, one result an operation.

A result is a number (negative: an errno) or a string. Files go by names. test/unit/ipc/sim.ts is its twin.
"""
import array, ctypes, fcntl, json, os, select, signal, socket, struct, sys, tempfile

libc = ctypes.CDLL(None, use_errno=True)
tmp = tempfile.mkdtemp(prefix="uml-ipc-")
tag = os.path.basename(tmp)
files = {}


def call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def rle(data):
    out, i = "", 0
    while i < len(data):
        j = i
        while j < len(data) and data[j] == data[i]:
            j += 1
        out += chr(data[i]) + str(j - i)
        i = j
    return out


def named(name, fd):
    files[name] = fd
    return 0


def pipe2(flags, r, w):
    files[r], files[w] = os.pipe2(flags)
    return 0


def path(name):
    return os.path.join(tmp, name)


def address(name):
    """'@x' is an abstract name, '' the empty address (autobind), others are paths in the scratch directory."""
    if name == "":
        return struct.pack("H", 1)
    raw = b"\0" + (tag + name[1:]).encode() if name[0] == "@" else path(name).encode() + b"\0"
    return struct.pack("H", 1) + raw


def shown(raw):
    if len(raw) <= 2:
        return "unnamed"
    body = raw[2:]
    if body[0] == 0:
        text = body[1:].decode("latin1")
        return "@" + (text[len(tag):] if text.startswith(tag) else "auto%d" % len(text))
    return os.path.basename(body.rstrip(b"\0").decode())


def fdof(name):
    return files[name]


def sock(fd):
    return socket.socket(fileno=os.dup(fd))


def with_address(fn, f, name):
    raw = address(name)
    return call(fn(fdof(f), raw, len(raw)))


def name_of(fn, f):
    buf = ctypes.create_string_buffer(128)
    size = ctypes.c_uint(128)
    call(fn(fdof(f), buf, ctypes.byref(size)))
    return shown(buf.raw[: size.value])


def accept(f, flags, new):
    buf = ctypes.create_string_buffer(128)
    size = ctypes.c_uint(128)
    files[new] = call(libc.accept4(fdof(f), buf, ctypes.byref(size), flags))
    return shown(buf.raw[: size.value])


def send(f, n, ch, flags, to=None):
    data = ch.encode() * n
    raw = address(to) if to is not None else None
    return call(libc.sendto(fdof(f), data, n, flags, raw, len(raw) if raw else 0))


def sendmsg(f, n, ch, flags, fds, creds=None):
    s = sock(fdof(f))
    anc = []
    if fds:
        anc.append((socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fdof(x) for x in fds])))
    if creds:
        anc.append((socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack("iii", os.getpid(), creds[0], creds[1])))
    return s.sendmsg([ch.encode() * n], anc, flags)


def recvmsg(f, n, space, flags, prefix):
    s = sock(fdof(f))
    data, anc, mflags, addr = s.recvmsg(n, space, flags)
    out = "%s flags=%x" % (rle(data), mflags & ~socket.MSG_CMSG_CLOEXEC)
    for level, kind, payload in anc:
        if kind == socket.SCM_RIGHTS:
            fds = array.array("i")
            fds.frombytes(payload[: len(payload) // 4 * 4])
            out += " fds=%d" % len(fds)
            for i, fd in enumerate(fds):
                files[prefix + str(i)] = fd
        elif kind == socket.SCM_CREDENTIALS:
            pid, uid, gid = struct.unpack("iii", payload)
            out += " cred=%s,%d,%d" % ("me" if pid == os.getpid() else pid, uid, gid)
    return out


def recvfrom(f, n, flags):
    buf = ctypes.create_string_buffer(max(n, 1))
    abuf = ctypes.create_string_buffer(128)
    size = ctypes.c_uint(128)
    got = call(libc.recvfrom(fdof(f), buf, n, flags, abuf, ctypes.byref(size)))
    return "%d %s from %s" % (got, rle(buf.raw[: min(got, n)]), shown(abuf.raw[: size.value]))


class EpollEvent(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("events", ctypes.c_uint), ("data", ctypes.c_ulonglong)]


def ctl(ep, op, f, events, data):
    ev = EpollEvent(events & 0xFFFFFFFF, data)
    return call(libc.epoll_ctl(fdof(ep), op, fdof(f), ctypes.byref(ev)))


def wait(ep, n):
    evs = (EpollEvent * n)()
    got = call(libc.epoll_wait(fdof(ep), evs, n, 0))
    return " ".join("%x:%d" % (e.events, e.data) for e in evs[:got])


def poll(f):
    p = select.poll()
    p.register(fdof(f), 0x23DF)
    got = p.poll(0)
    return got[0][1] if got else 0


def fionread(f, cmd):
    buf = array.array("i", [0])
    fcntl.ioctl(fdof(f), cmd, buf)
    return buf[0]


def fcntl_(f, cmd, arg):
    return fcntl.fcntl(fdof(f), cmd, arg)


def splice(a, b, n, flags):
    return call(libc.splice(fdof(a), None, fdof(b), None, n, flags))


def tee(a, b, n, flags):
    return call(libc.tee(fdof(a), fdof(b), n, flags))


def getopt(f, level, opt):
    return sock(fdof(f)).getsockopt(level, opt)


def setopt(f, level, opt, value):
    sock(fdof(f)).setsockopt(level, opt, value)
    return 0


def peercred(f):
    pid, uid, gid = struct.unpack("iii", sock(fdof(f)).getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return "%s,%d,%d" % ("me" if pid == os.getpid() else pid, uid, gid)


def socketpair(kind, a, b):
    x, y = socket.socketpair(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK)
    files[a], files[b] = x.detach(), y.detach()
    return 0


def socket_(family, kind, proto, name):
    files[name] = call(libc.socket(family, kind | socket.SOCK_NONBLOCK, proto))
    return 0


def read(f, n):
    return rle(os.read(fdof(f), n))


def get64(f, n):
    data = os.read(fdof(f), n)
    return "%d:%d" % struct.unpack("II", data)


ops = {
    "pipe2": pipe2,
    "mkfifo": lambda name: os.mkfifo(path(name)) or 0,
    "open": lambda name, flags, f: named(f, os.open(path(name), flags)),
    "unlink": lambda name: os.unlink(path(name)) or 0,
    "write": lambda f, n, ch: os.write(fdof(f), ch.encode() * n),
    "read": read,
    "get64": get64,
    "put64": lambda f, lo, hi, n: os.write(fdof(f), struct.pack("II", lo, hi)[:n] + b"\0" * (n - 8)),
    "poll": poll,
    "ioctl": fionread,
    "fcntl": fcntl_,
    "close": lambda f: os.close(files.pop(f)) or 0,
    "dup": lambda f, g: named(g, os.dup(fdof(f))),
    "splice": splice,
    "tee": tee,
    "eventfd": lambda init, flags, f: named(f, os.eventfd(init, flags)),
    "epoll": lambda f: named(f, call(libc.epoll_create1(0))),
    "ctl": ctl,
    "wait": wait,
    "memfd": lambda flags, f: named(f, os.memfd_create("x", flags)),
    "truncate": lambda f, n: os.ftruncate(fdof(f), n) or 0,
    "pwrite": lambda f, n, ch, pos: os.pwrite(fdof(f), ch.encode() * n, pos),
    "pread": lambda f, n, pos: rle(os.pread(fdof(f), n, pos)),
    "fallocate": lambda f, mode, off, n: call(libc.fallocate(fdof(f), mode, ctypes.c_long(off), ctypes.c_long(n))),
    "socket": socket_,
    "socketpair": socketpair,
    "bind": lambda f, name: with_address(libc.bind, f, name),
    "connect": lambda f, name: with_address(libc.connect, f, name),
    "disconnect": lambda f: call(libc.connect(fdof(f), struct.pack("H14x", 0), 16)),
    "listen": lambda f, n: call(libc.listen(fdof(f), n)),
    "accept": accept,
    "send": send,
    "recvfrom": recvfrom,
    "sendmsg": sendmsg,
    "recvmsg": recvmsg,
    "shutdown": lambda f, how: call(libc.shutdown(fdof(f), how)),
    "getsockname": lambda f: name_of(libc.getsockname, f),
    "getpeername": lambda f: name_of(libc.getpeername, f),
    "getopt": getopt,
    "setopt": setopt,
    "peercred": peercred,
}


def run(op):
    try:
        return ops[op[0]](*op[1:])
    except OSError as error:
        return -error.errno


signal.signal(signal.SIGPIPE, signal.SIG_IGN)
scripts = json.load(sys.stdin)
results = []
for script in scripts:
    results.append([run(op) for op in script])
    for fd in files.values():
        os.close(fd)
    files.clear()
    for name in os.listdir(tmp):
        os.unlink(path(name))
os.rmdir(tmp)
json.dump(results, sys.stdout)
