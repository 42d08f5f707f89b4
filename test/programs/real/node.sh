# test: needs node npm
# Node: its JIT, garbage collector, workers, child processes, streams, timers, unix sockets, npm scripts.
node -e 'let a = []; for (let r = 0; r < 40; r++) { a = []; for (let i = 0; i < 200000; i++) a.push({ i, s: "x" + i }) } let s = 0; for (const x of a) s += x.i; console.log(s)'
node -e 'function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) } console.log(fib(32)); let h = 0; for (let i = 0; i < 5e7; i++) h = (h * 31 + i) | 0; console.log(h)'
cat >workers.mjs <<'END'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
if (isMainThread) {
  const shared = new SharedArrayBuffer(8), counter = new Int32Array(shared);
  const sums = await Promise.all([1, 2, 3, 4].map(n => new Promise((resolve, reject) => {
    const w = new Worker(new URL(import.meta.url), { workerData: { n, shared } });
    w.on('message', resolve); w.on('error', reject);
  })));
  console.log(sums, counter[0]);
} else {
  const counter = new Int32Array(workerData.shared);
  for (let i = 0; i < 10000; i++) Atomics.add(counter, 0, 1);
  Atomics.wait(counter, 1, 0, 10);
  parentPort.postMessage(workerData.n ** 5);
}
END
node workers.mjs
cat >io.mjs <<'END'
import { spawn, execFileSync, fork } from 'node:child_process';
import { createServer, connect } from 'node:net';
import * as fs from 'node:fs';
import * as fsp from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip, createGunzip } from 'node:zlib';
import { createHash, randomBytes, pbkdf2Sync } from 'node:crypto';
if (process.argv[2] === 'child') { process.on('message', m => { process.send(m * 2, () => process.disconnect()); }); } else {
  console.log(execFileSync('sh', ['-c', 'echo sync $X'], { env: { X: 'env', PATH: process.env.PATH } }).toString());
  const code = await new Promise(r => spawn('sh', ['-c', 'exit 9']).on('exit', r)); console.log(code);
  const signal = await new Promise(r => { const c = spawn('sleep', ['100']); c.on('exit', (_, s) => r(s)); c.kill(); }); console.log(signal);
  console.log(await new Promise(r => { const c = fork(process.argv[1], ['child']); c.send(21); c.on('message', r); }));
  const server = createServer(s => s.pipe(s)).listen('sock');
  await new Promise(r => server.once('listening', r));
  console.log(await new Promise(r => { let got = ''; connect('sock').on('data', d => { got += d; }).on('end', () => r(got)).end('echo'); }));
  server.close();
  fs.writeFileSync('big', Buffer.alloc(3e6, 'abc'));
  await pipeline(fs.createReadStream('big'), createGzip(), fs.createWriteStream('big.gz'));
  await pipeline(fs.createReadStream('big.gz'), createGunzip(), fs.createWriteStream('big2'));
  console.log(createHash('sha1').update(fs.readFileSync('big2')).digest('hex'));
  await Promise.all(Array.from({ length: 100 }, (_, i) => fsp.writeFile(`f${i}`, String(i)))); console.log((await fsp.readdir('.')).filter(n => /^f\d/.test(n)).length);
  console.log(await new Promise(r => { const w = fs.watch('.', () => { w.close(); r('watched'); }); w.on('error', e => r(e.code)); setTimeout(() => fs.writeFileSync('touched', ''), 50); }));
  const t = performance.now(); await new Promise(r => setTimeout(r, 50)); console.log(performance.now() - t >= 49);
  process.on('SIGUSR2', () => { console.log('usr2'); clearInterval(hold); }); const hold = setInterval(() => {}, 1000); process.kill(process.pid, 'SIGUSR2');
  console.log(randomBytes(5).length, pbkdf2Sync('a', 'b', 1000, 16, 'sha256').toString('hex'));
}
END
node io.mjs; echo "status $?"
echo '{"name":"x","version":"1.0.0","scripts":{"test":"node -e \"console.log(process.env.npm_lifecycle_event)\"","posttest":"echo after","bad":"exit 3"}}' >package.json
npm test --silent 2>&1; npm run bad --silent >/dev/null 2>&1; echo $?
echo 'console.log(require("os").type(), process.argv.length)' | node - a b; node -e 'process.exit(11)'; echo $?
node -e 'throw new Error("x")' 2>/dev/null; echo $?; node -p 'new Intl.NumberFormat("de").format(1234.5)'
{ node --max-old-space-size=64 -e 'const a=[];for(;;)a.push(new Array(1e5).fill(1.5))' >/dev/null; } 2>/dev/null; echo $?
