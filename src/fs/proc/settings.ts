/** Writable files of a task: comm, the oom settings, timerslack_ns, loginuid and the like. */
import { CAP_AUDIT_CONTROL, CAP_SYS_NICE, CAP_SYS_RESOURCE, type Cred, capable } from '../../core/cred.ts';
import { EACCES, EINVAL, EPERM } from '../../uapi/errno.ts';
import type { Text } from '../kernfs/text-file.ts';
import { attachGuard } from './access.ts';
import {
  parseInteger,
  type TaskContext,
  type TaskEntry,
  taskSecret,
  taskSetting,
  taskText,
} from './context.ts';
import { hex } from './format.ts';
import type { IdMapping, ProcTask } from './source.ts';

const COMM_LEN = 15;

/** Only the process's own threads may rename one another (proc_pid_comm(5)). */
function storeComm(task: ProcTask, text: string, { source }: TaskContext): number {
  if (source.current?.tgid !== task.tgid) return -EINVAL;
  task.setComm(text.replace(/\0.*$/s, '').slice(0, COMM_LEN));
  return 0;
}

const OOM_SCORE_ADJ_MAX = 1000;

function storeOomScoreAdj(task: ProcTask, text: string, _context: TaskContext, cred: Cred): number {
  const value = parseInteger(text);
  if (value === null || Math.abs(value) > OOM_SCORE_ADJ_MAX) return -EINVAL;
  const privileged = capable(cred, CAP_SYS_RESOURCE);
  if (value < task.oomScoreAdjMin && !privileged) return -EACCES;
  task.oomScoreAdj = value;
  if (privileged) task.oomScoreAdjMin = value;
  return 0;
}

/** The scale used before Linux 2.6.36: -17 (never) to 15. */
const OOM_DISABLE = -17;
const OOM_ADJUST_MAX = 15;

function showOomAdj({ oomScoreAdj }: ProcTask): string {
  if (oomScoreAdj === OOM_SCORE_ADJ_MAX) return `${OOM_ADJUST_MAX}\n`;
  return `${Math.trunc((oomScoreAdj * -OOM_DISABLE) / OOM_SCORE_ADJ_MAX)}\n`;
}

function storeOomAdj(task: ProcTask, text: string, _context: TaskContext, cred: Cred): number {
  const value = parseInteger(text);
  if (value === null || value < OOM_DISABLE || value > OOM_ADJUST_MAX) return -EINVAL;
  const scaled = Math.trunc((value * OOM_SCORE_ADJ_MAX) / -OOM_DISABLE);
  const wanted = value === OOM_ADJUST_MAX ? OOM_SCORE_ADJ_MAX : scaled;
  // Here the floor is the current value (__set_oom_adj() in fs/proc/base.c).
  if (wanted < task.oomScoreAdj && !capable(cred, CAP_SYS_RESOURCE)) return -EACCES;
  task.oomScoreAdj = wanted;
  return 0;
}

const mayTune = ({ source, task }: TaskContext, cred: Cred): boolean =>
  source.current === task || capable(cred, CAP_SYS_NICE);

const showTimerSlack = (task: ProcTask, context: TaskContext, cred: Cred): Text =>
  mayTune(context, cred) ? `${task.timerSlack}\n` : -EPERM;

function storeTimerSlack(task: ProcTask, text: string, context: TaskContext, cred: Cred): number {
  if (!mayTune(context, cred)) return -EPERM;
  const value = parseInteger(text);
  if (value === null || value < 0) return -EINVAL;
  task.timerSlack = value;
  return 0;
}

const UNSET = 0xffffffff;

/** Only the task itself may set it: at login, while it is unset, and later only with CAP_AUDIT_CONTROL. */
function storeLoginuid(task: ProcTask, text: string, { source }: TaskContext, cred: Cred): number {
  if (source.current !== task) return -EPERM;
  const value = parseInteger(text);
  if (value === null || value < 0 || value > UNSET) return -EINVAL;
  if (task.loginuid !== UNSET && !capable(cred, CAP_AUDIT_CONTROL)) return -EPERM;
  task.loginuid = value;
  return 0;
}

function storeCoredumpFilter(task: ProcTask, text: string): number {
  const value = parseInteger(text);
  if (value === null || value < 0) return -EINVAL;
  if (task.mm !== null) task.mm.coredumpFilter = value & 0x1ff;
  return 0;
}

const showMapping = (map: readonly IdMapping[]): string =>
  map
    .map(
      ({ inside, outside, count }) =>
        `${[inside, outside, count].map(n => String(n).padStart(10)).join(' ')}\n`,
    )
    .join('');

/** The mapping of the initial user namespace cannot be changed (user_namespaces(7)). */
const refuse = (): number => -EPERM;

export const SETTING_ENTRIES: readonly TaskEntry[] = [
  taskSetting('comm', 0o644, task => `${task.comm}\n`, storeComm),
  taskSetting('oom_score_adj', 0o644, task => `${task.oomScoreAdj}\n`, storeOomScoreAdj),
  taskSetting('oom_adj', 0o644, showOomAdj, storeOomAdj),
  taskSetting('loginuid', 0o644, task => `${task.loginuid}`, storeLoginuid),
  taskText('sessionid', 0o444, task => `${task.auditSession}`),
  taskSecret('personality', 0o400, task => `${hex(task.personality, 8)}\n`, attachGuard),
];

/** Settings that /proc/PID has and its threads' directories lack. */
export const PROCESS_SETTING_ENTRIES: readonly TaskEntry[] = [
  taskSetting('timerslack_ns', 0o666, showTimerSlack, storeTimerSlack),
  taskSetting(
    'coredump_filter',
    0o644,
    ({ mm }) => (mm === null ? '' : `${hex(mm.coredumpFilter, 8)}\n`),
    storeCoredumpFilter,
  ),
];

export const ID_MAP_ENTRIES: readonly TaskEntry[] = [
  taskSetting('uid_map', 0o644, task => showMapping(task.uidMap), refuse),
  taskSetting('gid_map', 0o644, task => showMapping(task.gidMap), refuse),
  taskSetting('setgroups', 0o644, () => 'allow\n', refuse),
];
