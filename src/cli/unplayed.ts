import { blockMs } from './sender';

/** More than the relay plays between two of its receipts: what it says it holds is out of date when it is read. */
const MARGIN_MS = 500;

/**
 * What the relay took and had not played yet, by its own word. A relay that dies takes it along; it says afterwards how
 * far it was played, and what follows can be sent again.
 */
export class Unplayed<T extends { readonly bytes: Buffer }> {
  #pieces: T[] = [];
  #ms = 0;

  /** A piece was acknowledged. */
  add(piece: T): void {
    this.#pieces.push(piece);
    this.#ms += blockMs(piece.bytes.length);
  }

  /** The relay holds so much in all: what came before is played. */
  holds(bufferedMs: number): void {
    for (let [first] = this.#pieces; first; [first] = this.#pieces) {
      const ms = blockMs(first.bytes.length);
      if (this.#ms - ms < bufferedMs + MARGIN_MS) return;
      this.#ms -= ms;
      this.#pieces.shift();
    }
  }

  /** All of them, oldest first. */
  all(): readonly T[] {
    return this.#pieces;
  }

  /** Takes out the last `count`, oldest first; none where there are not so many. */
  takeLast(count: number): T[] {
    if (count <= 0 || count > this.#pieces.length) return [];
    const taken = this.#pieces.splice(-count);
    for (const { bytes } of taken) this.#ms -= blockMs(bytes.length);
    return taken;
  }
}
