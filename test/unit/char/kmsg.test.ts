/** The kernel log and /dev/kmsg: the reader's protocol, with the host's own behaviour as the expectation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CRED } from '../../../src/core/cred.ts';
import type { Current } from '../../../src/core/current.ts';
import { KernelLog } from '../../../src/core/log.ts';
import { readAllOfLog, SyslogReader } from '../../../src/core/syslog.ts';
import { KmsgFile } from '../../../src/drivers/char/kmsg.ts';
import type { Inode } from '../../../src/fs/inode.ts';
import { EAGAIN, EINVAL, EPERM, EPIPE, ESPIPE } from '../../../src/uapi/errno.ts';
import { O_RDWR } from '../../../src/uapi/fcntl.ts';
import { POLLERR, POLLIN } from '../../../src/uapi/poll.ts';

const buf = Buffer.alloc(8192);

function setup(capacity?: number) {
  const clock = { now: 0, monotonic: () => clock.now };
  const log = new KernelLog(clock, capacity);
  const open = () => KmsgFile.open({} as Inode, O_RDWR, null, log) as KmsgFile;
  return { clock, log, open };
}

const read = (file: KmsgFile, len = buf.length): string | number => {
  const n = file.read(buf, 0, len, 0);
  return n < 0 ? n : buf.toString('latin1', 0, n);
};

const write = (file: KmsgFile, text: string): number => {
  const bytes = Buffer.from(text, 'latin1');
  return file.write(bytes, 0, bytes.length, 0);
};

test('records read one at a time, as the host formats them', () => {
  const { clock, log, open } = setup();
  clock.now = 2101827338000;
  log.log(6, 'Linux version\n');
  const file = open();
  assert.equal(read(file), '6,0,2101827338,-;Linux version\n');
  assert.equal(read(file), -EAGAIN);
  assert.equal(write(file, '<5>hello\n'), 9);
  assert.equal(read(file), '13,1,2101827338,-;hello\n');
  for (const [written, expected] of [
    ['plain', '12,2,2101827338,-;plain\n'],
    ['<200>fac25', '200,3,2101827338,-;fac25\n'],
    ['<>x', '8,4,2101827338,-;x\n'],
    ['<5x', '12,5,2101827338,-;<5x\n'],
    ['a\nb\x01\xff\\"\n', '12,6,2101827338,-;a\\x0ab\\x01\\xff\\x5c"\n'],
    ['', '12,7,2101827338,-;\n'],
  ] as const) {
    assert.equal(write(file, written), written.length);
    assert.equal(read(file), expected);
  }
  assert.equal(write(file, 'x'.repeat(1100)), -EINVAL);
});

test('a buffer too small loses nothing', () => {
  const { log, open } = setup();
  log.log(6, 'message');
  const file = open();
  assert.equal(read(file, 10), -EINVAL);
  assert.equal(read(file), '6,0,0,-;message\n');
});

test('seeking', () => {
  const { log, open } = setup();
  for (const text of ['one', 'two', 'three']) log.log(6, text);
  const file = open();
  assert.equal(file.seek(0, 2), 0);
  assert.equal(read(file), -EAGAIN);
  assert.equal(file.seek(0, 0), 0);
  assert.equal(read(file), '6,0,0,-;one\n');
  log.clear();
  log.log(6, 'four');
  assert.equal(file.seek(0, 3), 0);
  assert.equal(read(file), '6,3,0,-;four\n');
  assert.equal(file.seek(5, 0), -ESPIPE);
  assert.equal(file.seek(0, 1), -EINVAL);
});

test('a reader that is overtaken is told once', () => {
  const { log, open } = setup(2048);
  log.log(6, 'first');
  const file = open();
  for (let i = 1; i < 1000; i++) log.log(6, `message ${i}`);
  assert.ok(log.firstSeq > 900);
  assert.equal(file.poll() & (POLLERR | POLLIN), POLLERR | POLLIN);
  assert.equal(read(file), -EPIPE);
  assert.equal(read(file), `6,${log.firstSeq},0,-;message ${log.firstSeq}\n`);
});

test('a restricted log is not for everybody', () => {
  const { log } = setup();
  log.restricted = true;
  const nobody = { ...ROOT_CRED, euid: 1, effective: { lo: 0, hi: 0 } };
  assert.equal(KmsgFile.open({} as Inode, O_RDWR, { cred: nobody } as Current, log), -EPERM);
});

test('syslog reads pieces of records and counts what is left', () => {
  const { clock, log } = setup();
  clock.now = 1_234_567_000;
  log.log(6, 'one');
  log.log(3, 'two\nlines');
  const all = '<6>[    1.234567] one\n<3>[    1.234567] two\n<3>[    1.234567] lines\n';
  const reader = new SyslogReader(log);
  assert.equal(reader.unread(), all.length);
  let text = '';
  for (let n = reader.read(buf, 0, 7); n > 0; n = reader.read(buf, 0, 7))
    text += buf.toString('latin1', 0, n);
  assert.equal(text, all);
  assert.equal(reader.unread(), 0);
  assert.equal(reader.read(buf, 0, 7), -EAGAIN);
  const tail = readAllOfLog(log, buf, 0, all.length - 1);
  assert.equal(buf.toString('latin1', 0, tail), '<3>[    1.234567] two\n<3>[    1.234567] lines\n');
});

test('consoles get what is urgent enough, and what was said before them', () => {
  const { log } = setup();
  log.log(4, 'early');
  log.log(7, 'debug');
  const lines: string[] = [];
  const remove = log.addConsole({ write: text => lines.push(text) }, true);
  assert.equal(log.setConsoleLevel(5), 0);
  log.log(4, 'seen');
  log.log(5, 'not seen');
  log.consoleOff();
  log.log(1, 'off');
  log.consoleOn();
  assert.equal(log.consoleLevel, 5);
  remove();
  log.log(0, 'gone');
  assert.deepEqual(lines, ['[    0.000000] early\n', '[    0.000000] seen\n']);
  assert.equal(log.setConsoleLevel(9), -EINVAL);
});

test('the ring keeps the newest records within its size', () => {
  const { log } = setup(4096);
  for (let i = 0; i < 5000; i++) log.log(6, 'x'.repeat(i % 100));
  let bytes = 0;
  for (let seq = log.firstSeq; seq < log.nextSeq; seq++) {
    assert.equal(log.record(seq)!.seq, seq);
    bytes += log.record(seq)!.text.length;
  }
  assert.equal(log.nextSeq, 5000);
  assert.ok(bytes <= 4096 && bytes > 2000);
  assert.equal(log.record(log.firstSeq - 1), undefined);
});
