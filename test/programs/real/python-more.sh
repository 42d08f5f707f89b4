# test: needs python3
# Python: the calls of os, signals, multiprocessing, asyncio, sockets and terminals, one after the other.
cat >a.py <<'END'
import os, sys, mmap, fcntl, signal, time, select, socket, struct, errno, tempfile, stat, threading, array, ctypes, resource, pwd, grp
def t(f, *a, **k):
    try: return f(*a, **k)
    except Exception as e: return type(e).__name__ + ":" + str(getattr(e, "errno", e))
open("src", "wb").write(b"0123456789" * 1000); s = os.open("src", os.O_RDONLY); d = os.open("dst", os.O_RDWR | os.O_CREAT)
print(t(os.sendfile, d, s, 5, 100), t(os.sendfile, d, s, None, 50), os.lseek(s, 0, 1), t(os.copy_file_range, s, d, 200, 10, 1000), os.fstat(d).st_size, t(os.sendfile, d, s, 9990, 100))
r, w = os.pipe(); print(t(os.splice, s, w, 300, 0), t(os.splice, r, d, 100, None, 0), os.read(r, 500)[:5], t(os.splice, s, d, 10))
m = os.memfd_create("mm", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC); os.ftruncate(m, 8192); fcntl.fcntl(m, 1033, 0x1 | 0x2 | 0x4); print(t(os.ftruncate, m, 1), fcntl.fcntl(m, 1034), os.readlink(f"/proc/self/fd/{m}"), t(fcntl.fcntl, m, 1033, 8))
e = ctypes.CDLL(None, use_errno=True).eventfd(3, 0o4000 | 1); print(os.read(e, 8)[0], os.read(e, 8)[0]); os.write(e, struct.pack("Q", 7)); print(select.select([e], [e], [], 0)[0] == [e])
p = os.pidfd_open(os.getpid()); print(select.select([p], [], [], 0)[0]); pid = os.fork()
if pid == 0: time.sleep(0.1); os._exit(5)
q = os.pidfd_open(pid); print(select.select([q], [], [], 300)[0] == [q], os.waitid(os.P_PIDFD, q, os.WEXITED).si_status); print(t(signal.pidfd_send_signal, q, 0))
print(t(os.setxattr, "src", "user.a", b"v"), t(os.listxattr, "src"), t(os.getxattr, "src", "user.a"), t(os.getxattr, "src", "user.b"), t(os.removexattr, "src", "user.a"), t(os.setxattr, "src", "bad", b""), t(os.setxattr, "src", "user.a", b"", os.XATTR_REPLACE), t(os.getxattr, "src", "security.selinux"), t(os.setxattr, "src", "trusted.x", b"1"))
v = os.statvfs("."); print(v.f_namemax, v.f_frsize > 0); print([ (x.name, x.is_file(), x.is_symlink(), x.inode() > 0) for x in sorted(os.scandir("."), key=lambda x: x.name)])
os.posix_fallocate(d, 0, 20000); print(os.fstat(d).st_size); print(t(os.posix_fadvise, d, 0, 0, os.POSIX_FADV_WILLNEED), t(os.pwritev, d, [b"ab", b"cd"], 5), t(os.preadv, d, [bytearray(3), bytearray(3)], 5), t(os.pwritev, d, [b"x"], 0, os.RWF_SYNC), t(os.preadv, d, [bytearray(1)], 0, os.RWF_HIPRI))
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "echo spawned $X; exit 3"], {"X": "y"}, file_actions=[(os.POSIX_SPAWN_OPEN, 5, "spf", os.O_CREAT | os.O_WRONLY, 0o600), (os.POSIX_SPAWN_DUP2, 5, 1), (os.POSIX_SPAWN_CLOSE, 5)], setsigmask=[signal.SIGUSR1], setpgroup=0, setsigdef=[signal.SIGPIPE]); print(os.waitpid(pid, 0)[1], open("spf").read()); print(t(os.posix_spawnp, "nosuch", ["x"], {}))
print(t(os.mknod, "nod", 0o600 | stat.S_IFIFO), t(os.mknod, "dev", 0o600 | stat.S_IFCHR, os.makedev(1, 5)), t(os.chroot, "nope"), t(os.nice, 0), os.getpriority(os.PRIO_PROCESS, 0), t(os.sched_getaffinity, 0) != None, t(os.sched_setaffinity, 0, []), t(os.sched_getscheduler, 0) in (0, 5), t(os.sched_get_priority_max, os.SCHED_FIFO), t(os.sched_yield), t(os.getloadavg) is not None, t(os.getrandom, 4, os.GRND_NONBLOCK).__class__, t(os.cpu_count) > 0)
print(t(os.open, "nofollow", os.O_RDONLY), os.symlink("src", "ln"), t(os.open, "ln", os.O_NOFOLLOW), t(os.open, "src", os.O_DIRECTORY), t(os.open, "src", os.O_CREAT | os.O_EXCL), t(os.open, ".", os.O_WRONLY), t(os.open, "src", os.O_PATH) > 0, stat.S_ISREG(os.fstat(os.open(".", os.O_TMPFILE | os.O_RDWR)).st_mode), t(os.link, "src", "hl", follow_symlinks=False), t(os.rename, "src", "nodir/x"), t(os.replace, "hl", "hl2"), t(os.unlink, "."), t(os.rmdir, "/"), t(os.mkdir, "a" * 256), t(os.stat, "a/" * 3000), t(os.readlink, "src"), t(os.truncate, "src", -1), t(os.utime, "src", (1, 2)), os.stat("src").st_mtime_ns, t(os.utime, "src", ns=(1, 123456789)), os.stat("src").st_mtime_ns, t(os.chown, "src", -1, -1), t(os.lchown, "ln", 5, 6), os.lstat("ln").st_uid, t(os.chmod, "nope", 0), t(os.access, "src", os.X_OK), t(os.access, "/bin/sh", os.X_OK), t(os.pathconf, ".", "PC_PATH_MAX"), t(os.fpathconf, r, "PC_PIPE_BUF"), t(os.sysconf, "SC_OPEN_MAX") > 0, t(os.ttyname, 0), t(os.get_terminal_size), t(os.getlogin) != 1, t(os.ctermid))
dfd = os.open(".", os.O_RDONLY); print(t(os.stat, "src", dir_fd=dfd).st_size, t(os.open, "src", os.O_RDONLY, dir_fd=dfd) > 0, t(os.mkdir, "dd", dir_fd=dfd), t(os.rename, "dd", "ee", src_dir_fd=dfd, dst_dir_fd=dfd), sorted(os.listdir(dfd))[:3], t(os.fchdir, dfd), t(os.unlink, "ee", dir_fd=dfd), t(os.rmdir, "ee", dir_fd=dfd), t(os.execve, dfd, ["x"], {}), t(os.fwalk, ".") is not None)
with open("lk", "w") as f, open("lk", "r+") as g:
    print(t(fcntl.flock, f, fcntl.LOCK_EX), t(fcntl.flock, g, fcntl.LOCK_EX | fcntl.LOCK_NB), t(fcntl.flock, f, fcntl.LOCK_UN)); fcntl.lockf(f, fcntl.LOCK_EX, 10, 5)
    if (pid := os.fork()) == 0:
        h = open("lk", "r+"); print(t(fcntl.lockf, h, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 7), t(fcntl.lockf, h, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 0), struct.unpack("hhqqi", fcntl.fcntl(h, fcntl.F_GETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0))[:28])[:4]); sys.stdout.flush(); os._exit(0)
    os.waitpid(pid, 0); print(t(fcntl.fcntl, r, 1031, 65536), t(fcntl.fcntl, r, 1032), t(fcntl.ioctl, r, 0x541b, b"\0" * 4), fcntl.fcntl(f, fcntl.F_DUPFD_CLOEXEC, 100) >= 100, t(fcntl.fcntl, 999, fcntl.F_GETFD), t(fcntl.fcntl, f, fcntl.F_SETOWN, os.getpid()), t(fcntl.fcntl, f, fcntl.F_GETOWN) == os.getpid())
