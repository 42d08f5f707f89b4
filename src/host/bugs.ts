/** Uncaught exceptions: bugs. */

/** Calls `came` instead of letting Node end the process with a report, until the returned function is called. */
export function onUncaught(came: (bug: unknown) => void): () => void {
  process.on('uncaughtException', came);
  return () => process.off('uncaughtException', came);
}
