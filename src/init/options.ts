/**
 * What a machine is asked to be, and how it ended: the contract between the command line programs (cli/),
 * programs that embed a machine, and machine.ts.
 *
 * Everything here is plain data. Its makers, not the machine, check types and ranges; what only the
 * machine can find out (a root without an init, a host without seccomp) comes back in the ExitReport.
 * Strings that name guest things (paths, arguments, environment) hold one character a byte.
 */

/** Where `/` comes from. */
export type RootOptions =
  /** A host directory, never written to, below a tmpfs that takes all changes and is discarded at the end. */
  | { readonly type: 'overlay'; readonly dir: string; readonly readonly: boolean }
  /** A host directory, written through unless `readonly`. */
  | { readonly type: 'hostfs'; readonly dir: string; readonly readonly: boolean }
  /** A root= (with rootfstype= and rootflags=) that no driver knows: mounting it panics as on Linux. */
  | {
      readonly type: 'device';
      readonly name: string;
      readonly fstype: string | null;
      readonly flags: string;
      readonly readonly: boolean;
    };

/** A host directory or file, mounted over `guest` after the root; null: an empty tmpfs. */
export interface VolumeOptions {
  readonly host: string | null;
  /**
   * An absolute path. For a host directory or file it is made if missing (in the overlay's upper side or in the hostfs
   * root).
   */
  readonly guest: string;
  readonly readonly: boolean;
}

/**
 * What descriptor 0, 1 or 2 of the first program is: the machine's console (/dev/console's terminal), a
 * descriptor of the host process, passed through byte for byte (never a terminal to the guest), or not
 * open at all.
 */
export type StdioOptions = 'console' | 'closed' | { readonly fd: number };

/** The user that the command runs as. */
export interface UserOptions {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export type InitOptions =
  /**
   * Linux's way: the program becomes process 1 with the console as its descriptors 0, 1 and 2, and its death
   * is a panic ("Attempted to kill init!"). `path` null: /sbin/init, /etc/init, /bin/init, /bin/sh in turn.
   */
  | {
      readonly type: 'init';
      readonly path: string | null;
      /** The arguments after argv[0], which is the path that was found. */
      readonly args: readonly string[];
      readonly envp: readonly string[];
    }
  /**
   * One command: the kernel itself is process 1 (it reaps orphans), the command is a session leader below
   * it, and the machine powers off when the command ends, with its status. So signals act on the command
   * as on any program. `argv[0]` without a slash is looked up in the PATH of `envp`, in the guest.
   * A command that cannot be executed ends the machine with an `error` and status 127 (not found) or 126.
   */
  | {
      readonly type: 'command';
      readonly argv: readonly string[];
      readonly envp: readonly string[];
      /** A guest path; a missing one is an error (status 126). */
      readonly cwd: string;
      readonly user: UserOptions;
      readonly stdio: readonly [StdioOptions, StdioOptions, StdioOptions];
    };

/**
 * The machine's first console, a terminal of the guest: none at all ('none'), one that takes output and gives no input
 * ('null'), or host descriptors to read and write. An input that is a host terminal is in raw mode until the end; its
 * window size and changes of it (SIGWINCH) reach the guest. Any other input is read through the line discipline.
 */
export type ConsoleOptions = 'none' | 'null' | { readonly input: number; readonly output: number };

export interface LogOptions {
  /** The host descriptor to which the kernel log is written as text, usually the console's output; or null. */
  readonly fd: number | null;
  /** Records with a level below this number are written there (loglevel=; quiet is 4). dmesg shows all. */
  readonly level: number;
}

export interface MachineOptions {
  /** /proc/cmdline, without the newline. */
  readonly cmdline: string;
  /** Bytes of physical memory, a multiple of 1 MiB. */
  readonly mem: number;
  /** Processors that the guest sees, at least 1. */
  readonly ncpus: number;
  readonly root: RootOptions;
  readonly volumes: readonly VolumeOptions[];
  readonly hostname: string;
  readonly init: InitOptions;
  readonly console: ConsoleOptions;
  readonly log: LogOptions;
  /** panic=: seconds between a panic and the machine's end; 0 and below: at once. */
  readonly panic: number;
  /** umid=: the machine's name on this host, or null for none. */
  readonly umid: string | null;
  /** A descriptor to which a line is written for each system call, or null. */
  readonly strace: number | null;
  /** Milliseconds after which the machine is killed with status 124, or null. */
  readonly timeout: number | null;
  /**
   * Signals that the host process was started to ignore. They do not end the machine, and a command without the
   * console ignores them from its start. Other SIGHUP, SIGINT, SIGQUIT and SIGTERM go to the command (init/relay.ts),
   * or end a machine that runs an init.
   */
  readonly ignored: readonly number[];
}

/** How a machine ended. `boot` resolves with it, and rejects only for a bug of ours. */
export type ExitReport =
  /** Powered off: the command's status, 128 + n when signal n killed it, 124 on a timeout, 0 for poweroff. */
  | { readonly type: 'exit'; readonly status: number }
  /** The guest asked for a reboot: the caller may start the machine again. */
  | { readonly type: 'restart' }
  /** The kernel panicked, for this reason; the log has shown it if it is shown anywhere. */
  | Panic
  /**
   * It never ran: one line that says what is wrong and what to do. The status is the command's (126, 127); null if
   * there was no machine to run it.
   */
  | { readonly type: 'error'; readonly message: string; readonly status: number | null };

/** `hint`: what the reason means and what to do, where known. */
export interface Panic {
  readonly type: 'panic';
  readonly reason: string;
  readonly hint: string | null;
}