mm = mmap.mmap(-1, 10 << 20); mm[5 << 20] = 7; print(t(mm.madvise, mmap.MADV_DONTNEED), mm[5 << 20]); mm.resize(20 << 20); print(len(mm)); mm.close(); f = open("mp", "w+b"); f.truncate(5000); a = mmap.mmap(f.fileno(), 5000); b = mmap.mmap(f.fileno(), 5000); c = mmap.mmap(f.fileno(), 5000, mmap.MAP_PRIVATE); a[4999] = 65; print(b[4999], c[4999], os.pread(f.fileno(), 1, 4999)); c[0] = 66; print(a[0]); a.flush(); os.pwrite(f.fileno(), b"Z", 100); print(chr(b[100]), chr(c[100])); a.resize(10000); print(os.fstat(f.fileno()).st_size, t(mmap.mmap, f.fileno(), 100000), t(mmap.mmap, f.fileno(), 10, prot=mmap.PROT_READ, offset=1))
if (pid := os.fork()) == 0:
    f.truncate(0); x = b[4096]; os._exit(0)
print(os.WTERMSIG(os.waitpid(pid, 0)[1])); 
for code in ("import ctypes; ctypes.string_at(0)", "import os; os.abort()", "import signal, os; signal.alarm(1); signal.pause()", "import sys; sys.exit('msg')", "import resource; resource.setrlimit(resource.RLIMIT_AS, (300 << 20,) * 2); x = bytearray(400 << 20)", "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (10, 10)); [open('/dev/null') for _ in range(10)]; x = [open('/dev/null') for _ in range(10)]", "import resource, os; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)); import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); os.write(os.open('fs', os.O_CREAT | os.O_WRONLY), b'x' * 20); os.write(os.open('fs', os.O_WRONLY | os.O_APPEND), b'x')", "import resource; resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20)); import subprocess; print(subprocess.run(['sh', '-c', 'ulimit -s'], capture_output=True).stdout)", "import os; os.kill(0, 15)"):
    import subprocess; x = subprocess.run([sys.executable, "-c", code], capture_output=True, start_new_session=True); print(x.returncode, x.stdout, x.stderr.decode().strip().split("\n")[-1][:60])
