import type { Likeness } from './likeness';
import { type Stretch, WINDOW } from './stretches';

/**
 * What a sample may differ by and still be the reference, as a part of its power. Another stretch of the noise
 * differs by 2 on average, silence by 1, what AAC at 128 kbit/s leaves by less than a hundredth.
 */
const DIFFERENT = 0.4;

/** Where one stretch ends and the next begins, to a few samples: what lies between belongs to neither. */
export function edgesBetween(likeness: Likeness, a: Stretch, b: Stretch): { end: number; begin: number } {
  const low = Math.max(a.from, Math.min(a.until, b.from) - WINDOW);
  const high = Math.min(b.until, Math.max(a.until, b.from) + WINDOW);
  const middle = Math.floor((a.until + b.from) / 2);
  // At the same lag on both sides each would find the other's end.
  const end = endOf(likeness, a.lag, low, a.lag === b.lag ? middle : high);
  const begin = beginOf(likeness, b.lag, a.lag === b.lag ? middle : low, high);
  if (end <= begin) return { end, begin };
  const split = splitOf(likeness, a.lag, b.lag, low, high);
  return { end: split, begin: split };
}

/** Up to where the reference was heard at this lag: the place where its agreement, summed up, is greatest. */
export function endOf(likeness: Likeness, lag: number, from: number, until: number): number {
  const allowed = DIFFERENT * likeness.power;
  let [sum, best, bestAt] = [0, 0, from];
  for (let at = from; at < until; at += 1) {
    sum += allowed - likeness.difference(at, lag);
    if (sum > best) [best, bestAt] = [sum, at + 1];
  }
  return bestAt;
}

/** From where on it was heard at this lag. */
export function beginOf(likeness: Likeness, lag: number, from: number, until: number): number {
  const allowed = DIFFERENT * likeness.power;
  let [sum, best, bestAt] = [0, 0, until];
  for (let at = until - 1; at >= from; at -= 1) {
    sum += allowed - likeness.difference(at, lag);
    if (sum > best) [best, bestAt] = [sum, at];
  }
  return bestAt;
}

/** The one place where one lag gives way to the other. */
function splitOf(likeness: Likeness, before: number, after: number, low: number, high: number): number {
  let [sum, best, bestAt] = [0, 0, low];
  for (let at = low; at < high; at += 1) {
    sum += likeness.difference(at, after) - likeness.difference(at, before);
    if (sum > best) [best, bestAt] = [sum, at + 1];
  }
  return bestAt;
}
