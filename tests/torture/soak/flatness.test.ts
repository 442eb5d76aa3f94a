import { seededRandom } from '../../helpers/music';
import { flatnessOf, HEAP_RULE, median, type MemorySample, RSS_RULE, slopeOf } from './flatness';

const MIB = 2 ** 20;

/** A sample every 5 s; memory in MiB as a function of the seconds. */
function samples(seconds: number, mib: (at: number) => number): MemorySample[] {
  return Array.from({ length: seconds / 5 }, (_, index) => {
    const bytes = mib(index * 5) * MIB;
    return { atSeconds: index * 5, heapBytes: bytes, rssBytes: bytes };
  });
}

describe('the slope by Theil and Sen', () => {
  it('is that of a line, whatever a few points say', () => {
    const points = Array.from({ length: 21 }, (_, x) => ({ x, y: 3 + 2 * x }));
    expect(slopeOf(points)).toBeCloseTo(2);
    const spoilt = points.map((point, index) => (index % 7 === 3 ? { ...point, y: 1_000 } : point));
    expect(slopeOf(spoilt)).toBeCloseTo(2, 0);
  });

  it('is 0 where there is nothing to draw a line through', () => {
    expect(slopeOf([])).toBe(0);
    expect(slopeOf([{ x: 1, y: 5 }])).toBe(0);
  });

  it('takes the mean of the two in the middle for a median', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([9, 1, 5])).toBe(5);
  });
});

describe('memory over a soak', () => {
  const random = seededRandom(1);
  const noisy = (): number => 20 + random() * 0.5;

  it('is flat where it swings about one value', () => {
    const seen = flatnessOf(samples(1_200, noisy), 'heapBytes', HEAP_RULE);
    expect(seen).toMatchObject({ verdict: 'flat' });
    expect(Math.abs(seen.mibPer10Minutes)).toBeLessThan(0.2);
  });

  it('may grow while it warms up', () => {
    const warm = (at: number): number => (at < 240 ? 10 + at / 24 : noisy());
    expect(flatnessOf(samples(1_200, warm), 'heapBytes', HEAP_RULE).verdict).toBe('flat');
  });

  it('grows where 1.5 MiB come in 10 minutes', () => {
    const leak = (at: number): number => noisy() + (1.5 * at) / 600;
    expect(flatnessOf(samples(1_200, leak), 'heapBytes', HEAP_RULE)).toMatchObject({
      verdict: 'growing',
      why: 'more than 1 MiB in 10 min',
    });
    expect(
      flatnessOf(
        samples(1_200, (at) => leak(at) + 80),
        'rssBytes',
        RSS_RULE,
      ).verdict,
    ).toBe('flat');
  });

  it('grows where a step lifts the end by more than 5 %, which no median slope sees', () => {
    const step = (at: number): number => (at > 1_090 ? 23 : 20);
    expect(flatnessOf(samples(1_200, step), 'heapBytes', HEAP_RULE)).toMatchObject({
      verdict: 'growing',
      why: 'the last tenth is more than 5 % above the first',
    });
  });

  it('is not judged by its slope where the look was short, but by what it has grown by', () => {
    const steep = (at: number): number => 20 + at / 60;
    expect(flatnessOf(samples(120, steep), 'heapBytes', HEAP_RULE)).toMatchObject({
      verdict: 'not judged',
      why: '95 s are too short for a slope; grown by less than 8 MiB',
    });
    expect(
      flatnessOf(
        samples(120, (at) => 20 + at / 10),
        'heapBytes',
        HEAP_RULE,
      ).verdict,
    ).toBe('growing');
    expect(flatnessOf([], 'heapBytes', HEAP_RULE).verdict).toBe('not judged');
    const unknown = samples(1_200, (at) => (at > 600 ? NaN : 20));
    expect(flatnessOf(unknown, 'heapBytes', HEAP_RULE).verdict).toBe('not judged');
  });
});
