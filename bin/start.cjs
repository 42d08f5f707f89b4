// Runs dist/NAME.cjs with the compiled code that the build kept beside it, so that V8 need not parse it again.
// With UML_KEEP_CODE=FILE (the build says so) it writes, at the end, what V8 compiled until then.
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname, join } = require('node:path');
const { setFlagsFromString } = require('node:v8');
const { constants, Script } = require('node:vm');

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `usermode-linux: Node ${process.version} is too old; run "npm install" again to get a current one\n`,
  );
  process.exit(1);
}

// Node's own modules come with compiled code, which counts only while V8's numbers are the usual ones: so those that the
// program asks for are loaded before any is set.
for (const module of ['child_process', 'events', 'os', 'process', 'tty', 'url']) require(`node:${module}`);
// After how many calls functions are optimised: V8 waits for 400 by itself, and for 500 since what they see has changed. A
// fork or an execve makes each of its calls once.
const EARLY = ['--invocation-count-for-maglev=100', '--minimum-invocations-after-ic-update=100'];

const name = process.argv.splice(2, 1)[0];
const filename = join(__dirname, '..', 'dist', `${name}.cjs`);
process.argv[1] = filename;

const tryRead = file => {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
};

// What is done early makes V8 collect garbage (src/engine/native/room.ts), and with what lives then, some 5 MB, it decides when
// to do it again: not in the first seconds, when there is enough else to do.
setFlagsFromString('--heap-growing-percent=1500');
try {
  require('../dist/early.cjs');
} catch {
  // What is missing, the program itself says.
}
setFlagsFromString('--heap-growing-percent=0');

const code = tryRead(join(__dirname, '..', 'dist', `${name}.code`));
const script = new Script(readFileSync(filename, 'latin1'), {
  filename,
  cachedData: code,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
// An idle machine would keep these megabytes until there is more garbage.
code?.buffer.transfer(0);

// What is kept counts for the numbers that were set then.
const keep = process.env.UML_KEEP_CODE;
if (keep === undefined) for (const flag of EARLY) setFlagsFromString(flag);
else {
  delete process.env.UML_KEEP_CODE;
  process.on('exit', () => writeFileSync(keep, script.createCachedData()));
}

const module_ = { exports: {} };
try {
  script.runInThisContext()(module_.exports, createRequire(filename), module_, filename, dirname(filename));
} catch (error) {
  // What it is made of is not whole: no machine has begun.
  process.stderr.write(`${name}: the machine cannot start: ${error.message}\n`);
  process.exit(name === 'uml' ? 125 : 1);
}
