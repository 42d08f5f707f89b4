/**
 * A pipe that a thread reads and writes on its own (engine/answers.ts, `PipeAlong`) between its calls to the kernel:
 * shells read their input byte by byte. Any other use of the pipe ends that (`Pipe.recall`).
 */

import type { FilesStruct } from '../fs/fd-table.ts';
import type { Pipe } from '../ipc/pipe.ts';
import { PipeFile } from '../ipc/pipe-file.ts';
import { isAlone } from './along.ts';
import type { Task } from './task.ts';

/** After so many calls, between which the thread did nothing with the pipe, it goes along no more. */
const MOST_IDLE = 8;
/** The other end is looked for among these. */
const LOW_DESCRIPTORS = 64;
const NONE = -1;

/** A descriptor of an end, as it was found; `fd` -1: the task has none. */
interface End {
  readonly file: PipeFile | null;
  readonly fd: number;
}

const NO_END: End = { file: null, fd: NONE };

export interface PipeGoesAlong {
  readonly read: End;
  readonly write: End;
  /** Calls since the pipe was last of use, and its count of uses then. */
  idle: number;
  uses: number;
}

/** The task uses the pipe, through descriptor `fd`, and will probably do so again. */
export function bringPipe(task: Task, file: PipeFile, fd: number): void {
  if (task.thread?.pipe == null || isInUse(task, file)) return;
  const here = { file, fd };
  const other = otherEnd(task.files, file);
  task.pipeAlong = {
    read: file.readable ? here : other,
    write: file.writable ? here : other,
    idle: 0,
    uses: file.pipe.uses,
  };
}

/** Sends the pipe with the answer that the task is about to get. */
export function sendPipe(task: Task): void {
  const { pipeAlong, thread, files } = task;
  if (pipeAlong === null) return;
  const { read, write, idle } = pipeAlong;
  const pipe = pipeOf(pipeAlong);
  if (pipe.isLent) return;
  const ends = { read: usable(files, read), write: usable(files, write) };
  const goes = isAlone(task) && idle < MOST_IDLE && thread?.pipe != null && pipe.lend(thread.pipe, ends);
  if (!goes) task.pipeAlong = null;
}

/** Applies what the thread has done before the kernel looks at anything else of it. */
export function settlePipe(task: Task): void {
  const { pipeAlong } = task;
  if (pipeAlong === null) return;
  const pipe = pipeOf(pipeAlong);
  pipe.recall();
  if (pipe.uses === pipeAlong.uses) pipeAlong.idle++;
  else pipeAlong.idle = 0;
  pipeAlong.uses = pipe.uses;
}

/** Whether that pipe goes along already, or another that the task has used since the last check. */
function isInUse(task: Task, { pipe }: PipeFile): boolean {
  const { pipeAlong } = task;
  if (pipeAlong === null) return false;
  if (pipeOf(pipeAlong) === pipe) return true;
  settlePipe(task);
  return pipeAlong.idle === 0;
}

const pipeOf = ({ read, write }: PipeGoesAlong): Pipe => (read.file ?? write.file)!.pipe;

function otherEnd(files: FilesStruct, { pipe, readable }: PipeFile): End {
  for (let fd = files.next(0); fd < LOW_DESCRIPTORS; fd = files.next(fd + 1)) {
    const file = files.get(fd);
    if (file instanceof PipeFile && file.pipe === pipe && file.readable !== readable) return { file, fd };
  }
  return NO_END;
}

const usable = (files: FilesStruct, { file, fd }: End): number =>
  file !== null && files.get(fd) === file && file.goesAlong ? fd : NONE;
