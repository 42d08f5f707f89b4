/** Listings of directories that are kept for the next reader: as many names as there is room for, the latest. */
import type { Listing } from '../snapshot-dir.ts';

/** A directory, for whom its listing is kept. */
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

/** An empty one takes room too. */
const cost = ({ names }: Listing): number => names.length + 4;
