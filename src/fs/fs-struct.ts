/** A process's root and working directories, and umask (struct fs_struct); threads share it. */
import type { Path } from './dentry.ts';
import type { MountNamespace } from './namespace.ts';

export interface FsUser {
  /** Names may mean other files than before. */
  moved(): void;
}

export class FsStruct {
  /** Tasks that share it. */
  refs = 1;
  umask: number;
  /** Those tasks, to notify when the root or working directory changes. */
  readonly tasks: Set<FsUser> = new Set();
  private rootPath: Path;
  private cwdPath: Path;
  private ns: MountNamespace | null;

  /** The namespace defaults to the root's. */
  constructor(root: Path, cwd: Path, umask = 0o022, ns: MountNamespace | null = root.mount.namespace) {
    this.rootPath = root.get();
    this.cwdPath = cwd.get();
    this.umask = umask;
    this.ns = ns;
    if (ns !== null) ns.users++;
  }

  /** Its mount namespace (mount_namespaces(7)), which may differ from that of its root by now. */
  get namespace(): MountNamespace | null {
    return this.ns;
  }

  get root(): Path {
    return this.rootPath;
  }

  get cwd(): Path {
    return this.cwdPath;
  }

  /** chroot(2). */
  setRoot(path: Path): void {
    path.get();
    this.rootPath.put();
    this.rootPath = path;
    this.moved();
  }

  /** chdir(2). */
  setCwd(path: Path): void {
    path.get();
    this.cwdPath.put();
    this.cwdPath = path;
    this.moved();
  }

  private moved(): void {
    for (const task of this.tasks) task.moved();
  }

  /** Moves the tasks that share it to another namespace. */
  enter(ns: MountNamespace): void {
    ns.users++;
    this.leave();
    this.ns = ns;
  }

  private leave(): void {
    const { ns } = this;
    this.ns = null;
    ns?.left();
  }

  /** For fork(2), and for a task that stops sharing. */
  clone(): FsStruct {
    return new FsStruct(this.rootPath, this.cwdPath, this.umask, this.ns);
  }

  share(): this {
    this.refs++;
    return this;
  }

  put(): void {
    if (--this.refs > 0) return;
    this.rootPath.put();
    this.cwdPath.put();
    this.leave();
  }
}
