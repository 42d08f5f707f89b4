/** Puts its standard input into raw mode, guarded, says so, and waits to be killed. */
import { DescriptorCalls } from '../../../src/host/descriptors.ts';
import { openLibc } from '../../../src/host/libc.ts';
import { HostTerminal } from '../../../src/host/terminal.ts';

const terminal = new HostTerminal(new DescriptorCalls(openLibc()), 0);
const result = terminal.setRaw();
terminal.guard();
process.stdout.write(`raw ${result}\n`);
if (process.argv[2] === 'exit') process.exit(3);
if (process.argv[2] === 'throw') setImmediate(() => JSON.parse('}'));
setInterval(() => {}, 1000);
