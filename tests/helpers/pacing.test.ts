import { chunks, dueTimes, paced, sendOf } from './pacing';

describe('pacing', () => {
  it('cuts chunks of the length asked for and loses no byte', () => {
    const pcm = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index % 251));
    const cut = chunks(pcm, { chunkMs: 20 });
    expect(cut.map((chunk) => chunk.length)).toEqual([3_840, 3_840, 2_320]);
    expect(Buffer.concat(cut).equals(pcm)).toBe(true);
  });

  it('makes chunks due one after the other, with the lead taken off', () => {
    expect(dueTimes(5, { chunkMs: 20 })).toEqual([0, 20, 40, 60, 80]);
    expect(dueTimes(5, { chunkMs: 20, leadMs: 50 })).toEqual([0, 0, 0, 10, 30]);
  });

  it('jitters within its bound, the same for the same seed', () => {
    const pacing = { chunkMs: 2_000, jitterMs: 300, seed: 4 };
    const due = dueTimes(60, pacing);
    expect(dueTimes(60, pacing)).toEqual(due);
    const off = due.map((ms, index) => ms - index * 2_000).slice(1);
    expect(Math.max(...off.map(Math.abs))).toBeLessThanOrEqual(300);
    expect(Math.max(...off) - Math.min(...off)).toBeGreaterThan(400);
  });

  it('lets a fast clock run ahead', () => {
    expect(dueTimes(1_001, { chunkMs: 1_000, driftPpm: 300 })[1_000]).toBeCloseTo(1_000_000 / 1.0003);
  });

  it('does not add up delays of the one who takes the chunks', async () => {
    let nowMs = 1_000;
    const wait = (ms: number): Promise<void> => {
      nowMs += ms;
      return Promise.resolve();
    };
    const takesMs = [3, 3, 11, 0, 0];
    const handOver = (_chunk: Buffer, index: number): void => void (nowMs += takesMs[index] as number);
    const sends = await paced(Buffer.alloc(192 * 4 * 5), { chunkMs: 4 }, handOver, {
      nowMs: () => nowMs,
      wait,
    });
    expect(sends.map(({ atMs }) => atMs - 1_000)).toEqual([0, 4, 8, 19, 19]);
    expect(sendOf(sends, 192 * 3 + 5)).toBe(sends[3]);
    expect(sendOf(sends, 192 * 5)).toBeUndefined();
  });

  it('keeps real time, to the two milliseconds that timers may come early', async () => {
    // Node counts whole milliseconds, both of the moment and of the delay: each may fall short by almost one.
    const startMs = performance.now();
    const sends = await paced(Buffer.alloc(192 * 4 * 4), { chunkMs: 4 }, () => undefined);
    for (const [index, { atMs }] of sends.entries()) expect(atMs - startMs).toBeGreaterThan(index * 4 - 2);
  });
});
