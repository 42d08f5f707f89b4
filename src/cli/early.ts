/** Runs before the programs' own code is loaded (bin/start.cjs). */
import { reserveRoom } from '../engine/native/room.ts';
import { openLibc } from '../host/libc.ts';

reserveRoom(openLibc());
