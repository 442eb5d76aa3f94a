import { checkContinuity } from '../continuity/continuity';
import { Likeness } from '../continuity/likeness';
import { channelOf } from '../continuity/noise';
import { Reference } from './reference';

const RATE = 48_000;

/** How alike a second of one is to another. */
function likeness(a: Float32Array, b: Float32Array): number {
  return new Likeness(a.subarray(0, RATE), b.subarray(0, RATE)).at(0, RATE, 0);
}

describe('what the soak’s creators send', () => {
  const reference = new Reference(40);

  it('is the same for the same seed, wherever one begins', () => {
    expect(new Reference(40).left(1_000_000, 500)).toEqual(
      reference.left(999_000, 2_000).subarray(1_000, 1_500),
    );
  });

  it('says where it belongs: no place is like another, not even a table’s length on', () => {
    const here = reference.left(5 * RATE, RATE);
    for (const lag of [1_000, 624_007, 696_019, 768_013, 816_019, 888_001, 960_017])
      expect(Math.abs(likeness(here, reference.left(5 * RATE + lag, RATE)))).toBeLessThan(0.6);
  });

  it('differs from vibe to vibe', () => {
    for (let seed = 41; seed < 80; seed += 1)
      expect(Math.abs(likeness(reference.left(0, RATE), new Reference(seed).left(0, RATE)))).toBeLessThan(
        0.6,
      );
  });

  it('is −18 dBFS loud, and continuous over the ends of its tables', () => {
    const long = reference.left(0, 25 * RATE);
    const rms = Math.sqrt(long.reduce((sum, value) => sum + value * value, 0) / long.length);
    expect(20 * Math.log10(rms / 32_768)).toBeCloseTo(-18, 0);
    expect(checkContinuity(long, long).events).toEqual([]);
  });

  it('comes in two channels that are not alike', () => {
    const pcm = reference.stereo(RATE, RATE);
    const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length / 2);
    const [left, right] = [channelOf(samples, 0), channelOf(samples, 1)];
    expect(left).toEqual(reference.left(RATE, RATE));
    expect(Math.abs(likeness(left, right))).toBeLessThan(0.2);
  });
});
