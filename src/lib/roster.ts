/**
 * A set of objects that come and go all the time, few at once, in order of arrival.
 *
 * JavaScript's own sets and maps leave a trail: a table that is full of holes is replaced, and points to its
 * replacement (for iterators under way). Once such a table is old, all later ones, with everything that was ever in
 * them, stay until the next full garbage collection, and are copied around until then. For processes that took a tenth
 * of the kernel's time. An array leaves no trail; finding a member is a linear search.
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

  /** Whether it was a member. */
  delete(member: T): boolean {
    const { members } = this;
    const index = members.indexOf(member);
    if (index < 0) return false;
    for (let i = index + 1; i < members.length; i++) members[i - 1] = members[i]!;
    members.pop();
    return true;
  }

  /** Removes and returns all members. */
  takeAll(): readonly T[] {
    return this.members.splice(0);
  }

  /** The members at this moment: changes during the iteration do not show. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.members.slice().values();
  }
}
