/**
 * Memory policies (set_mempolicy(2)): which nodes pages should be on. There is only node 0, so policies are only stored
 * and reported.
 */
import type { Result } from '../lib/result.ts';
import { EINVAL } from '../uapi/errno.ts';
import {
  MPOL_BIND,
  MPOL_DEFAULT,
  MPOL_F_NUMA_BALANCING,
  MPOL_F_RELATIVE_NODES,
  MPOL_F_STATIC_NODES,
  MPOL_LOCAL,
  MPOL_PREFERRED,
  MPOL_PREFERRED_MANY,
  MPOL_WEIGHTED_INTERLEAVE,
} from '../uapi/mempolicy.ts';

/** A set of nodes: the first 64 of them, as two words, and whether there are more. */
export interface Nodes {
  readonly lo: number;
  readonly hi: number;
  readonly more: boolean;
}

export const NO_NODES: Nodes = { lo: 0, hi: 0, more: false };
export const ALL_NODES: Nodes = { lo: 1, hi: 0, more: false };

export const isEmpty = ({ lo, hi, more }: Nodes): boolean => lo === 0 && hi === 0 && !more;
export const hasNodeZero = ({ lo }: Nodes): boolean => (lo & 1) !== 0;

export interface MemPolicy {
  readonly mode: number;
  readonly flags: number;
  /** As get_mempolicy(2) shows them. */
  readonly nodes: Nodes;
  /** Whether node 0 was made the home node (set_mempolicy_home_node(2)). */
  readonly hasHome: boolean;
}

const FIXED = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;
const FLAGS = FIXED | MPOL_F_NUMA_BALANCING;

/** The policy for `mode` (MPOL_* without flags), `flags` and these nodes; null: the default; or -EINVAL. */
export function newPolicy(mode: number, flags: number, nodes: Nodes): MemPolicy | null | number {
  const empty = isEmpty(nodes);
  if (mode === MPOL_DEFAULT) return empty ? null : -EINVAL;
  const local = mode === MPOL_LOCAL || (mode === MPOL_PREFERRED && empty);
  if (local) {
    if (!empty || (flags & FIXED) !== 0) return -EINVAL;
    return { mode: MPOL_LOCAL, flags, nodes: NO_NODES, hasHome: false };
  }
  const reached = (flags & MPOL_F_RELATIVE_NODES) !== 0 ? !empty : hasNodeZero(nodes);
  if (!reached) return -EINVAL;
  return { mode, flags, nodes: (flags & FLAGS) !== 0 ? nodes : ALL_NODES, hasHome: false };
}

/** Splits a mode word into mode and flags; or -EINVAL. */
export function splitMode(word: number): Result<{ mode: number; flags: number }> {
  const [mode, flags] = [word & ~FLAGS, word & FLAGS];
  if (mode < 0 || mode > MPOL_WEIGHTED_INTERLEAVE || (flags & FIXED) === FIXED) return -EINVAL;
  const balances = (flags & MPOL_F_NUMA_BALANCING) !== 0;
  return balances && mode !== MPOL_BIND && mode !== MPOL_PREFERRED_MANY ? -EINVAL : { mode, flags };
}

const sameNodes = (a: Nodes, b: Nodes): boolean => a.lo === b.lo && a.hi === b.hi && a.more === b.more;

export function samePolicy(a: MemPolicy | null, b: MemPolicy | null): boolean {
  if (a === b) return true;
  if (a === null || b === null || a.mode !== b.mode || a.flags !== b.flags) return false;
  return a.hasHome === b.hasHome && sameNodes(a.nodes, b.nodes);
}
