#!/usr/bin/env node
/**
 * Enforces the import rule: a file in src/ imports, types included, only from its own layer and the layers below.
 * ARCHITECTURE.md says what each layer owns.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** From bottom to top. lib and uapi are side by side and import nothing from other layers. */
const LAYERS = [
  ['lib', 'uapi'],
  ['host'],
  ['engine'],
  ['arch'],
  ['core'],
  ['mm'],
  ['fs'],
  ['ipc'],
  ['net'],
  ['drivers'],
  ['kernel'],
  ['syscalls'],
  ['init'],
  ['machine.ts'],
  ['cli'],
];

/** Layers that may import Node's modules and other packages, all of which belong to the host. */
const HOST_LAYERS = new Set(['host', 'engine', 'machine.ts', 'cli']);

const src = join(dirname(dirname(fileURLToPath(import.meta.url))), 'src');
const IMPORT = /(?:\bfrom|^\s*import|\bimport\()\s*['"]([^'"\n]+)['"]/gm;

const layerOf = file => file.split('/')[0];
const heightOf = layer => LAYERS.findIndex(names => names.includes(layer));

/** What is wrong with `file` importing `specifier`, or null. */
function judge(file, specifier) {
  const from = layerOf(file);
  if (!specifier.startsWith('.')) {
    if (HOST_LAYERS.has(from)) return null;
    return `imports ${specifier}: only host/, engine/ and what starts machines reach the host`;
  }
  const to = layerOf(relative(src, join(src, dirname(file), specifier)));
  if (heightOf(to) < 0) return `imports ${specifier}: ${to} is no layer`;
  if (to === from || heightOf(to) < heightOf(from)) return null;
  return `imports ${specifier}: ${from} stands below ${to}`;
}

let wrong = 0;
for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
  const file = relative(src, join(entry.parentPath, entry.name));
  const text = readFileSync(join(src, file), 'utf8');
  if (heightOf(layerOf(file)) < 0) {
    console.error(`src/${file}: stands in no layer`);
    wrong++;
  }
  for (const { 1: specifier, index } of text.matchAll(IMPORT)) {
    const message = judge(file, specifier);
    if (message === null) continue;
    console.error(`src/${file}:${text.slice(0, index).split('\n').length}: ${message}`);
    wrong++;
  }
}
if (wrong > 0) console.error(`layers: ${wrong} import${wrong === 1 ? '' : 's'} against the rule`);
process.exit(wrong > 0 ? 1 : 0);
