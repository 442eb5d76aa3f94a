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
    const sends = await paced(Buffer.alloc(960 * 4 * 10), { chunkMs: 4 }, async () => {
      await new Promise((resolve) => setImmediate(resolve));
    });
    expect(sends).toHaveLength(50);
    const lengthMs = (sends.at(-1)?.atMs ?? 0) - (sends[0]?.atMs ?? 0);
    expect(lengthMs).toBeGreaterThanOrEqual(195);
    expect(sendOf(sends, 192 * 7 + 5)).toBe(sends[7]);
    expect(sendOf(sends, 9_600)).toBeUndefined();
  });
});
