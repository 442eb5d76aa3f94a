import type { Likeness } from './likeness';

/** What was heard from `from` until `until` (exclusive) is the reference, `lag` samples on. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
  readonly lag: number;
}

/** What likeness is measured over: 43 ms. Shorter windows are alike by chance too often. */
export const WINDOW = 2_048;
const HOP = 512;
/** Lags about the present one that are looked at in each window: what a clock does between two of them. */
const REACH = 8;
/** Below it a window is not the reference. AAC at 48 kbit/s a channel and more stays above 0.9. */
export const ALIKE = 0.75;
/** A lag is another one when so many windows in a row say so: a window across an edge sees a little of both. */
const CONFIRMATIONS = 3;
/** What is 40 dB below the reference is silence: it belongs nowhere, and is not looked for. */
const SILENCE = 1e-4;
/** Where a lost place is looked for: about where it should be, and now and then far away. */
const NEARBY = 3 * 48_000;
const FAR = 30 * 48_000;
/** So many searches in a row are made at each window; noise that is no reference at all would take forever. */
const EAGER_SEARCHES = 16;
const LAZY_EVERY = 16;

/**
 * Follows the reference through what was heard: the stretches of it, in order, and the mean likeness in them.
 * @param expectedLag where the first one is looked for first
 */
export function stretches(
  likeness: Likeness,
  expectedLag?: number,
): { found: Stretch[]; meanLikeness: number } {
  const walk = new Walk(likeness, expectedLag);
  for (let at = 0; at + WINDOW <= likeness.heard.length; at += HOP) walk.step(at);
  return walk.finish();
}

class Walk {
  readonly #likeness: Likeness;
  readonly #found: Stretch[] = [];
  #lag: number | undefined;
  #from = 0;
  /** The end of the last window that was alike. */
  #until = 0;
  #lastLag: number | undefined;
  #misses = 0;
  #pending: { lag: number; sign: number; from: number; windows: number } | undefined;
  #sum = 0;
  #windows = 0;

  constructor(likeness: Likeness, expectedLag: number | undefined) {
    this.#likeness = likeness;
    this.#lastLag = expectedLag;
  }

  step(at: number): void {
    if (this.#likeness.heardPower(at, WINDOW) < SILENCE * this.#likeness.power) return this.#lose();
    if (this.#lag === undefined) return this.#find(at);
    const { lag, likeness } = this.#likeness.near(at, WINDOW, this.#lag, REACH);
    if (likeness < ALIKE) {
      this.#lose();
      return this.#find(at);
    }
    this.#sum += likeness;
    this.#windows += 1;
    this.#until = at + WINDOW;
    this.#slide(at, lag);
  }

  finish(): { found: Stretch[]; meanLikeness: number } {
    this.#lose();
    return { found: this.#found, meanLikeness: this.#windows === 0 ? 0 : this.#sum / this.#windows };
  }

  /** The place may have moved by a few samples: by a clock, or because some were lost. */
  #slide(at: number, lag: number): void {
    const present = this.#lag as number;
    const sign = Math.sign(lag - present);
    if (sign === 0) {
      this.#pending = undefined;
      return;
    }
    const pending = this.#pending?.sign === sign ? this.#pending : { lag, sign, from: at, windows: 0 };
    this.#pending = { ...pending, lag, windows: pending.windows + 1 };
    if (this.#pending.windows < CONFIRMATIONS) return;
    const { from } = this.#pending;
    this.#found.push({ from: this.#from, until: from + WINDOW, lag: present });
    this.#lag = lag;
    this.#from = from;
    this.#pending = undefined;
  }

  #lose(): void {
    if (this.#lag === undefined) return;
    this.#found.push({ from: this.#from, until: this.#until, lag: this.#lag });
    this.#lastLag = this.#lag;
    this.#lag = undefined;
    this.#pending = undefined;
    this.#misses = 0;
  }

  #find(at: number): void {
    const match = this.#match(at);
    if (match === undefined) return;
    this.#lag = match;
    this.#from = at;
    this.#until = at + WINDOW;
  }

  #match(at: number): number | undefined {
    const likeness = this.#likeness;
    const expected = this.#lastLag;
    if (expected !== undefined) {
      const near = likeness.near(at, WINDOW, expected, REACH);
      if (near.likeness >= ALIKE) return near.lag;
    }
    this.#misses += 1;
    if (this.#misses > EAGER_SEARCHES && this.#misses % LAZY_EVERY !== 0) return undefined;
    const isFar = expected === undefined || this.#misses % EAGER_SEARCHES === 0;
    const about = at + (expected ?? 0);
    const reach = isFar ? FAR : NEARBY;
    const match = likeness.search(at, WINDOW, about - reach, about + reach);
    return match.likeness >= ALIKE ? match.lag : undefined;
  }
}
