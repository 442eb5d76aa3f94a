import { Likeness } from './likeness';
import { WINDOW } from './stretches';

const HOP = 1_024;
/** In clean AAC at 64 kbit/s a channel the least is 0.95. */
const ALIKE = 0.9;
/** 5 ms of silence in one of these leave 0.71. Clean, the least is 0.9. */
const SHORT_WINDOW = 480;
const SHORT_HOP = 240;
const SHORT_ALIKE = 0.85;

/**
 * For how many samples what was heard is the reference, at one lag: a twentieth of the work of `checkContinuity`, which says
 * what is the matter behind them. It sees no less: one sample's slip, and holes of 5 ms.
 * @param lag what was heard at `n` is to be the reference at `n + lag`
 * @returns the length of what was heard, where all of it is continuous
 */
export function continuousFor(heard: Float32Array, reference: Float32Array, lag: number): number {
  const likeness = new Likeness(heard, reference);
  const isAlike = (at: number): boolean => {
    const here = likeness.at(at, WINDOW, lag);
    if (here < ALIKE) return false;
    return likeness.at(at, WINDOW, lag - 1) < here && likeness.at(at, WINDOW, lag + 1) < here;
  };
  const isWhole = (at: number): boolean => likeness.at(at, SHORT_WINDOW, lag) >= SHORT_ALIKE;
  return Math.min(
    firstBad(heard.length, WINDOW, HOP, isAlike),
    firstBad(heard.length, SHORT_WINDOW, SHORT_HOP, isWhole),
  );
}

/** Where the first window begins that is not good; the last one ends with it all. */
function firstBad(samples: number, window: number, hop: number, isGood: (at: number) => boolean): number {
  for (let at = 0; at + window < samples; at += hop) if (!isGood(at)) return at;
  return samples >= window && !isGood(samples - window) ? samples - window : samples;
}
