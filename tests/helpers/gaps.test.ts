import type { Canary } from './canary';
import type { HeardFrame } from './flv-listener';
import { judgeGaps } from './gaps';

/** Twenty seconds of tags, one every 20 ms, but for pauses of so many milliseconds in the middle of these seconds. */
function heard(pauses: Record<number, number> = {}): HeardFrame[] {
  const frames: HeardFrame[] = [];
  for (let atMs = 1_000; atMs < 21_000; atMs += 20) {
    const pauseMs = pauses[Math.floor(atMs / 1_000)] ?? 0;
    if (atMs % 1_000 >= 500 && atMs % 1_000 < 500 + pauseMs) continue;
    frames.push({ aac: Buffer.alloc(0), timestampMs: atMs, atMs });
  }
  return frames;
}
const canary = (...seconds: number[]): Canary =>
  ({ disturbedSeconds: () => new Set(seconds), summary: 'a made-up machine' }) as unknown as Canary;

describe('the verdict on gaps between tags', () => {
  let said: jest.SpyInstance;
  beforeEach(() => {
    jest.spyOn(console, 'info').mockImplementation();
    said = jest.spyOn(console, 'warn').mockImplementation();
  });
  afterEach(() => jest.restoreAllMocks());

  it('is red for one gap too many on a quiet machine', () => {
    expect(judgeGaps('gaps', heard({ 4: 60 }), canary(), { limitMs: 100 })).toMatchObject({
      rough: 0,
      seconds: 20,
    });
    expect(() => judgeGaps('gaps', heard({ 4: 160 }), canary(), { limitMs: 100 })).toThrow(
      /1 of 20 seconds .*0 are allowed/,
    );
  });

  it('lets the promised share of seconds have one', () => {
    expect(judgeGaps('gaps', heard({ 4: 160 }), canary(), { limitMs: 100, share: 0.05 }).rough).toBe(1);
    expect(() =>
      judgeGaps('gaps', heard({ 4: 160, 9: 160 }), canary(), { limitMs: 100, share: 0.05 }),
    ).toThrow();
  });

  it('leaves out what the machine disturbed, and as much as it explains', () => {
    expect(judgeGaps('gaps', heard({ 4: 160 }), canary(4), { limitMs: 100 })).toMatchObject({
      rough: 0,
      disturbed: 1,
    });
    expect(judgeGaps('gaps', heard({ 4: 160, 9: 160 }), canary(4), { limitMs: 100 }).rough).toBe(1);
    const stalling = Object.fromEntries([3, 5, 7, 9, 11].map((second) => [second, 160]));
    expect(() => judgeGaps('gaps', heard(stalling), canary(20), { limitMs: 100 })).toThrow(/5 of 20/);
    expect(said).not.toHaveBeenCalled();
  });

  it('is none on a machine that disturbs a lot, where it would be against the relay, and says so', () => {
    const stalling = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [index + 4, 160]));
    judgeGaps('gaps', heard(stalling), canary(1, 2, 3), { limitMs: 100 });
    expect(said).toHaveBeenCalledWith(
      expect.stringMatching(/^NOT JUDGED: gaps: 17 of 20 seconds .*3 left out; a made-up machine/),
    );
  });

  it('is none where most of the time is left out', () => {
    const busy = canary(...Array.from({ length: 11 }, (_, index) => index + 1));
    judgeGaps('gaps', heard(), busy, { limitMs: 100 });
    expect(said).toHaveBeenCalledWith(
      expect.stringMatching(/^NOT JUDGED: gaps: 0 of 20 seconds .*11 left out/),
    );
  });

  it('is red where nothing was heard', () => {
    expect(() => judgeGaps('gaps', [], canary(), { limitMs: 100 })).toThrow('nothing was heard');
  });
});
