/** struct open_how (openat2(2)), 24 bytes: 0 flags u64 | 8 mode u64 | 16 resolve u64 */
import { getUint64 } from '../../../lib/int64.ts';

export const OPEN_HOW_SIZE = 24;

export interface OpenHow {
  readonly flags: number;
  readonly mode: number;
  readonly resolve: number;
}

export const readOpenHow = (view: DataView, at: number): OpenHow => ({
  flags: getUint64(view, at),
  mode: getUint64(view, at + 8),
  resolve: getUint64(view, at + 16),
});
