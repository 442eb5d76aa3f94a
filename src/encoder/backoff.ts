/** What to do after a life that failed. */
export interface Verdict {
  readonly delayMs: number;
  /** Whether so many lives failed that a person should look. */
  readonly hopeless: boolean;
}

/**
 * The first retry comes soon and at a fixed time: most failures pass, and a listener hears the gap. Not at once: a
 * process manager may be ending the FFmpegs a moment before it ends the daemon.
 */
const FIRST_MS = 250;
const LONGEST_MS = 10_000;
const SHORTEST_MS = 100;
/** Running this long proves that what was wrong is over. */
const HEALTHY_MS = 30_000;
const HOPELESS_FAILURES = 8;
const HOPELESS_WINDOW_MS = 120_000;
const PROBE_MS = 30_000;

/**
 * When to try again: 250 ms, then a random time ("full jitter") up to 250 ms · 2ⁿ and at most 10 s, so that encoders
 * that failed together do not come back together. After 8 failures within 2 minutes one probe every 30 s, until a
 * life stays healthy for 30 s.
 */
export class Backoff {
  readonly #random: () => number;
  #failuresMs: number[] = [];
  #attempts = 0;
  #hopeless = false;

  /** @param random as `Math.random` */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** @param healthyMs how long the life ran well before it failed */
  failed(nowMs: number, healthyMs: number): Verdict {
    if (healthyMs >= HEALTHY_MS) this.reset();
    this.#failuresMs = [...this.#failuresMs.filter((atMs) => nowMs - atMs < HOPELESS_WINDOW_MS), nowMs];
    this.#hopeless ||= this.#failuresMs.length >= HOPELESS_FAILURES;
    if (this.#hopeless) return { delayMs: PROBE_MS, hopeless: true };
    const attempt = this.#attempts++;
    if (attempt === 0) return { delayMs: FIRST_MS, hopeless: false };
    const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
    return { delayMs: Math.max(SHORTEST_MS, this.#random() * ceilingMs), hopeless: false };
  }

  /** What was wrong is over. */
  reset(): void {
    this.#failuresMs = [];
    this.#attempts = 0;
    this.#hopeless = false;
  }
}
