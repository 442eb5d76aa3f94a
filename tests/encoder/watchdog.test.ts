import { Watchdog } from '../../src/encoder/watchdog';
import { FakeClock } from '../helpers/fake-clock';

function watch(flowing = true): {
  clock: FakeClock;
  process: { samplesFed: number; outTimeUs: number; blocked: boolean };
  stalls: () => number;
  watchdog: Watchdog;
} {
  const clock = new FakeClock();
  const watched = { samplesFed: 0, outTimeUs: 0, blocked: false };
  let stalls = 0;
  const onStall = (): void => void (stalls += 1);
  const watchdog = new Watchdog({ clock, sampleRate: 48_000, watched, flowing: () => flowing, onStall });
  return { clock, process: watched, stalls: () => stalls, watchdog };
}

describe('the watchdog', () => {
  it.each([
    [true, 6_000],
    [false, 10_000],
  ])('bites once, when nothing moved (flowing: %s) for %i ms after half a second was fed', (flowing, ms) => {
    const { clock, process, stalls } = watch(flowing);
    process.samplesFed = 24_000;
    clock.advance(ms - 1);
    expect(stalls()).toBe(0);
    clock.advance(1);
    expect(stalls()).toBe(1);
    clock.advance(60_000);
    expect(stalls()).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets be what keeps moving, however slowly', () => {
    const { clock, process, stalls, watchdog } = watch();
    for (let n = 0; n < 100; n += 1) {
      process.samplesFed += 240_000;
      process.outTimeUs += 1;
      clock.advance(5_500);
    }
    expect(stalls()).toBe(0);
    watchdog.stop();
  });

  it('expects nothing for the little that an encoder keeps to itself', () => {
    const { clock, process, stalls, watchdog } = watch();
    process.samplesFed = 23_999;
    clock.advance(3_600_000);
    expect(stalls()).toBe(0);
    watchdog.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('counts a full pipe as fed, whatever went in: wide formats fill it in 30 ms', () => {
    const { clock, process, stalls } = watch();
    process.blocked = true;
    clock.advance(6_000);
    expect(stalls()).toBe(1);
  });

  it('forgives a pipe that was full for a while', () => {
    const { clock, process, stalls, watchdog } = watch();
    process.blocked = true;
    clock.advance(5_500);
    process.blocked = false;
    clock.advance(500);
    process.blocked = true;
    clock.advance(5_500);
    expect(stalls()).toBe(0);
    watchdog.stop();
  });
});
