/**
 * Scripts of raw system calls that run on our handlers and on the host (host.py is the twin): what the calls
 * answer and what they leave in memory must be the same.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { NR } from '../../../src/arch/x86_64/unistd.ts';
import { AT_FDCWD, O_CREAT, O_RDWR } from '../../../src/uapi/fcntl.ts';
import { user } from '../fs/machine.ts';
import { BASE, CallMachine, syscall, TestMemory } from './machine.ts';

/** A place in the script's memory. */
export interface Ref {
  readonly at: number;
}
type Arg = number | Ref;
type Op = readonly [name: string, nr: number, ...args: (Arg | string)[]];

const MEMORY = 1 << 18;
/** An address where nothing is. */
export const BAD = 8;

export class Script {
  private readonly memory = new Uint8Array(MEMORY);
  readonly ops: Op[] = [];
  private used = 64;

  /** `len` bytes of memory, zero at first. */
  buf(len: number): Ref {
    const at = this.used;
    this.used = (at + len + 15) & ~15;
    if (this.used > MEMORY) throw new Error('the script has too little memory');
    return { at };
  }

  /** Bytes that are there from the start. */
  bytes(data: Uint8Array): Ref {
    const ref = this.buf(data.length);
    this.memory.set(data, ref.at);
    return ref;
  }

  str(text: string): Ref {
    return this.bytes(Buffer.from(`${text}\0`, 'latin1'));
  }

  /** 64-bit words; references cannot be among them. */
  longs(...values: number[]): Ref {
    const data = Buffer.alloc(8 * values.length);
    for (const [i, value] of values.entries()) data.writeBigInt64LE(BigInt(value), 8 * i);
    return this.bytes(data);
  }

  ints(...values: number[]): Ref {
    const data = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries()) data.writeInt32LE(value | 0, 4 * i);
    return this.bytes(data);
  }

  /** A system call; strings become NUL-terminated ones in memory. */
  call(name: keyof typeof NR, ...args: (Arg | string)[]): this {
    const placed = args.map(arg => (typeof arg === 'string' ? this.str(arg) : arg));
    this.ops.push([name, NR[name], ...placed]);
    return this;
  }

  /** Memory to compare. */
  peek(ref: Ref, len: number, offset = 0): this {
    this.ops.push(['@peek', -1, { at: ref.at + offset }, len]);
    return this;
  }

  poke(ref: Ref, hex: string): this {
    this.ops.push(['@poke', -1, ref, hex]);
    return this;
  }

  /** Stores the address of `target` at `ref`, as the script runs. */
  address(ref: Ref, target: Ref): this {
    this.ops.push(['@address', -1, ref, target]);
    return this;
  }

  /** An array of struct iovec. */
  iov(...elements: readonly (readonly [Ref, number])[]): Ref {
    const vector = this.longs(...elements.flatMap(([, len]) => [0, len]));
    for (const [i, [ref]] of elements.entries()) this.address({ at: vector.at + 16 * i }, ref);
    return vector;
  }

  /** What is mounted from here on is mounted for the script alone. */
  namespace(): this {
    this.ops.push(['@namespace', -1]);
    return this;
  }

  /** From here on the caller is an unprivileged user. */
  user(uid: number, gid: number): this {
    this.ops.push(['@user', -1, uid, gid]);
    return this;
  }

  rlimit(resource: number, soft: number): this {
    this.ops.push(['@rlimit', -1, resource, soft]);
    return this;
  }

  toJSON(): object {
    return { memory: Buffer.from(this.memory).toString('base64'), ops: this.ops };
  }

  /** Our answers. */
  run(): (number | string)[] {
    const memory = new TestMemory(MEMORY);
    memory.ram.set(this.memory);
    const task = new CallMachine().process(memory);
    task.group.isKernel = true;
    return this.ops.map(([name, nr, ...args]) => {
      const at = typeof args[0] === 'object' ? args[0].at : 0;
      if (nr >= 0) {
        const regs = args.map(arg => (typeof arg === 'object' ? arg.at + BASE : Number(arg)));
        const result = syscall(task, name, ...regs);
        return typeof result === 'number' ? result : 'blocks';
      }
      switch (name) {
        case '@peek':
          return Buffer.from(memory.ram.subarray(at, at + Number(args[1]))).toString('hex');
        case '@poke':
          memory.ram.set(Buffer.from(String(args[1]), 'hex'), at);
          break;
        case '@address':
          memory.view.setBigUint64(at, BigInt((args[1] as Ref).at + BASE), true);
          break;
        case '@user':
          task.cred = user(Number(args[0]), Number(args[1]));
          break;
        case '@rlimit': {
          const { hard } = task.group.rlimits[Number(args[0])]!;
          task.group.rlimits[Number(args[0])] = { soft: Number(args[1]), hard };
          break;
        }
      }
      return 0;
    });
  }
}

/** One that has a file of ten digits open as descriptor 3. */
export const withFile = (): Script =>
  new Script().call('openat', AT_FDCWD, 'file', O_CREAT | O_RDWR, 0o644).call('write', 3, '0123456789', 10);

const show = (op: Op | undefined): string =>
  op === undefined ? '?' : JSON.stringify([op[0], ...op.slice(2)]);

/** Runs scripts on both, and compares. */
export function compare(...scripts: readonly Script[]): void {
  const python = spawnSync('python3', [new URL('host.py', import.meta.url).pathname], {
    input: JSON.stringify(scripts),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  assert.equal(python.status, 0, python.stderr);
  const host = JSON.parse(python.stdout) as (number | string)[][];
  const differences: string[] = [];
  scripts.forEach((script, n) => {
    const ours = script.run();
    ours.forEach((answer, i) => {
      if (answer !== host[n]?.[i]) {
        differences.push(`${n}.${i} ${show(script.ops[i])}: ours ${answer}, the host's ${host[n]?.[i]}`);
      }
    });
  });
  assert.deepEqual(differences, []);
}
