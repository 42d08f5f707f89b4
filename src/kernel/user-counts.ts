/** Counts for each real user id, for RLIMIT_NPROC and RLIMIT_SIGPENDING (getrlimit(2)). */
export class UserCounts {
  readonly uid: number;
  /** Tasks, threads included. */
  tasks = 0;
  /** Queued signals. */
  sigpending = 0;

  constructor(uid: number) {
    this.uid = uid;
  }
}

export class Users {
  private readonly users: Map<number, UserCounts> = new Map();

  of(uid: number): UserCounts {
    const known = this.users.get(uid);
    if (known !== undefined) return known;
    const counts = new UserCounts(uid);
    this.users.set(uid, counts);
    return counts;
  }
}
