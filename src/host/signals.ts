/** Signals of the host that ask this process to end or stop (signal(7)). */

export const ENDING_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

/**
 * Calls `came` for these signals instead of ending, until the returned function is called. Meanwhile earlier listeners,
 * which clean up and end the process, are suspended. Signals in `ignored` stay ignored.
 */
export function takeEndingSignals(ignored: readonly number[], came: (signal: number) => void): () => void {
  const undo = Object.entries(ENDING_SIGNALS).map(([name, signal]) => {
    const others = process.listeners(name as NodeJS.Signals);
    process.removeAllListeners(name);
    process.on(name, () => {
      if (!ignored.includes(signal)) came(signal);
    });
    return (): void => {
      process.removeAllListeners(name);
      for (const other of others) process.on(name as NodeJS.Signals, other);
    };
  });
  return () => {
    for (const one of undo) one();
  };
}

/** Calls back before a terminal's ^Z stops this process and when it continues; the returned function ends that. */
export function onStop(stops: () => void, goesOn: () => void): () => void {
  const stop = (): void => {
    stops();
    process.off('SIGTSTP', stop);
    // The process stops in this call, except in an orphaned process group, which no shell would continue.
    process.kill(process.pid, 'SIGTSTP');
    goesOn();
    process.on('SIGTSTP', stop);
  };
  process.on('SIGTSTP', stop);
  return () => process.off('SIGTSTP', stop);
}
