/**
 * What a process holds at one moment, after its garbage was collected, without the audio in its jitter buffers: how much of
 * that there is, is the creators' doing, and after each silence it is more.
 */
export interface MemorySample {
  readonly atSeconds: number;
  /** Heap in use and what it keeps outside of itself. */
  readonly heapBytes: number;
  readonly rssBytes: number;
}

export interface Flatness {
  /** By Theil and Sen: the median of the slopes between all pairs of samples. */
  readonly mibPer10Minutes: number;
  /** The median of the first tenth, and of the last, without the warm-up. */
  readonly firstMib: number;
  readonly lastMib: number;
  readonly verdict: 'flat' | 'growing' | 'not judged';
  /** The rule that said so, in words. */
  readonly why: string;
}

export interface FlatnessRule {
  readonly mibPer10Minutes: number;
  /** What it may have grown by where it was looked at for too short a time to tell a slope. */
  readonly mibAtAll: number;
}

/** The rule for heap and what it keeps outside, and the one for resident memory. */
export const HEAP_RULE: FlatnessRule = { mibPer10Minutes: 1, mibAtAll: 8 };
export const RSS_RULE: FlatnessRule = { mibPer10Minutes: 3, mibAtAll: 24 };

const WARM_UP = 0.2;
const GROWTH = 1.05;
/** In less time than this, without the warm-up, a slope is made by chance. */
const LEAST_SECONDS = 6 * 60;
const LEAST_SAMPLES = 40;
const MIB = 2 ** 20;

/**
 * Whether memory stays what it is: neither a slope above the rule's, nor a last tenth that is more than 5 % above the first,
 * with a fifth of the time left out as warm-up. Too short a look tells of nothing but what it has grown by.
 */
export function flatnessOf(
  samples: readonly MemorySample[],
  which: 'heapBytes' | 'rssBytes',
  rule: FlatnessRule,
): Flatness {
  const points = samples
    .slice(Math.floor(samples.length * WARM_UP))
    .map((sample) => ({ x: sample.atSeconds / 600, y: sample[which] / MIB }));
  const tenth = Math.max(1, Math.floor(points.length / 10));
  const firstMib = median(points.slice(0, tenth).map(({ y }) => y));
  const lastMib = median(points.slice(-tenth).map(({ y }) => y));
  const slope = slopeOf(points);
  const seconds = ((points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0)) * 600;
  const told = { mibPer10Minutes: slope, firstMib, lastMib };
  if (points.length === 0) return { ...told, verdict: 'not judged', why: 'nothing was measured' };
  if (points.some(({ y }) => Number.isNaN(y)))
    return { ...told, verdict: 'not judged', why: 'it is not known' };

  if (seconds < LEAST_SECONDS || points.length < LEAST_SAMPLES) {
    if (lastMib > firstMib + rule.mibAtAll)
      return {
        ...told,
        verdict: 'growing',
        why: `more than ${rule.mibAtAll} MiB in ${seconds.toFixed(0)} s`,
      };
    const why = `${seconds.toFixed(0)} s are too short for a slope; grown by less than ${rule.mibAtAll} MiB`;
    return { ...told, verdict: 'not judged', why };
  }
  if (slope > rule.mibPer10Minutes)
    return { ...told, verdict: 'growing', why: `more than ${rule.mibPer10Minutes} MiB in 10 min` };
  if (lastMib > firstMib * GROWTH)
    return { ...told, verdict: 'growing', why: 'the last tenth is more than 5 % above the first' };
  return { ...told, verdict: 'flat', why: `at most ${rule.mibPer10Minutes} MiB in 10 min, and 5 % in all` };
}

/** The median of the slopes between all pairs: one sample that is far off moves it by nothing. */
export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const slopes: number[] = [];
  for (const [index, a] of points.entries())
    for (const b of points.slice(index + 1)) if (b.x !== a.x) slopes.push((b.y - a.y) / (b.x - a.x));
  return median(slopes);
}

/** 0 of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return 0;
  return ((sorted[Math.floor(middle - 0.5)] as number) + (sorted[Math.floor(middle)] as number)) / 2;
}
