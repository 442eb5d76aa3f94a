import { smoothnessOf } from '../../bench/lib/gaps';

/** Arrivals from `fromMs` to `untilMs`, one every 20 ms. */
function steady(fromMs: number, untilMs: number): number[] {
  return Array.from({ length: (untilMs - fromMs) / 20 + 1 }, (_, index) => fromMs + index * 20);
}

const none = new Set<number>();

describe('the smoothness of a stream', () => {
  it('is the longest gap of each second', () => {
    const arrivals = [...steady(0, 1_980), ...steady(2_040, 3_980)];
    const { worstBySecond, gaps, leftOut } = smoothnessOf(arrivals, { settleMs: 0, disturbed: none });
    expect(worstBySecond).toEqual([20, 20, 60, 20]);
    expect(gaps).toHaveLength(arrivals.length - 1);
    expect(leftOut).toBe(0);
  });

  it('does not judge what settles', () => {
    const arrivals = [...steady(0, 500), ...steady(900, 3_980)];
    expect(smoothnessOf(arrivals, { settleMs: 1_000, disturbed: none }).worstBySecond).toEqual([20, 20, 20]);
  });

  it('counts a gap of seconds in the second in which it ended', () => {
    const arrivals = [...steady(0, 980), ...steady(3_500, 3_980)];
    expect(smoothnessOf(arrivals, { settleMs: 0, disturbed: none }).worstBySecond).toEqual([20, 2_520]);
  });

  it('leaves out seconds in which the machine stalled, and gaps that began in one', () => {
    const arrivals = [...steady(0, 1_900), ...steady(2_100, 3_980)];
    const { worstBySecond, gaps, leftOut } = smoothnessOf(arrivals, { settleMs: 0, disturbed: new Set([1]) });
    expect(worstBySecond).toEqual([20, 20]);
    expect(Math.max(...gaps)).toBe(20);
    // The one that was disturbed, and the one in which its gap ended.
    expect(leftOut).toBe(2);
  });

  it('of a silent stream is no figure', () => {
    expect(smoothnessOf([], { settleMs: 0, disturbed: none })).toEqual({
      worstBySecond: [],
      gaps: [],
      leftOut: 0,
    });
  });
});
