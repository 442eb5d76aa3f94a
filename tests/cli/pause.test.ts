import { backoffMs, pause } from '../../src/cli/pause';

describe('a pause', () => {
  it('ends when it is cut short', async () => {
    const controller = new AbortController();
    const paused = pause(60_000, controller.signal);
    controller.abort();
    await paused;
    await pause(60_000, controller.signal);
  });

  it('ends by itself', async () => {
    await pause(1);
  });
});

describe('the wait before another try', () => {
  it('doubles from a quarter of a second to one second', () => {
    const longest = [0, 1, 2, 3, 4, 5, 30].map((tries) => backoffMs(tries, () => 1));
    expect(longest).toEqual([250, 500, 1_000, 1_000, 1_000, 1_000, 1_000]);
  });

  it('is up to a fifth shorter, by chance', () => {
    expect(backoffMs(1, () => 0)).toBe(400);
  });
});
