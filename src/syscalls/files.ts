/** The rows of the system call table for files and descriptors. */
import { aioCalls } from './aio.ts';
import type { Syscall } from './args.ts';
import { attrCalls } from './attr.ts';
import { dirCalls } from './dir.ts';
import { epollCalls } from './epoll.ts';
import { eventfdCalls } from './eventfd.ts';
import { fcntlCalls } from './fcntl.ts';
import { fdCalls } from './fd.ts';
import { fileAttrCalls } from './file-attr.ts';
import { fsContextCalls } from './fs-context.ts';
import { handleCalls } from './handle.ts';
import { inotifyCalls } from './inotify.ts';
import { ioctlCalls } from './ioctl.ts';
import { linkCalls } from './link.ts';
import { memfdCalls } from './memfd.ts';
import { mountCalls } from './mount.ts';
import { mountTreeCalls } from './mount-tree.ts';
import { openCalls } from './open.ts';
import { pidfdCalls } from './pidfd.ts';
import { pipeCalls } from './pipe.ts';
import { pollCalls } from './poll.ts';
import { rwCalls } from './rw.ts';
import { selectCalls } from './select.ts';
import { sendfileCalls } from './sendfile.ts';
import { signalfdCalls } from './signalfd.ts';
import { spaceCalls } from './space.ts';
import { spliceCalls } from './splice.ts';
import { statCalls } from './stat.ts';
import { statfsCalls } from './statfs.ts';
import { statmountCalls } from './statmount.ts';
import { syncCalls } from './sync.ts';
import { sysfsCalls } from './sysfs.ts';
import { utimesCalls } from './utimes.ts';
import { vectorCalls } from './vector.ts';
import { xattrCalls } from './xattr.ts';

export const fileCalls: readonly Syscall[] = [
  ...rwCalls,
  ...vectorCalls,
  ...openCalls,
  ...fdCalls,
  ...fcntlCalls,
  ...ioctlCalls,
  ...statCalls,
  ...statfsCalls,
  ...dirCalls,
  ...linkCalls,
  ...attrCalls,
  ...utimesCalls,
  ...spaceCalls,
  ...syncCalls,
  ...xattrCalls,
  ...mountCalls,
  ...mountTreeCalls,
  ...fsContextCalls,
  ...statmountCalls,
  ...sendfileCalls,
  ...spliceCalls,
  ...pipeCalls,
  ...eventfdCalls,
  ...signalfdCalls,
  ...pidfdCalls,
  ...pollCalls,
  ...selectCalls,
  ...epollCalls,
  ...handleCalls,
  ...fileAttrCalls,
  ...inotifyCalls,
  ...memfdCalls,
  ...sysfsCalls,
  ...aioCalls,
];
