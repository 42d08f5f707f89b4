// Runs dist/NAME.cjs with the compiled code that the build kept beside it, so that V8 need not parse it again.
// With UML_KEEP_CODE=FILE (set by the build) it writes there, at the end, what V8 has compiled by then.
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

// Node's own modules come with compiled code, which is valid only while V8's flags have their usual values. So those
// that the program needs are loaded before any flag is set.
for (const module of ['child_process', 'events', 'os', 'process', 'tty', 'url']) require(`node:${module}`);
// After how many calls functions are optimised: V8's own values are 400, and 500 after a change in what they see. A
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

// What is done early makes V8 collect garbage (src/engine/native/room.ts). From what is live then, some 5 MB, it
// decides when to collect again: not in the first seconds, when there is enough else to do.
setFlagsFromString('--heap-growing-percent=1500');
try {
  require('../dist/early.cjs');
} catch {
  // The program itself reports what is missing.
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

// Code that is kept is valid only for the flags that were set when it was compiled.
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
  // The package is incomplete: no machine has begun.
  process.stderr.write(`${name}: the machine cannot start: ${error.message}\n`);
  process.exit(name === 'uml' ? 125 : 1);
}
