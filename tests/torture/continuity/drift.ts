import type { Stretch } from './stretches';

/** Steps of a clock are single samples; two may fall between two looks. */
const CLOCK_STEP = 3;
/** Fewer steps than this are no clock. */
const STEPS = 4;
/** How far from the straight line a clock's steps lie at most. */
const RESIDUE = 2;

export type Pair = readonly [Stretch, Stretch];

/**
 * Tells a clock that runs at another rate from samples that were lost: many small steps, all in one direction, evenly
 * over time. The line is the least squares' through the middles of the stretches.
 * @returns the rate, and the pairs of neighbouring stretches that it does not explain
 */
export function driftOf(found: readonly Stretch[]): { drift: number; rest: Pair[] } {
  const pairs = found.slice(1).map((stretch, index): Pair => [found[index] as Stretch, stretch]);
  for (const run of runsOfSmallSteps(pairs)) {
    const drift = slopePpm([...run.map(([before]) => before), (run.at(-1) as Pair)[1]]);
    if (drift !== undefined) return { drift, rest: pairs.filter((pair) => !run.includes(pair)) };
  }
  return { drift: 0, rest: merged(pairs) };
}

function runsOfSmallSteps(pairs: readonly Pair[]): Pair[][] {
  const runs: Pair[][] = [];
  let run: Pair[] = [];
  let sign = 0;
  for (const pair of pairs) {
    const step = pair[1].lag - pair[0].lag;
    if (run.length > 0 && Math.sign(step) !== sign) {
      runs.push(run);
      run = [];
    }
    sign = Math.sign(step);
    if (step !== 0 && Math.abs(step) <= CLOCK_STEP) run.push(pair);
  }
  runs.push(run);
  return runs.filter(({ length }) => length >= STEPS).sort((a, b) => b.length - a.length);
}

/** The slope of the lags, in parts per million, where they lie on a line. */
function slopePpm(run: readonly Stretch[]): number | undefined {
  // The first and the last stretch are cut off somewhere: their middles say nothing.
  const points = run.slice(1, -1).map(({ from, until, lag }) => ({ x: (from + until) / 2, y: lag }));
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (spread === 0) return undefined;
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const isLine = points.every(({ x, y }) => Math.abs(y - meanY - slope * (x - meanX)) <= RESIDUE);
  return isLine ? slope * 1e6 : undefined;
}

/** A step of some samples is seen as several small ones, by windows across it: they are one. */
function merged(pairs: readonly Pair[]): Pair[] {
  const out: Pair[] = [];
  for (const pair of pairs) {
    const last = out.at(-1);
    const isBrief = last !== undefined && last[1] === pair[0] && pair[0].until - pair[0].from < BRIEF;
    if (isBrief && isSmall(last) && isSmall(pair)) out[out.length - 1] = [last[0], pair[1]];
    else out.push(pair);
  }
  return out;
}

/** Two windows: no step can be told from the next in less. */
const BRIEF = 4_096;
const SMALL = 16;

function isSmall([before, after]: Pair): boolean {
  return Math.abs(after.lag - before.lag) <= SMALL;
}