END
cat >b.py <<'END'
import signal, os, time, threading, sys, faulthandler, select, ctypes, queue
got = []; signal.signal(signal.SIGALRM, lambda *a: got.append("alrm")); print(signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)); 
while len(got) < 4: signal.pause()
print(signal.setitimer(signal.ITIMER_REAL, 0)[1]); signal.signal(signal.SIGVTALRM, lambda *a: got.append("vt")); signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)
while "vt" not in got: sum(range(1000))
signal.signal(signal.SIGPROF, lambda *a: got.append("prof")); signal.setitimer(signal.ITIMER_PROF, 0.05)
while "prof" not in got: sum(range(1000))
print(got[-2:]); signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2, signal.SIGRTMIN]); os.kill(os.getpid(), signal.SIGUSR2); os.kill(os.getpid(), signal.SIGUSR1); print(sorted(signal.sigpending())); print(signal.sigwait([signal.SIGUSR1]), signal.sigwaitinfo([signal.SIGUSR2]).si_pid == os.getpid(), signal.sigtimedwait([signal.SIGUSR1], 0.01)); threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGRTMIN)).start(); print(signal.sigwait([signal.SIGRTMIN]) == signal.SIGRTMIN)
r, w = os.pipe(); os.set_blocking(w, False); signal.set_wakeup_fd(w); signal.signal(signal.SIGHUP, lambda *a: None); signal.raise_signal(signal.SIGHUP); print(os.read(r, 1)); signal.set_wakeup_fd(-1)
# What comes before the call that it shall interrupt comes again.
def nudge():
    while not woken: time.sleep(0.05); signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)
