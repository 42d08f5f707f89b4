"""Runs scripts on ptys of the host: reads a JSON list of scripts, writes the list of their answers.

A script is a list of steps; see run(). Bytes are hexadecimal. The slave does not block.
"""
import errno
import fcntl
import json
import os
import select
import struct
import sys
import termios
import time

TCGETS, TCSETS, FIONREAD = 0x5401, 0x5402, 0x541B
NAMES = errno.errorcode
PAUSE = float(sys.argv[1])


def attempt(call, *args):
    try:
        return call(*args)
    except OSError as e:
        return -e.errno


def drain(master):
    out = b""
    while True:
        got = attempt(os.read, master, 65536)
        if isinstance(got, int):
            return out
        out += got


def settle(master, slave):
    """What the master gets, once the kernel's workers have nothing left to do."""
    out, quiet, before = b"", 0, None
    poll = select.poll()
    poll.register(slave)
    poll.register(master)
    while quiet < 3:
        poll.poll(0)
        time.sleep(PAUSE)
        got = drain(master)
        out += got
        now = fcntl.ioctl(slave, FIONREAD, b"\0" * 4)
        quiet = quiet + 1 if not got and now == before else 0
        before = now
    return out


def show(result):
    return NAMES[-result] if isinstance(result, int) else result.hex()


def step(master, slave, op, arg):
    if op == "set":
        old = fcntl.ioctl(slave, TCGETS, b"\0" * 36)
        cflag = struct.unpack_from("I", old, 8)[0]
        iflag, oflag, lflag, cc = arg
        new = struct.pack("IIIIB19s", iflag, oflag, cflag, lflag, 0, bytes(cc))
        fcntl.ioctl(slave, TCSETS, new)
        return settle(master, slave).hex()
    if op == "type":
        attempt(os.write, master, bytes.fromhex(arg))
        return settle(master, slave).hex()
    if op == "print":
        attempt(os.write, slave, bytes.fromhex(arg))
        return settle(master, slave).hex()
    if op == "read":
        return show(attempt(os.read, slave, arg))
    if op == "inq":
        return struct.unpack("i", fcntl.ioctl(slave, FIONREAD, b"\0" * 4))[0]
    if op == "poll":
        poll = select.poll()
        poll.register(slave)
        return dict(poll.poll(0)).get(slave, 0)
    if op == "flush":
        termios.tcflush(slave, arg)
        return settle(master, slave).hex()
    if op == "flow":
        termios.tcflow(slave, arg)
        return settle(master, slave).hex()
    if op == "packet":
        fcntl.ioctl(master, 0x5420, struct.pack("i", arg))
        return 0
    if op == "master":
        return show(attempt(os.read, master, arg))
    raise ValueError(op)


def run(script):
    master, slave = os.openpty()
    os.set_blocking(master, False)
    os.set_blocking(slave, False)
    try:
        return [step(master, slave, op, arg) for op, arg in script]
    finally:
        os.close(slave)
        os.close(master)


json.dump([run(script) for script in json.load(sys.stdin)], sys.stdout)
