import { Backoff } from '../../src/encoder/backoff';

describe('the backoff', () => {
  it('tries again after 250 ms, then after a random time under a ceiling that doubles up to 10 s', () => {
    let nowMs = 0;
    const delays = [0, 0.999].map((random) => {
      const backoff = new Backoff(() => random);
      // 20 s apart: never eight within two minutes.
      return Array.from({ length: 8 }, () => backoff.failed((nowMs += 20_000), 0).delayMs);
    });
    expect(delays[0]).toEqual([250, 100, 100, 100, 100, 100, 100, 100]);
    expect(delays[1]?.map(Math.round)).toEqual([250, 500, 999, 1998, 3996, 7992, 9990, 9990]);
  });

  it('starts over once a life was healthy for 30 s', () => {
    const backoff = new Backoff(() => 0.999);
    backoff.failed(0, 0);
    backoff.failed(1_000, 29_999);
    expect(backoff.failed(40_000, 30_000).delayMs).toBe(250);
  });

  it('gives up on quick retries after 8 failures within 2 minutes, and probes every 30 s', () => {
    const backoff = new Backoff(() => 0.5);
    const verdicts = Array.from({ length: 8 }, (_, n) => backoff.failed(n * 1_000, 0));
    expect(verdicts.map(({ hopeless }) => hopeless)).toEqual([...Array<boolean>(7).fill(false), true]);
    expect(verdicts[7]?.delayMs).toBe(30_000);
    // A probe that fails, even hours later, is one probe more.
    expect(backoff.failed(7_200_000, 5_000)).toEqual({ delayMs: 30_000, hopeless: true });
    expect(backoff.failed(7_300_000, 30_000)).toEqual({ delayMs: 250, hopeless: false });
  });

  it('has hope again when it is told that the cause is gone', () => {
    const backoff = new Backoff(() => 0.5);
    for (let n = 0; n < 9; n += 1) backoff.failed(n, 0);
    backoff.reset();
    expect(backoff.failed(10, 0)).toEqual({ delayMs: 250, hopeless: false });
  });
});
