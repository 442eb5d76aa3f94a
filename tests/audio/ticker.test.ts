import { TICK_MS, Ticker } from '../../src/audio/ticker';
import { FakeClock } from '../helpers/fake-clock';

describe('a ticker', () => {
  it('ticks each member once a frame, at start + n × frame, for as long as it runs', () => {
    const clock = new FakeClock();
    const ticker = new Ticker(clock);
    const times: number[] = [];
    const startMs = clock.nowMs();
    const leave = ticker.join((nowMs) => times.push(nowMs - startMs));
    clock.advance(60_000);
    leave();
    expect(times.length).toBe(Math.floor(60_000 / TICK_MS) + 1);
    expect(times.every((time, n) => Math.abs(time - n * TICK_MS) < 0.6)).toBe(true);
  });

  it('spreads its members over the tick', () => {
    const clock = new FakeClock();
    const ticker = new Ticker(clock);
    const moments = new Set<number>();
    const leaves = Array.from({ length: 8 }, () =>
      ticker.join((nowMs) => moments.add(Math.round((nowMs % TICK_MS) * 10))),
    );
    clock.advance(TICK_MS * 1.5);
    leaves.forEach((leave) => leave());
    expect(moments.size).toBeGreaterThanOrEqual(8);
  });

  it('has one timer for all members, and none without members', () => {
    const clock = new FakeClock();
    const ticker = new Ticker(clock);
    expect(clock.pendingTimers).toBe(0);
    const leaves = Array.from({ length: 30 }, () => ticker.join(() => undefined));
    clock.advance(100);
    expect(clock.pendingTimers).toBe(1);
    leaves.forEach((leave) => leave());
    leaves.forEach((leave) => leave());
    clock.advance(100);
    expect(clock.pendingTimers).toBe(0);
    expect(ticker.members).toBe(0);
  });

  it('runs a member once, not many times, after the event loop stood still, and tells how late it was', () => {
    const clock = new FakeClock();
    const lateness: number[] = [];
    let now = 0;
    const stalled = {
      ...clock,
      nowMs: () => clock.nowMs() + now,
      after: clock.after.bind(clock),
      every: clock.every.bind(clock),
      epochMs: clock.epochMs.bind(clock),
    };
    const ticker = new Ticker(stalled, (lateMs) => lateness.push(lateMs));
    let ticks = 0;
    const leave = ticker.join(() => (ticks += 1));
    clock.advance(TICK_MS * 2.2);
    const before = ticks;
    now = 500;
    clock.advance(TICK_MS);
    expect(ticks).toBe(before + 1);
    expect(Math.max(...lateness)).toBeGreaterThan(480);
    leave();
  });

  it('lets a member leave while it is ticked', () => {
    const clock = new FakeClock();
    const ticker = new Ticker(clock);
    let ticks = 0;
    const leave = ticker.join(() => {
      ticks += 1;
      leave();
    });
    clock.advance(200);
    expect(ticks).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });
});
