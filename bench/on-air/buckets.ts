import type { MetricsText } from '../../tests/helpers/metrics-text';

/** Counts at or below each bound of a Prometheus histogram, bounds rising; the last bound is infinite. */
export type Buckets = readonly (readonly [bound: number, count: number])[];

/** The buckets of one histogram in a scrape. */
export function bucketsOf(metrics: MetricsText, name: string): Buckets {
  return metrics
    .labels(`${name}_bucket`, 'le')
    .map((le) => [le === '+Inf' ? Infinity : Number(le), metrics.sum(`${name}_bucket`, { le })] as const)
    .sort(([a], [b]) => a - b);
}

/** What was counted between two scrapes. */
export function bucketsBetween(before: Buckets, after: Buckets): Buckets {
  return after.map(([bound, count], index) => [bound, count - (before[index]?.[1] ?? 0)] as const);
}

/**
 * The value below which a share `p` of what was counted lies: between two bounds on the straight line, as Prometheus has
 * it. `NaN` of nothing; the highest finite bound for what lies above it.
 */
export function bucketQuantile(buckets: Buckets, p: number): number {
  const all = buckets.at(-1)?.[1] ?? 0;
  if (all === 0) return NaN;
  const wanted = p * all;
  let below: readonly [number, number] = [0, 0];
  for (const bucket of buckets) {
    const [bound, count] = bucket;
    if (count >= wanted) {
      if (bound === Infinity) return below[0];
      const share = count === below[1] ? 1 : (wanted - below[1]) / (count - below[1]);
      return below[0] + share * (bound - below[0]);
    }
    below = bucket;
  }
  return NaN;
}
