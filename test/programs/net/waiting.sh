#!/bin/sh
# Calls that wait for another process: FIFOs, pipes, AF_UNIX sockets, epoll, timeouts, descriptors sent on.
# test: needs python3
exec python3 -u - <<'PROGRAM'
import array, os, select, signal, socket, struct, threading, time

RIGHTS = (socket.SOL_SOCKET, socket.SCM_RIGHTS)


def child(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print("child", repr(error))
            os._exit(1)
    return pid


def reap(pid):
    print("status", os.waitpid(pid, 0)[1])


def sleeps_in(pid, number):
    while not open(f"/proc/{pid}/syscall").read().startswith(f"{number} "):
        time.sleep(0.005)


def after(seconds, work):
    return child(lambda: (time.sleep(seconds), work()))


os.mkfifo("fifo")
pid = after(0.05, lambda: os.write(os.open("fifo", os.O_WRONLY), b"hello"))
fifo = os.open("fifo", os.O_RDONLY)
print(os.read(fifo, 10), os.read(fifo, 10))
reap(pid)

r, w = os.pipe()
pid = child(lambda: (os.close(r), os._exit(os.write(w, b"x" * 1000000) != 1000000)))
os.close(w)
total = 0
while data := os.read(r, 7777):
    total += len(data)
print(total)
reap(pid)

server = socket.socket(socket.AF_UNIX)
server.bind("stream")
server.listen(1)


def client():
    for i in range(5):
        s = socket.socket(socket.AF_UNIX)
        s.connect("stream")
        s.sendall(b"%d" % i * 300000)
        s.shutdown(socket.SHUT_WR)
        assert s.recv(100) == b"bye"
        s.close()


pids = [child(client) for _ in range(3)]
total = 0
for _ in range(15):
    s, _ = server.accept()
    while data := s.recv(65536):
        total += len(data)
    s.sendall(b"bye")
    s.close()
print(total)
for pid in pids:
    reap(pid)

narrow = socket.socket(socket.AF_UNIX)
narrow.bind(b"\0waiting-%d" % os.getpid())
narrow.listen(0)


def two_connections():
    first, second = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    first.connect(narrow.getsockname())
    second.connect(narrow.getsockname())


pid = child(two_connections)
sleeps_in(pid, 42)
first, second = narrow.accept(), narrow.accept()
reap(pid)

inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
inbox.bind("datagram")


def fifty_messages():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect("datagram")
    for i in range(50):
        s.send(b"%d" % i)


pid = child(fifty_messages)
sleeps_in(pid, 44)
print([inbox.recv(10) for _ in range(50)][-1])
reap(pid)

a, b = socket.socketpair()
a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("qq", 0, 50000))
start = time.monotonic()
try:
    a.recv(1)
except OSError as error:
    print("timeout", error.errno, time.monotonic() - start > 0.04)
a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("qq", 0, 0))

epoll = select.epoll()
epoll.register(a.fileno(), select.EPOLLIN)
pid = after(0.05, lambda: b.send(b"x"))
print(epoll.poll()[0][1], select.select([a], [], [], 1)[0] == [a])
reap(pid)
print(a.recv(9), epoll.poll(0.02))


def broken():
    x, y = socket.socketpair()
    y.close()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    x.send(b"x")


reap(child(broken))

# If the first one comes before the call does, the second one interrupts it.
signal.signal(signal.SIGALRM, lambda *_: signal.setitimer(signal.ITIMER_REAL, 0)[1] > 0 and b.send(b"late"))
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
print(a.recv(10))

x, y = socket.socketpair()


def write_to_what_comes():
    _, control, _, _ = y.recvmsg(10, 100)
    os.write(array.array("i", control[0][2])[0], b"through")


pid = child(write_to_what_comes)
r, w = os.pipe()
x.sendmsg([b"z"], [(*RIGHTS, array.array("i", [w]))])
os.close(w)
print(os.read(r, 20))
reap(pid)
print(os.read(r, 20))

event = os.eventfd(0)
threading.Thread(target=lambda: (time.sleep(0.03), os.eventfd_write(event, 3))).start()
print(os.eventfd_read(event))
peer = struct.unpack("iii", x.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
print(peer[0] == os.getpid(), peer[1] == os.getuid(), peer[2] == os.getgid())
PROGRAM
