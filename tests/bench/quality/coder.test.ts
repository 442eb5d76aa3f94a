import { aligned, decodeAdts, delayOf, encode, kilobitsOf, stereoOf } from '../../../bench/quality/coder';
import { testSignals } from '../../../bench/quality/signals';
import { joinAdts } from '../../helpers/adts';
import { FFMPEG } from '../../helpers/ffmpeg';
import { music } from '../../helpers/music';

const SECONDS = 1.5;

describe('the test signals', () => {
  const signals = testSignals(SECONDS);

  it('are the same each time, as long as asked for, and have names of their own', () => {
    const again = testSignals(SECONDS);
    expect(signals.map(({ pcm }) => pcm.length)).toEqual(signals.map(() => SECONDS * 48_000 * 4));
    expect(signals.every(({ pcm }, at) => pcm.equals(again[at]?.pcm as Buffer))).toBe(true);
    expect(new Set(signals.map(({ name }) => name)).size).toBe(signals.length);
  });

  it('never clip, and never lie about where their attacks are', () => {
    for (const { pcm, attacks } of signals) {
      const { left, right } = stereoOf(pcm);
      const energy = (from: number, to: number): number =>
        left
          .subarray(from, to)
          .reduce((sum, value, at) => sum + value * value + (right[from + at] as number) ** 2, 0);
      expect(
        Math.max(...[left, right].map((channel) => channel.reduce((a, b) => Math.max(a, Math.abs(b)), 0))),
      ).toBeLessThan(1);
      for (const at of attacks) expect(energy(at, at + 480)).toBeGreaterThan(20 * energy(at - 480, at));
    }
  });
});

describe('the way through a coder and back', () => {
  const pcm = music(1.5, 3);
  const original = stereoOf(pcm);

  it('is found to be one AAC frame late, and can be moved back', async () => {
    const adts = await encode(pcm, { ffmpeg: FFMPEG, coder: 'twoloop', kilobits: 128 });
    const decoded = await decodeAdts(FFMPEG, adts);
    expect(delayOf(original, decoded)).toBe(1024);
    const back = aligned(decoded, 1024, original.left.length);
    expect(back.left).toHaveLength(original.left.length);
    expect(delayOf(original, back)).toBe(0);
  });

  it('is refused where something else came back', () => {
    expect(() => delayOf(original, stereoOf(music(1.5, 4)))).toThrow('is not what was encoded');
  });
});

describe('the bit rate', () => {
  it('counts what frames hold, altogether and in the fullest second', () => {
    // 47 frames a second: 100 bytes each make 37.5 kbit/s.
    const quiet = Array.from({ length: 94 }, () => Buffer.alloc(100));
    expect(kilobitsOf(joinAdts(quiet))).toEqual({ mean: 37.5, most: 37.5 });
    const louder = [...quiet, ...Array.from({ length: 47 }, () => Buffer.alloc(300))];
    expect(kilobitsOf(joinAdts(louder)).most).toBeCloseTo(112.5, 5);
    expect(kilobitsOf(joinAdts(louder)).mean).toBeCloseTo(62.5, 5);
  });
});
