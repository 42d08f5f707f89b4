/**
 * A set of objects that come and go all the time, few at once, in the order in which they came.
 *
 * JavaScript's own sets and maps leave a trail: a table that has become full of holes is replaced, and points to the one
 * that replaced it (for iterators that are under way). Once such a table is old, every later one, with all that was ever
 * in it, stays until the next full collection, and is copied around until then. For processes that meant a tenth of the
 * kernel's time. An array leaves nothing. Finding a member is a search.
 */
export class Roster<T> {
  private readonly members: T[] = [];

  get size(): number {
    return this.members.length;
  }

  has(member: T): boolean {
    return this.members.includes(member);
  }

  add(member: T): void {
    if (!this.members.includes(member)) this.members.push(member);
  }

  /** Whether it was there. */
  delete(member: T): boolean {
    const { members } = this;
    const index = members.indexOf(member);
    if (index < 0) return false;
    for (let i = index + 1; i < members.length; i++) members[i - 1] = members[i]!;
    members.pop();
    return true;
  }

  /** None is left. */
  takeAll(): readonly T[] {
    return this.members.splice(0);
  }

  /** Those that are there now: whoever comes or goes meanwhile changes nothing. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.members.slice().values();
  }
}
