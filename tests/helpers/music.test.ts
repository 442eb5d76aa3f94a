import { music, seededRandom } from './music';

const valuesOf = (pcm: Buffer): Int16Array => new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length / 2);

describe('music-like PCM', () => {
  it('has the length asked for, as s16le stereo at 48 kHz', () => {
    expect(music(1.5)).toHaveLength(1.5 * 48_000 * 4);
  });

  it('is the same for the same seed and another for another', () => {
    expect(music(2, 7).equals(music(2, 7))).toBe(true);
    expect(music(2, 7).equals(music(2, 8))).toBe(false);
  });

  it('never clips', () => {
    for (let seed = 1; seed <= 12; seed += 1)
      expect(valuesOf(music(4, seed)).every((value) => Math.abs(value) < 32_000)).toBe(true);
  });

  it('is never silent for the length of an AAC frame, on either side', () => {
    const values = valuesOf(music(6, 3));
    for (let from = 0; from + 2048 <= values.length; from += 2048) {
      for (const side of [0, 1]) {
        let peak = 0;
        for (let at = from + side; at < from + 2048; at += 2)
          peak = Math.max(peak, Math.abs(values[at] as number));
        expect(peak).toBeGreaterThan(300);
      }
    }
  });
});

describe('seeded random numbers', () => {
  it('lie from 0 to 1 and spread evenly', () => {
    const random = seededRandom(5);
    const numbers = Array.from({ length: 10_000 }, random);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    expect(numbers.reduce((sum, value) => sum + value, 0) / numbers.length).toBeCloseTo(0.5, 1);
  });
});
