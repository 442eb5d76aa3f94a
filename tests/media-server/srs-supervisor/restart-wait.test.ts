import { RestartWait } from '../../../src/media-server/srs-supervisor/restart-wait';

describe('the wait before SRS is started again', () => {
  it('is short at first, doubles with each short life, and has a bound', () => {
    const wait = new RestartWait(() => 1);
    const waits = Array.from({ length: 10 }, () => wait.next(0));
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
  });

  it('is short again after a long life', () => {
    const wait = new RestartWait(() => 1);
    for (let life = 0; life < 5; life += 1) wait.next(29_999);
    expect(wait.next(30_000)).toBe(100);
    expect(wait.next(0)).toBe(200);
  });

  it('varies by half, so that relays do not start together', () => {
    const random = [0, 0.5, 1];
    const wait = new RestartWait(() => random.shift() ?? 0);
    expect([wait.next(30_000), wait.next(30_000), wait.next(30_000)]).toEqual([50, 75, 100]);
  });
});
