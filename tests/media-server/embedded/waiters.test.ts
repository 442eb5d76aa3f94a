import { Waiters } from '../../../src/media-server/embedded/waiters';
import { FakeClock } from '../../helpers/fake-clock';

describe('those who wait', () => {
  it('all get what comes, and leave no timer behind', async () => {
    const clock = new FakeClock();
    const waiters = new Waiters<number>();
    const both = Promise.all([waiters.wait(clock, 100), waiters.wait(clock, 200)]);
    waiters.resolve(7);
    await expect(both).resolves.toEqual([7, 7]);
    expect([waiters.size, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('go when their time is over, each for itself', async () => {
    const clock = new FakeClock();
    const waiters = new Waiters<number>();
    const first = waiters.wait(clock, 100);
    const second = waiters.wait(clock, 200);
    clock.advance(150);
    await expect(first).resolves.toBeUndefined();
    expect(waiters.size).toBe(1);
    waiters.release();
    await expect(second).resolves.toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });
});