def once(f):
    def handler(*a): signal.setitimer(signal.ITIMER_REAL, 0)[1] > 0 and f()
    signal.signal(signal.SIGALRM, handler); signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
woken = []; q = queue.SimpleQueue(); signal.signal(signal.SIGTERM, lambda *a: q.put("woken")); nudges = threading.Thread(target=nudge); nudges.start(); print(q.get(timeout=300)); woken.append(True); nudges.join()
def interrupt(): raise InterruptedError
try: once(interrupt); os.read(r, 1)
except InterruptedError: print("interrupted")
once(lambda: os.write(w, b"z")); print(os.read(r, 1)); signal.siginterrupt(signal.SIGALRM, False)
pids = []; signal.signal(signal.SIGTERM, signal.SIG_DFL)
for i in range(20):
    if (p := os.fork()) == 0: time.sleep(1000); os._exit(0)
    pids.append(p)
for p in pids: os.kill(p, signal.SIGTERM)
print([os.waitpid(p, 0)[1] for p in pids] == [15] * 20)
until, seen = os.pipe()
if (p := os.fork()) == 0: os.close(seen); os.kill(os.getpid(), signal.SIGSTOP); os.read(until, 1); os._exit(3)
print(os.WIFSTOPPED(os.waitpid(p, os.WUNTRACED)[1])); os.kill(p, signal.SIGCONT); print(os.WIFCONTINUED(os.waitpid(p, os.WCONTINUED)[1])); os.close(seen); print(os.waitpid(p, 0)[1] >> 8); print(signal.strsignal(11), signal.Signals(9).name, len(signal.valid_signals()))
n = [0]; signal.signal(signal.SIGUSR1, lambda *a: n.__setitem__(0, n[0] + 1)); signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
def sender():
    for _ in range(500): os.kill(os.getpid(), signal.SIGUSR1)
ts = [threading.Thread(target=sender) for _ in range(3)]; [x.start() for x in ts]; [x.join() for x in ts]; time.sleep(0.01); print(n[0] > 0)
libc = ctypes.CDLL(None, use_errno=True); print(libc.prctl(38, 1, 0, 0, 0), libc.prctl(39, 0, 0, 0, 0), libc.getpid() == os.getpid(), libc.syscall(39) == os.getpid(), libc.syscall(999), ctypes.get_errno()); libc.alarm(0)
timer = ctypes.c_void_p(); print(libc.timer_create(1, None, ctypes.byref(timer)), libc.timer_delete(timer)); print(time.clock_getres(time.CLOCK_MONOTONIC) < 0.1, time.thread_time() >= 0, time.process_time() > 0, time.clock_gettime(time.CLOCK_BOOTTIME) > 0, time.clock_gettime(time.CLOCK_TAI) > 0, time.get_clock_info("monotonic").monotonic); sys.stdout.flush(); os.killpg
END
cat >c.py <<'END'
import multiprocessing as mp, os, time, queue, sys, signal, threading
from multiprocessing import shared_memory, managers
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
def f(x): return x * x
def boom(x): raise ValueError(x)
def die(x): os._exit(1)
def prod(q, n): [q.put((n, i)) for i in range(200)]
def lockadd(l, v, s, b):
    b.wait()
    for _ in range(200):
        with l: v.value += 1
    s.release()
