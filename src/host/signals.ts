/** Signals of the host that ask this process to end (signal(7)). */

export const ENDING_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

/**
 * Calls back instead of ending, until the answer is called; who listened before (to clean up and end) does not hear of
 * them meanwhile. Those of `ignored` stay ignored.
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
