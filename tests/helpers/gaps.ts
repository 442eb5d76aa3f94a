import { type Canary, notJudged } from './canary';
import { arrivalGaps, type HeardFrame } from './flv-listener';

/** A wait of somebody who did nothing but want to run: longer than any on a machine that does little else. */
const DISTURBED_MS = 15;
/**
 * From a creator to a listener audio passes through as many processes. What the canaries see of a busy machine hits
 * each of them: for one disturbed second that they saw there may be so many that they did not.
 */
const HOPS = 4;
/** On a machine that is disturbed more than this share of the time, gaps tell nothing against the relay. */
const MAX_DISTURBED_SHARE = 0.1;

export interface GapVerdict {
  /** The longest gap in a second in which nothing disturbed. */
  readonly worstMs: number;
  /** Seconds looked at, those in which the machine disturbed, and those of the others with a gap above the limit. */
  readonly seconds: number;
  readonly disturbed: number;
  readonly rough: number;
  /** As many rough seconds may be there: the share that is promised, and what a disturbed machine explains. */
  readonly allowed: number;
}

/**
 * Judges how evenly tags arrived. Seconds in which the machine kept processes waiting are left out, and counted; where
 * they are too many, there is no verdict, and the test says so.
 * @param share of the seconds that may have a gap above `limitMs` on a quiet machine
 * @throws {Error} where more seconds are rough than that, and than the machine explains
 */
export function judgeGaps(
  what: string,
  frames: readonly HeardFrame[],
  canary: Canary,
  { limitMs, share = 0, fromMs = 0 }: { limitMs: number; share?: number; fromMs?: number },
): GapVerdict {
  const gaps = arrivalGaps(frames).filter(({ atMs }) => atMs > fromMs);
  const disturbed = canary.disturbedSeconds(DISTURBED_MS);
  const worstOf = new Map<number, number>();
  const leftOut = new Set<number>();
  for (const { atMs, gapMs } of gaps) {
    // A gap belongs to the second in which it ended; the reason for it may lie in the one before.
    const second = Math.floor(atMs / 1_000);
    if (disturbed.has(second)) leftOut.add(second);
    else if (!disturbed.has(Math.floor((atMs - gapMs) / 1_000)))
      worstOf.set(second, Math.max(worstOf.get(second) ?? 0, gapMs));
  }
  const seconds = worstOf.size + leftOut.size;
  const rough = [...worstOf.values()].filter((gapMs) => gapMs > limitMs).length;
  const allowed = Math.max(Math.floor(seconds * share), share > 0 ? 1 : 0) + HOPS * leftOut.size;
  const worstMs = Math.max(0, ...worstOf.values());
  const verdict = { worstMs, seconds, disturbed: leftOut.size, rough, allowed };
  const said =
    `${rough} of ${seconds} seconds have a gap above ${limitMs} ms, the worst ${worstMs.toFixed(1)} ms; ` +
    `${leftOut.size} left out; ${canary.summary}`;
  console.info(`${what}: ${said}`);
  if (seconds === 0) throw new Error(`${what}: nothing was heard`);
  if (leftOut.size > seconds / 2) notJudged(what, said);
  else if (rough > allowed && leftOut.size > seconds * MAX_DISTURBED_SHARE) notJudged(what, said);
  else if (rough > allowed) throw new Error(`${what}: ${said}; ${allowed} are allowed`);
  return verdict;
}