def ev(e, c): e.wait(); c.acquire(); c.notify(); c.release()
def shm(name): s = shared_memory.SharedMemory(name=name); s.buf[0] += 1; s.close()
if __name__ == "__main__":
    with mp.Pool(4, maxtasksperchild=10) as p: print(sum(p.imap_unordered(f, range(300), 7)), p.apply_async(f, (9,)).get(), p.starmap(pow, [(2, 3), (3, 2)]), flush=True); r = p.apply_async(boom, (1,)); r.wait(); print(r.successful(), flush=True); p.close(); p.join() # a pool that ends otherwise may hang (3.11, on the host, too)
    q = mp.Queue(50); ps = [mp.Process(target=prod, args=(q, n)) for n in range(4)]; [p.start() for p in ps]; got = [q.get() for _ in range(800)]; [p.join() for p in ps]; print(len(set(got)), q.empty())
    l, v, s, b = mp.RLock(), mp.Value("l", 0, lock=False), mp.Semaphore(0), mp.Barrier(5); ps = [mp.Process(target=lockadd, args=(l, v, s, b)) for _ in range(5)]; [p.start() for p in ps]; [s.acquire() for _ in ps]; [p.join() for p in ps]; print(v.value, [p.exitcode for p in ps])
    e, c = mp.Event(), mp.Condition(); p = mp.Process(target=ev, args=(e, c)); p.start(); c.acquire(); e.set(); print(c.wait(300)); c.release(); p.join()
    with mp.Manager() as m: d, li, ns = m.dict(), m.list(range(5)), m.Namespace(); d["a"] = li; ns.x = 3; print(list(d["a"]), ns.x); lk = m.Lock(); lk.acquire(); lk.release(); mq = m.Queue(); mq.put(1); print(mq.get())
    s = shared_memory.SharedMemory(create=True, size=5000); s.buf[0] = 0
    for _ in range(3): p = mp.Process(target=shm, args=(s.name,)); p.start(); p.join()
    print(s.buf[0], os.path.exists("/dev/shm/" + s.name)); s.close(); s.unlink(); sl = shared_memory.ShareableList([1, "two", 3.0]); print(sl[1]); sl.shm.close(); sl.shm.unlink()
    with ProcessPoolExecutor(3) as ex: print(sum(x.result() for x in as_completed([ex.submit(f, i) for i in range(50)])))
    try:
        with ProcessPoolExecutor(2) as ex: ex.submit(die, 1).result()
    except Exception as x: print(type(x).__name__)
    p = mp.Process(target=time.sleep, args=(100,)); p.start(); p.terminate(); p.join(); print(p.exitcode); p = mp.Process(target=time.sleep, args=(100,), daemon=True); p.start(); p.kill(); p.join(); print(p.exitcode); a, b2 = mp.Pipe(False); b2.send_bytes(b"x" * 1000000) if False else threading.Thread(target=b2.send_bytes, args=(b"x" * 1000000,)).start(); print(len(a.recv_bytes())); from multiprocessing.connection import Listener, Client, wait
    ls = Listener("mpsock", "AF_UNIX", authkey=b"k"); t = threading.Thread(target=lambda: (lambda c: (c.send([1, 2]), c.close()))(ls.accept())); t.start(); print(Client("mpsock", authkey=b"k").recv()); t.join(); ls.close(); x, y = mp.Pipe(); print(wait([x, y], 0.05)); mp.set_start_method("spawn", force=True); p = mp.Process(target=print, args=("spawned",)); p.start(); p.join()
END
cat >d.py <<'END'
import asyncio, os, signal, sys, socket, time, subprocess, pty, tty, termios, curses, ctypes, array
async def main():
    loop = asyncio.get_running_loop(); p = await asyncio.create_subprocess_shell("read x; echo got $x; echo err >&2; exit 4", stdin=-1, stdout=-1, stderr=-1); print(await p.communicate(b"line\n"), p.returncode)
    ps = await asyncio.gather(*(asyncio.create_subprocess_exec("sh", "-c", f"sleep 0.0{i}; exit {i}") for i in range(10))); print([await p.wait() for p in ps]); p = await asyncio.create_subprocess_exec("sleep", "100"); p.send_signal(signal.SIGINT); print(await p.wait())
    async def srv(r, w): data = await r.readexactly(200000); w.write(data[::-1]); await w.drain(); w.close()
    s = await asyncio.start_unix_server(srv, "us"); 
    async def cl(): r, w = await asyncio.open_unix_connection("us"); w.write(b"ab" * 100000); x = await r.read(); w.close(); return len(x)
    print(await asyncio.gather(*(cl() for _ in range(10)))); s.close(); n = []; loop.add_signal_handler(signal.SIGUSR1, n.append, 1); [os.kill(os.getpid(), signal.SIGUSR1) or await asyncio.sleep(0.01) for _ in range(3)]; print(n); r, w = os.pipe(); fut = loop.create_future(); loop.add_reader(r, lambda: fut.set_result(os.read(r, 10))); loop.call_later(0.02, os.write, w, b"later"); print(await fut); loop.remove_reader(r)
    a, b = socket.socketpair(); a.setblocking(False); b.setblocking(False); await loop.sock_sendall(a, b"x" * 1000); print(len(await loop.sock_recv(b, 5000))); q = asyncio.Queue(); sem = asyncio.Semaphore(2); print(await asyncio.to_thread(sum, range(100000))); fd = os.open("fifo", os.O_RDWR) if os.mkfifo("fifo") is None else 0; tr, pr = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(os.open("fifo", os.O_WRONLY), "wb")); tr.write(b"fifo data"); await asyncio.sleep(0.05); print(os.read(fd, 100)); tr.close()
    try:
        async with asyncio.timeout(0.05): await asyncio.sleep(1000)
    except (TimeoutError, AttributeError) as e: print("timeout")
