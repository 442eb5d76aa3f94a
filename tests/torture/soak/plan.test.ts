import { FAULTS, planSoak } from './plan';

describe('the plan of a soak', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planSoak({ seed: 7, minutes: 20 })).toEqual(planSoak({ seed: 7, minutes: 20 }));
    expect(planSoak({ seed: 7, minutes: 20 }).faults).not.toEqual(planSoak({ seed: 8, minutes: 20 }).faults);
  });

  it('has a fault every 30 s', () => {
    const { faults, seconds } = planSoak({ seed: 1, minutes: 20 });
    expect(seconds).toBe(1_200);
    expect(faults).toHaveLength(40);
    expect(faults.slice(0, 3).map(({ atSeconds }) => atSeconds)).toEqual([15, 45, 75]);
  });

  it('has at least 6 in a short run, the last of them with time to be over', () => {
    const { faults, seconds } = planSoak({ seed: 1, minutes: 1.5 });
    expect(faults.length).toBeGreaterThanOrEqual(6);
    expect(faults.at(-1)?.atSeconds).toBeLessThan(seconds - 5);
  });

  it('does each that is possible before any comes again, and all to steady vibes', () => {
    const names = planSoak({ seed: 3, minutes: 20 }).faults.map(({ name }) => name);
    expect(new Set(names.slice(0, FAULTS.length))).toEqual(new Set(FAULTS));
    const { faults, steadyVibes } = planSoak({ seed: 3, minutes: 20, faults: ['encoder-killed'] });
    expect(new Set(faults.map(({ name }) => name))).toEqual(new Set(['encoder-killed']));
    expect(faults.every(({ target }) => target >= 0 && target < steadyVibes)).toBe(true);
    expect(new Set(faults.map(({ target }) => target)).size).toBeGreaterThan(4);
  });

  it('kills the media server twice in 20 minutes, not more: its memory is watched over a long life', () => {
    for (const seed of [1, 2, 3, 4]) {
      const kills = planSoak({ seed, minutes: 20 }).faults.filter(({ name }) => name === 'server-killed');
      expect(kills.length).toBeLessThanOrEqual(2);
      expect(kills.length).toBeGreaterThanOrEqual(1);
    }
  });
});
