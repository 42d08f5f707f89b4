/**
 * Limits on the size of a pipe and on the pages in all pipes of a user (pipe(7)): fs.pipe-max-size,
 * fs.pipe-user-pages-soft and fs.pipe-user-pages-hard (0: no limit).
 */
import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE, type Cred, capable } from '../core/cred.ts';
import { PAGE_SIZE } from '../mm/ram.ts';
import { EPERM } from '../uapi/errno.ts';

const USUAL_PAGES = 16;
/** What a new pipe gets once its user is over the soft limit. */
const LEAST_PAGES = 2;

export class PipeLimits {
  /** Bytes. */
  size = 1 << 20;
  /** Pages. */
  soft = 16384;
  hard = 0;
  private readonly users: Map<number, PipeUser> = new Map();

  /** The account of a real user id. */
  of(uid: number): PipeUser {
    const known = this.users.get(uid);
    if (known !== undefined) return known;
    const user = new PipeUser(this);
    this.users.set(uid, user);
    return user;
  }
}

const isOver = (limit: number, pages: number): boolean => limit !== 0 && pages > limit;
const isBound = (cred: Cred): boolean => !capable(cred, CAP_SYS_RESOURCE) && !capable(cred, CAP_SYS_ADMIN);

export class PipeUser {
  /** In all pipes that this user has made. */
  pages = 0;
  private readonly limits: PipeLimits;

  constructor(limits: PipeLimits) {
    this.limits = limits;
  }

  /** How many pages a new pipe gets; 0: the user may not have another pipe. */
  forNew(cred: Cred): number {
    const { size, soft, hard } = this.limits;
    const own = capable(cred, CAP_SYS_RESOURCE) ? USUAL_PAGES : Math.min(USUAL_PAGES, size / PAGE_SIZE);
    if (!isBound(cred)) return own;
    const pages = isOver(soft, this.pages + own) ? LEAST_PAGES : own;
    return isOver(hard, this.pages + pages) ? 0 : pages;
  }

  /** Whether a pipe may grow from `from` to `to` pages: 0 or -EPERM. */
  mayGrow(cred: Cred, from: number, to: number): number {
    const { size, soft, hard } = this.limits;
    if (to * PAGE_SIZE > size && !capable(cred, CAP_SYS_RESOURCE)) return -EPERM;
    const pages = this.pages - from + to;
    return isBound(cred) && (isOver(soft, pages) || isOver(hard, pages)) ? -EPERM : 0;
  }
}
