/** The first wait is short: listeners hear it. */
const FIRST_MS = 100;
const LONGEST_MS = 10_000;
/** A life as long as this was no failed start. */
const STEADY_MS = 30_000;

/** How long to wait before SRS is started again: 100 ms, doubled with each life that was short, 10 s at most. */
export class RestartWait {
  readonly #random: () => number;
  #failures = 0;

  /** @param random as `Math.random` */
  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * @param healthyMs how long the life that just ended answered
   * @returns milliseconds, between half of what it is by rule and that: relays that failed together do not start together
   */
  next(healthyMs: number): number {
    if (healthyMs >= STEADY_MS) this.#failures = 0;
    const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    return ceilingMs * (0.5 + this.#random() / 2);
  }
}
