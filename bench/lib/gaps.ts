/** How evenly one listener's tags came. */
export interface Smoothness {
  /** The longest gap of each second that was judged, in milliseconds. A gap belongs to the second in which it ended. */
  readonly worstBySecond: readonly number[];
  /** Every gap of those seconds. */
  readonly gaps: readonly number[];
  /** Seconds that were left out, because the machine kept everybody waiting. */
  readonly leftOut: number;
}

/**
 * @param arrivals of audio tags, in milliseconds, rising
 * @param options `settleMs`: from the first tag on, so much is not judged; `disturbed`: seconds of the same clock, as whole
 *   numbers, in which the machine stalled. What ends in one of them, or began in one, is left out.
 */
export function smoothnessOf(
  arrivals: readonly number[],
  { settleMs, disturbed }: { settleMs: number; disturbed: ReadonlySet<number> },
): Smoothness {
  const worst = new Map<number, number>();
  const leftOut = new Set<number>();
  const gaps: number[] = [];
  const fromMs = (arrivals[0] ?? NaN) + settleMs;
  for (let at = 1; at < arrivals.length; at += 1) {
    const [beganMs, endedMs] = [arrivals[at - 1] as number, arrivals[at] as number];
    if (beganMs < fromMs) continue;
    const second = Math.floor(endedMs / 1000);
    if (disturbed.has(second) || disturbed.has(Math.floor(beganMs / 1000))) {
      leftOut.add(second);
      continue;
    }
    worst.set(second, Math.max(worst.get(second) ?? 0, endedMs - beganMs));
    gaps.push(endedMs - beganMs);
  }
  for (const second of leftOut) worst.delete(second);
  return { worstBySecond: [...worst.values()], gaps, leftOut: leftOut.size };
}