asyncio.run(main())
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM); f = open("d.py"); socket.send_fds(a, [b"fd"], [f.fileno()]); msg, fds, fl, ad = socket.recv_fds(b, 10, 5); print(msg, os.read(fds[0], 14)); print(a.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4] == os.getpid().to_bytes(4, "little")); b.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1); a.send(b"x"); print(len(b.recvmsg(10, 100)[1]))
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(f"\0abs{os.getpid()}"); c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); c.bind("dg"); c.sendto(b"q" * 5000, s.getsockname()); d, ad = s.recvfrom(10000); print(len(d), ad); s.sendto(b"r", ad); print(c.recv(5)); s.settimeout(0.05)
try: s.recv(1)
except TimeoutError: print("to")
q = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); q.bind("sq"); q.listen(); k = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); k.connect("sq"); g, _ = q.accept(); k.send(b"one"); k.send(b"two"); print(g.recv(10), g.recv(1), g.recv_into(bytearray(1), 1, socket.MSG_DONTWAIT) if 0 else ""); k.shutdown(socket.SHUT_WR); print(g.recv(10))
def gather(fd, n):
    got = b""
    while len(got) < n: got += os.read(fd, n - len(got))
    return got
m, sl = pty.openpty(); tty.setraw(sl); os.write(m, b"\x03abc"); print(os.read(sl, 10)); at = termios.tcgetattr(sl); at[3] |= termios.ICANON | termios.ECHO; termios.tcsetattr(sl, termios.TCSANOW, at); os.write(m, b"line\n"); print(os.read(sl, 10), gather(m, 5)); print(os.ttyname(sl).startswith("/dev/pts/"), os.isatty(m), termios.tcgetwinsize(sl)); p = subprocess.Popen(["sh", "-c", "tty >/dev/null && echo tty; stty size"], stdin=sl, stdout=subprocess.PIPE, stderr=sl, close_fds=True, start_new_session=True); print(p.communicate()[0]); termios.tcsendbreak(sl, 0); termios.tcdrain(sl) if 0 else termios.tcflush(sl, termios.TCIOFLUSH); os.close(sl)
try: os.read(m, 1)
except OSError as e: print(e.errno)
pid, fd = pty.fork()
if pid == 0:
    import curses
    def cm(scr): scr.addstr(1, 1, "curses"); scr.refresh(); k = scr.getch(); scr.addstr(2, 2, chr(k)); scr.refresh()
    os.environ["TERM"] = "xterm"; curses.wrapper(cm); os._exit(6)
out = b""
while b"curses" not in out: out += os.read(fd, 1000)
os.write(fd, b"K")
try:
    while x := os.read(fd, 1000): out += x
except OSError: pass
print(b"curses" in out, b"K" in out, os.waitpid(pid, 0)[1] >> 8)
END
for x in a b c d; do python3 $x.py; echo "== $x $?"; done
