import { noise } from './noise';
import { continuousFor } from './quick-look';

const SECONDS = 4;
const RATE = 48_000;
const reference = noise(11, 0, SECONDS * RATE + 4_096);
/** As loud as what AAC leaves at 128 kbit/s. */
const hiss = noise(12, 0, SECONDS * RATE).map((value) => value * 0.08);
const heard = (cut: (signal: number[]) => number[] = (signal) => signal): Float32Array => {
  const signal = cut([...reference]).slice(0, SECONDS * RATE);
  return Float32Array.from(signal, (value, at) => value + (hiss[at] as number));
};
const without = (at: number, samples: number) => (signal: number[]) => [
  ...signal.slice(0, at),
  ...signal.slice(at + samples),
];

describe('a quick look', () => {
  const all = SECONDS * RATE;

  it('is content with what is continuous, at its lag only', () => {
    expect(continuousFor(heard(), reference, 0)).toBe(all);
    expect(continuousFor(heard(), reference, 1)).toBe(0);
    expect(continuousFor(heard().subarray(1_000), reference, 1_000)).toBe(all - 1_000);
    expect(continuousFor(heard(), noise(13, 0, all), 0)).toBe(0);
  });

  /** The window that sees it begins up to its own length before. */
  const expectSeen = (signal: Float32Array, at: number): void => {
    const until = continuousFor(signal, reference, 0);
    expect(until).toBeLessThanOrEqual(at);
    expect(until).toBeGreaterThan(at - 4_096);
  };

  it.each([1, 2, 20, 1_024, 48_000])('sees that %i samples are missing', (samples) => {
    // One sample less: a window sees it when most of it lies behind.
    const signal = heard(without(2 * RATE, samples));
    expect(continuousFor(signal, reference, 0)).toBeLessThan(2 * RATE + 1_024);
  });

  it('sees a repetition', () => {
    const again = (signal: number[]): number[] => [...signal.slice(0, RATE), ...signal.slice(RATE - 1_024)];
    expectSeen(heard(again), RATE);
  });

  it.each([0, 100, 173, 239, 300])('sees 5 ms of silence, wherever they begin (%i)', (offset) => {
    const hole = (signal: number[]): number[] => signal.fill(0, RATE + offset, RATE + offset + 240);
    expectSeen(heard(hole), RATE + offset);
  });

  it('sees one sample missing shortly before the end', () => {
    expect(continuousFor(heard(without(all - 3_000, 1)), reference, 0)).toBeLessThan(all);
  });
});
