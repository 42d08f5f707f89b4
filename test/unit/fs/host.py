"""Does file operations on the host: a JSON list of [uid, operation, arguments...] comes in, the results go out.

Results are numbers (negative: an error number) or strings. The first argument of the program is the directory.
"""
import ctypes
import json
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.lseek.restype = ctypes.c_long
AT_FDCWD = -100
files = {}


def call(function, *arguments):
    result = function(*arguments)
    return -ctypes.get_errno() if result < 0 else result


def name(text):
    return text.encode('latin1')


def show(s):
    return f'{s.st_mode:o} {s.st_nlink} {s.st_size} {s.st_uid}:{s.st_gid} {s.st_blocks}'


def open_(slot, path, flags, mode):
    fd = call(libc.open, name(path), flags, mode)
    if fd < 0:
        return fd
    if slot in files:
        os.close(files[slot])
    files[slot] = fd
    return 0


def link_open(slot, path):
    return call(libc.linkat, files.get(slot, -1), b'', AT_FDCWD, name(path), 0x1000)


def getxattr(path, key):
    return os.getxattr(name(path), name(key)).decode('latin1')


OPERATIONS = {
    'open': open_,
    'linkopen': link_open,
    'rename': lambda old, new, flags: call(libc.renameat2, AT_FDCWD, name(old), AT_FDCWD, name(new), flags),
    'link': lambda old, new, flags: call(libc.linkat, AT_FDCWD, name(old), AT_FDCWD, name(new), flags),
    'mknod': lambda path, mode, dev: os.mknod(name(path), mode, dev) or 0,
    'mkdir': lambda path, mode: os.mkdir(name(path), mode) or 0,
    'symlink': lambda target, path: os.symlink(name(target), name(path)) or 0,
    'unlink': lambda path: os.unlink(name(path)) or 0,
    'rmdir': lambda path: os.rmdir(name(path)) or 0,
    'truncate': lambda path, size: call(libc.truncate, name(path), ctypes.c_long(size)),
    'chmod': lambda path, mode: os.chmod(name(path), mode) or 0,
    'chown': lambda path, uid, gid: os.chown(name(path), uid, gid, follow_symlinks=False) or 0,
    'write': lambda slot, text, pos: os.pwrite(files.get(slot, -1), name(text), pos),
    'read': lambda slot, size, pos: os.pread(files.get(slot, -1), size, pos).decode('latin1'),
    'fallocate': lambda slot, mode, pos, size: call(
        libc.fallocate, files.get(slot, -1), mode, ctypes.c_long(pos), ctypes.c_long(size)),
    'lseek': lambda slot, pos, whence: call(libc.lseek, files.get(slot, -1), ctypes.c_long(pos), whence),
    'fstat': lambda slot: show(os.fstat(files.get(slot, -1))),
    'stat': lambda path: show(os.lstat(name(path))),
    'setxattr': lambda path, key, value, flags: os.setxattr(name(path), name(key), name(value), flags) or 0,
    'getxattr': getxattr,
    'listxattr': lambda path: ' '.join(sorted(os.listxattr(name(path)))),
    'removexattr': lambda path, key: os.removexattr(name(path), name(key)) or 0,
    'list': lambda path: ' '.join(sorted(os.listdir(path))),
}


def run(uid, operation, *arguments):
    if uid:
        os.setegid(uid)
        os.seteuid(uid)
    try:
        return OPERATIONS[operation](*arguments)
    except OSError as error:
        return -error.errno
    finally:
        if uid:
            os.seteuid(0)
            os.setegid(0)


os.chdir(sys.argv[1])
os.umask(0o022)
if os.getuid() == 0:
    os.setgroups([])
json.dump([run(*step) for step in json.load(sys.stdin)], sys.stdout)
