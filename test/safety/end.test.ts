/** The end of a machine, in whatever way it comes, leaves nothing behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alive, list, Machine, read, sleep, temporary } from './machine.ts';

const BUSY =
  'for i in 1 2 3 4 5 6; do sleep 1000 & done; sh -c "while :; do :; done" & echo READY; read x; true';

async function started(): Promise<{ machine: Machine; pids: number[] }> {
  const machine = new Machine(['sh', '-c', BUSY]);
  await machine.says('READY');
  const pids = [machine.kernel, machine.reaper, ...machine.spaces];
  assert.ok(pids.length >= 9 && pids.every(pid => pid > 0), `${pids}`);
  return { machine, pids };
}

/** Those that still run after a while. Orphans that have ended are the host's init to reap, when it likes. */
async function left(pids: readonly number[]): Promise<number[]> {
  for (let i = 0; i < 30_000 && pids.some(runs); i++) await sleep(10);
  return pids.filter(runs);
}

const runs = (pid: number): boolean => !/^$|\) Z /.test(read(`/proc/${pid}/stat`));

const leftovers = (): string[] => [...list(temporary), ...list('/dev/shm').filter(name => /^uml/.test(name))];

test('ended as it should: nobody is left when it is over, not even a zombie', async () => {
  const before = leftovers();
  const { machine, pids } = await started();
  assert.equal(await machine.end(), 0);
  assert.deepEqual(pids.filter(alive), []);
  assert.deepEqual(leftovers(), before);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} to the kernel: the same`, async () => {
    const { machine, pids } = await started();
    process.kill(pids[0]!, signal);
    await machine.ended;
    assert.deepEqual(pids.filter(alive), []);
  });
}

test('killed: its processes go with it', async () => {
  const { machine, pids } = await started();
  process.kill(pids[0]!, 'SIGKILL');
  await machine.ended;
  assert.deepEqual(await left(pids), []);
});

test('a reaper that is killed takes its processes along, and the machine panics', async () => {
  const { machine, pids } = await started();
  process.kill(pids[1]!, 'SIGKILL');
  assert.notEqual(await machine.ended, 0);
  assert.deepEqual(await left(pids), []);
});
