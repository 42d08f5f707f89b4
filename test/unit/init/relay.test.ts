/** Signals of the host to a machine that runs one command: whom they reach, and when they end the machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Printk } from '../../../src/core/printk.ts';
import type { ExitReport } from '../../../src/init/options.ts';
import { Power } from '../../../src/init/power.ts';
import { relaySignals } from '../../../src/init/relay.ts';
import { SIGINT, SIGTERM } from '../../../src/uapi/signal.ts';
import { FakeMachine } from '../kernel/machine.ts';

const timeouts = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;

for (const signal of [SIGINT, SIGTERM])
  test(`a second signal ${signal} ends the machine, and all that waits for its end`, () => {
    const machine = new FakeMachine();
    const said: unknown[] = [];
    const power = new Power({} as Printk, 0, (report: ExitReport) => said.push(report));
    const terminal = { signal: (n: number) => said.push(n), hangup: () => said.push('hangup') };
    relaySignals(machine.process(machine.init), terminal, power);
    const before = timeouts();
    power.signalled(signal);
    const first = signal === SIGINT ? [SIGINT] : [];
    assert.deepEqual(said, first);
    power.signalled(signal);
    assert.deepEqual(said, [...first, { type: 'exit', status: 128 + signal }]);
    assert.equal(timeouts(), before, 'no timer keeps our process');
  });
