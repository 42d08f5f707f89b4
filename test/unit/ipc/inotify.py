"""Runs file operations in a scratch directory on the host and prints the inotify events they cause: JSON in and out."""
import ctypes, json, os, struct, sys, tempfile

libc = ctypes.CDLL(None, use_errno=True)
results = []
for script in json.load(sys.stdin):
    top = tempfile.mkdtemp(prefix="inotify-", dir="/dev/shm")
    os.chdir(top)
    fd, files, out, cookies = libc.inotify_init1(0o4000), {}, [], {}

    def drain():
        text = []
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return ""
        while data:
            wd, mask, cookie, size = struct.unpack("iIII", data[:16])
            name = data[16 : 16 + size].rstrip(b"\0").decode()
            number = cookies.setdefault(cookie, len(cookies)) if cookie else "-"
            text.append("%d:%x:%s:%s/%d" % (wd, mask, number, name, size))
            data = data[16 + size :]
        return " ".join(text)

    def watch(path, mask):
        got = libc.inotify_add_watch(fd, path.encode(), ctypes.c_uint(mask))
        return got if got >= 0 else -ctypes.get_errno()

    def unwatch(wd):
        return 0 if libc.inotify_rm_watch(fd, wd) == 0 else -ctypes.get_errno()

    ops = {
        "watch": watch,
        "unwatch": unwatch,
        "open": lambda name, flags, f: files.__setitem__(f, os.open(name, flags, 0o666)),
        "close": lambda f: os.close(files.pop(f)),
        "write": lambda f: os.write(files[f], b"x") and 0,
        "read": lambda f: os.read(files[f], 1) and 0,
        "mkdir": os.mkdir,
        "rmdir": os.rmdir,
        "unlink": os.unlink,
        "link": os.link,
        "rename": os.rename,
        "chmod": lambda name, mode: os.chmod(name, mode),
        "truncate": os.truncate,
    }
    for op, *args in script:
        try:
            got = ops[op](*args) or 0
        except OSError as error:
            got = -error.errno
        out.append("%d %s" % (got, drain()))
    results.append(out)
    for f in files.values():
        os.close(f)
    os.close(fd)
    os.chdir("/")
    for base, dirs, names in os.walk(top, topdown=False):
        for name in names:
            os.unlink(os.path.join(base, name))
        os.rmdir(base)
json.dump(results, sys.stdout)
