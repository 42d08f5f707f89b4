# test: needs python3
# Python: threads, subprocess, multiprocessing, asyncio, mmap, selectors, signals, sqlite, files.
cat >threads.py <<'END'
import threading, queue, concurrent.futures as cf, hashlib, time
q = queue.Queue(); total = []
def work():
    while (n := q.get()) is not None:
        total.append(n * n)
ts = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in ts]; [q.put(i) for i in range(2000)]; [q.put(None) for _ in ts]; [t.join() for t in ts]
print(sum(total))
with cf.ThreadPoolExecutor(4) as ex:
    print(sum(int(h[:4], 16) for h in ex.map(lambda i: hashlib.sha256(b"x" * 100000 + bytes([i])).hexdigest(), range(50))))
e = threading.Event(); threading.Timer(0.05, e.set).start(); print(e.wait(300))
c = threading.Condition(); ready = []
def waiter():
    with c:
        ready.append(c.wait_for(lambda: len(ready) >= 0, timeout=5))
t = threading.Thread(target=waiter); t.start(); t.join(); print(ready)
END
cat >procs.py <<'END'
import subprocess, os, signal, sys, tempfile
print(subprocess.run(["tr", "a-z", "A-Z"], input=b"hello", capture_output=True).stdout)
print(subprocess.run("exit 3", shell=True).returncode, subprocess.run(["sleep", "0"]).returncode)
p = subprocess.Popen(["sleep", "100"]); p.terminate(); print(p.wait())
try: subprocess.run(["sleep", "1000"], timeout=0.2)
except subprocess.TimeoutExpired: print("timeout")
try: subprocess.run(["no-such-program"])
except FileNotFoundError as e: print(e.errno)
p1 = subprocess.Popen(["seq", "100000"], stdout=subprocess.PIPE); print(subprocess.check_output(["wc", "-l"], stdin=p1.stdout)); p1.wait()
print(subprocess.check_output(["sh", "-c", "echo $FOO; pwd | wc -c; ls /proc/self/fd | wc -l"], env={"FOO": "bar", "PATH": os.environ["PATH"]}, cwd="/"))
r, w = os.pipe(); pid = os.fork()
if pid == 0: os.write(w, b"child"); os._exit(7)
print(os.read(r, 10), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
ps = [subprocess.Popen([sys.executable, "-c", f"print({i})"], stdout=subprocess.PIPE) for i in range(4)]
print([p.communicate()[0] for p in ps])
END
cat >multi.py <<'END'
import multiprocessing as mp, os
def square(x): return x * x
def child(q, lock, value, array):
    for _ in range(100):
        with lock: value.value += 1
    array[os.getpid() % 1] += 1; q.put("done")
if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        ctx = mp.get_context(method)
        with ctx.Pool(3) as pool: print(method, sum(pool.map(square, range(500))))
        q, lock, value, array = ctx.Queue(), ctx.Lock(), ctx.Value("i", 0, lock=False), ctx.Array("i", 2)
        ps = [ctx.Process(target=child, args=(q, lock, value, array)) for _ in range(3)]
        [p.start() for p in ps]; print([q.get() for _ in ps]); [p.join() for p in ps]
        print(value.value, [p.exitcode for p in ps])
        a, b = ctx.Pipe(); a.send({"x": [1, 2]}); print(b.recv())
    with mp.Manager() as m:
        d = m.dict(); d["k"] = 5; print(dict(d))
    from multiprocessing import shared_memory
    s = shared_memory.SharedMemory(create=True, size=1000); s.buf[5] = 9
    t = shared_memory.SharedMemory(name=s.name); print(t.buf[5]); t.close(); s.close(); s.unlink()
END
cat >aio.py <<'END'
import asyncio, os, signal
async def handle(r, w):
    while line := await r.readline():
        w.write(line.upper()); await w.drain()
    w.close()
async def client(i):
    r, w = await asyncio.open_unix_connection("sock")
    w.write(b"client %d\n" % i); w.write_eof(); out = await r.read(); w.close(); return out
async def main():
    server = await asyncio.start_unix_server(handle, "sock")
    print(sorted(await asyncio.gather(*(client(i) for i in range(20)))))
    server.close()
    p = await asyncio.create_subprocess_exec("sort", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    print((await p.communicate(b"b\na\n"))[0], p.returncode)
    try: await asyncio.wait_for(asyncio.sleep(1000), 0.1)
    except asyncio.TimeoutError: print("timeout")
    loop = asyncio.get_running_loop(); got = loop.create_future()
    loop.add_signal_handler(signal.SIGUSR1, got.set_result, "usr1"); os.kill(os.getpid(), signal.SIGUSR1); print(await got)
    print(sum(await asyncio.gather(*(asyncio.to_thread(lambda x: x * 2, i) for i in range(50)))))
asyncio.run(main())
END
cat >misc.py <<'END'
import mmap, os, select, selectors, signal, tempfile, sqlite3, fcntl, resource, socket, struct, time, shutil, pathlib, ctypes, zlib, json, glob
with tempfile.TemporaryFile() as f:
    f.write(b"\0" * 10000); f.flush(); m = mmap.mmap(f.fileno(), 0); m[5:8] = b"abc"; print(os.pread(f.fileno(), 4, 5)); m.close()
print(signal.sigtimedwait([signal.SIGUSR2], 0.05)); r, w = os.pipe(); print(select.select([r], [w], [], 0)[1] == [w])
s = selectors.DefaultSelector(); s.register(r, selectors.EVENT_READ); os.write(w, b"x"); print(len(s.select(1)))
db = sqlite3.connect("db"); db.execute("create table t (a, b)"); db.executemany("insert into t values (?, ?)", ((i, str(i)) for i in range(5000))); db.commit()
print(db.execute("select sum(a), count(distinct b) from t").fetchone())
p = pathlib.Path("x/y/z"); p.mkdir(parents=True); (p / "f").write_text("é"); print((p / "f").read_bytes(), list(map(str, pathlib.Path("x").rglob("f")))); shutil.rmtree("x")
print(zlib.crc32(b"a" * 1000000), json.loads(json.dumps({"a": [1, None]})), ctypes.CDLL(None).abs(-5))
try: os.kill(os.getpid(), 0); open("/nope")
except OSError as e: print(e)
print(resource.getrlimit(resource.RLIMIT_CORE)[0] >= -1, os.cpu_count() > 0, time.monotonic() > 0, os.uname().sysname)
print(os.path.realpath("/proc/self/cwd") == os.getcwd(), len(os.urandom(10)), sorted(os.listdir("."))[:2])
END
for f in threads procs multi aio misc; do echo "== $f"; python3 $f.py; echo "status $?"; done
python3 -c 'def f(n): return n and f(n-1)
import sys; sys.setrecursionlimit(20000); print(f(9000))'
python3 -c 'import sys; sys.exit(42)'; echo $?
echo 'print(input())' >i.py; echo typed | python3 i.py
