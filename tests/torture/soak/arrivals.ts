/** Frames of a minute and a half: longer than any check looks back. */
const KEPT = 4_096;

/** When each AAC frame of a listener's arrived; the latest of them are known. */
export class Arrivals {
  readonly #atMs = new Float64Array(KEPT);
  #count = 0;

  /** Frames so far. */
  get count(): number {
    return this.#count;
  }

  add(atMs: number): void {
    this.#atMs[this.#count % KEPT] = atMs;
    this.#count += 1;
  }

  /** Of a frame, counted from 0; of the nearest one that is known. `undefined` before the first. */
  at(frame: number): number | undefined {
    if (this.#count === 0) return undefined;
    const known = Math.min(this.#count - 1, Math.max(0, this.#count - KEPT, frame));
    return this.#atMs[known % KEPT];
  }

  /** How many arrived since then, of the latest. */
  since(fromMs: number): number {
    let frames = 0;
    while (frames < Math.min(this.#count, KEPT) && (this.at(this.#count - 1 - frames) as number) >= fromMs)
      frames += 1;
    return frames;
  }
}
