import { StallWatch } from '../../src/audio/stall-watch';

const TICK_MS = 1024 / 48;

/** Ticks in time until then. @returns when it was first told that there may be no audio, if at all */
function firstTrust(watch: StallWatch, fromMs: number, untilMs: number): number | undefined {
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += TICK_MS) if (watch.tick(nowMs)) return nowMs - fromMs;
  return undefined;
}

describe('a watch for stalls', () => {
  it('believes ticks that come in time, the first as well', () => {
    const watch = new StallWatch();
    expect([0, 21, 43, 80, 101].map((nowMs) => watch.tick(nowMs))).toEqual(Array(5).fill(true));
  });

  it('gives creators as long as the stall was', () => {
    const watch = new StallWatch();
    watch.tick(0);
    const trustedMs = firstTrust(watch, 200, 1_000);
    expect(trustedMs).toBeGreaterThanOrEqual(200);
    expect(trustedMs).toBeLessThan(200 + TICK_MS);
  });

  it('gives them half a second after a long one, and no longer', () => {
    const watch = new StallWatch();
    watch.tick(0);
    const trustedMs = firstTrust(watch, 60_000, 62_000);
    expect(trustedMs).toBeGreaterThanOrEqual(500);
    expect(trustedMs).toBeLessThan(500 + TICK_MS);
  });
});
