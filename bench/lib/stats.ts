/** The middle value; between two, their mean. `NaN` of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[sorted.length / 2 - 1] ?? NaN) + upper) / 2;
}

export interface Spread {
  readonly least: number;
  readonly most: number;
}

/** The smallest and the largest value: with a handful of rounds, all there is to say about how they differ. */
export function spread(values: readonly number[]): Spread {
  return { least: Math.min(...values), most: Math.max(...values) };
}

/** The share (0 to 1) of values at or below each of `count` evenly spaced ranks: points `[value, share]` of a distribution. */
export function distribution(values: readonly number[], count = 200): [number, number][] {
  const sorted = [...values].sort((a, b) => a - b);
  const points = Math.min(count, sorted.length);
  return Array.from({ length: points }, (_, index) => {
    const share = (index + 1) / points;
    return [sorted[Math.ceil(share * sorted.length) - 1] as number, share];
  });
}

/** The straight line that fits points best by least squares. */
export function fitLine(points: readonly (readonly [number, number])[]): {
  slope: number;
  intercept: number;
} {
  const count = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = variance === 0 ? 0 : covariance / variance;
  return { slope, intercept: meanY - slope * meanX };
}
