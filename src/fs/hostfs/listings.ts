/** Directory listings kept for the next reader: the latest ones, with MOST_NAMES names in all. */
import type { Listing } from '../snapshot-dir.ts';

/** A directory whose listing may be kept. */
export interface Listed {
  listing: Listing | null;
}

const MOST_NAMES = 1 << 16;

export class ListingCache {
  private readonly kept: Set<Listed> = new Set();
  private names = 0;

  keep(dir: Listed, listing: Listing): void {
    this.drop(dir);
    dir.listing = listing;
    this.kept.add(dir);
    this.names += cost(listing);
    for (const oldest of this.kept) {
      if (this.names <= MOST_NAMES) return;
      this.drop(oldest);
    }
  }

  drop(dir: Listed): void {
    if (dir.listing === null) return;
    this.names -= cost(dir.listing);
    dir.listing = null;
    this.kept.delete(dir);
  }
}

/** An empty listing takes room, too. */
const cost = ({ names }: Listing): number => names.length + 4;
