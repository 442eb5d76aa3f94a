import { settlesWithin, systemClock } from '../../src/base/clock';
import { FakeClock } from '../helpers/fake-clock';

describe('the system clock', () => {
  it('runs forward with a fraction, and knows the date', () => {
    const before = systemClock.nowMs();
    expect(systemClock.nowMs()).toBeGreaterThanOrEqual(before);
    const earliest = Date.now();
    const now = systemClock.epochMs();
    expect(now).toBeGreaterThanOrEqual(earliest);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('calls once after a delay, and never after a cancel', async () => {
    const calls: string[] = [];
    systemClock.after(1, () => calls.push('cancelled')).cancel();
    await new Promise<void>((resolve) => {
      systemClock.after(2, () => {
        calls.push('called');
        resolve();
      });
    });
    expect(calls).toEqual(['called']);
  });

  it('calls again and again until it is cancelled', async () => {
    let calls = 0;
    await new Promise<void>((resolve) => {
      const timer = systemClock.every(
        1,
        () => {
          calls += 1;
          if (calls < 3) return;
          timer.cancel();
          resolve();
        },
        { background: false },
      );
    });
    expect(calls).toBe(3);
  });
});

describe('settlesWithin', () => {
  it('says true for what settles in time, also for what fails', async () => {
    const clock = new FakeClock();
    expect(await settlesWithin(clock, 100, Promise.resolve(1))).toBe(true);
    expect(await settlesWithin(clock, 100, Promise.reject(new Error('no')))).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('says false when the limit comes first', async () => {
    const clock = new FakeClock();
    const verdict = settlesWithin(clock, 100, new Promise(() => undefined));
    clock.advance(100);
    expect(await verdict).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });
});
