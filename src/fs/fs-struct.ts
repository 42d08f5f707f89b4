/** A process's root and working directories, and umask (struct fs_struct); threads share it. */
import type { Path } from './dentry.ts';

export class FsStruct {
  /** Tasks that share it. */
  refs = 1;
  umask: number;
  private rootPath: Path;
  private cwdPath: Path;

  constructor(root: Path, cwd: Path, umask = 0o022) {
    this.rootPath = root.get();
    this.cwdPath = cwd.get();
    this.umask = umask;
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
  }

  /** chdir(2). */
  setCwd(path: Path): void {
    path.get();
    this.cwdPath.put();
    this.cwdPath = path;
  }

  /** For fork(2), and for a task that stops sharing. */
  clone(): FsStruct {
    return new FsStruct(this.rootPath, this.cwdPath, this.umask);
  }

  share(): this {
    this.refs++;
    return this;
  }

  put(): void {
    if (--this.refs > 0) return;
    this.rootPath.put();
    this.cwdPath.put();
  }
}
