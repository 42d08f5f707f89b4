/** Exceptions that nobody has caught: bugs. */

/** Calls back instead of ending this process with a page of Node's, until the answer is called. */
export function onUncaught(came: (bug: unknown) => void): () => void {
  process.on('uncaughtException', came);
  return () => process.off('uncaughtException', came);
}
