import { DriftFollower } from '../../src/audio/drift';

/** Chunks of `chunkMs` for `seconds`, from a clock that is `ppm` off, each `lateMs(n)` late. */
function watch(options: {
  ppm: number;
  seconds: number;
  chunkMs?: number;
  lateMs?: (n: number) => number;
}): DriftFollower {
  const { ppm, seconds, chunkMs = 20, lateMs = () => 0 } = options;
  const drift = new DriftFollower();
  for (let n = 0; n * chunkMs < seconds * 1000; n += 1) {
    const audioMs = n * chunkMs;
    const atMs = audioMs / (1 + ppm / 1e6);
    drift.arrival(atMs + lateMs(n), audioMs, audioMs - atMs);
  }
  return drift;
}

function noise(seed: number): (n: number) => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe('a drift follower', () => {
  it.each([300, -300, 100, -50])('finds a clock that is %d ppm off', (ppm) => {
    const random = noise(5);
    const drift = watch({ ppm, seconds: 120, lateMs: (n) => random(n) * 15 });
    // What had piled up until then is worked off on top.
    expect(Math.abs(drift.ppm - ppm)).toBeLessThan(65);
    expect(Math.sign(drift.ppm)).toBe(Math.sign(ppm));
  });

  it('says nothing before it has proof', () => {
    expect(watch({ ppm: 300, seconds: 40 }).ppm).toBe(0);
  });

  it.each([1, 2, 3, 4, 5])('takes jitter for jitter (seed %d)', (seed) => {
    const small = noise(seed);
    const large = noise(seed + 100);
    expect(watch({ ppm: 0, seconds: 600, lateMs: (n) => small(n) * 40 }).ppm).toBe(0);
    expect(watch({ ppm: 0, seconds: 600, chunkMs: 2_000, lateMs: (n) => large(n) * 600 }).ppm).toBe(0);
  });

  it('takes an upload that is faster than any clock for an upload', () => {
    expect(watch({ ppm: 50_000, seconds: 300 }).ppm).toBe(0);
  });

  it('goes on at the rate found when it starts over', () => {
    const drift = watch({ ppm: 200, seconds: 120 });
    const before = drift.ppm;
    drift.reset();
    expect(drift.ppm).toBe(before);
  });

  it.each([0, -200])('lets go of a clock when a device with one that is %d ppm off follows', (ppm) => {
    const random = noise(7);
    const drift = new DriftFollower();
    let [atMs, audioMs] = [0, 0];
    const send = (seconds: number, rate: number): void => {
      for (const endMs = audioMs + seconds * 1000; audioMs < endMs; audioMs += 20) {
        drift.arrival(atMs + random(0) * 15, audioMs, 60);
        atMs += 20 / (1 + rate / 1e6);
      }
    };
    send(300, 300);
    expect(Math.abs(drift.ppm - 300)).toBeLessThan(30);
    send(300, ppm);
    expect(Math.abs(drift.ppm - ppm)).toBeLessThan(30);
  });
});
