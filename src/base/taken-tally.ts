/** What a door took: chunks, and their bytes. */
export interface Taken {
  chunks: number;
  bytes: number;
}

/**
 * Adds up what doors take, chunk by chunk, until somebody wants to know: prom-client checks and hashes the labels at each
 * call, which was 4 % of the daemon's CPU with 30 vibes on air.
 */
export class TakenTally {
  readonly #doors = new Map<string, Taken>();
  readonly #tell: (door: string, taken: Taken) => void;

  /** @param tell told what a door took since it was told last */
  constructor(tell: (door: string, taken: Readonly<Taken>) => void) {
    this.#tell = tell;
  }

  /** Counts a chunk. */
  count(door: string, bytes: number): void {
    let taken = this.#doors.get(door);
    if (!taken) this.#doors.set(door, (taken = { chunks: 0, bytes: 0 }));
    taken.chunks += 1;
    taken.bytes += bytes;
  }

  /** Tells all there is to tell. */
  readonly settle = (): void => {
    for (const [door, taken] of this.#doors) this.#tell(door, taken);
    this.#doors.clear();
  };
}
