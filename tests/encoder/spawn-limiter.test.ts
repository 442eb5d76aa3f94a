import { SpawnLimiter } from '../../src/encoder/spawn-limiter';
import { FakeClock } from '../helpers/fake-clock';

function limiter(): { limiter: SpawnLimiter; clock: FakeClock; spawned: string[] } {
  const clock = new FakeClock();
  return { limiter: new SpawnLimiter(clock), clock, spawned: [] };
}

describe('the spawn limiter', () => {
  it('serves the first wish at once, and one a turn of the event loop then', () => {
    const { limiter: limit, clock, spawned } = limiter();
    for (let n = 0; n < 3; n += 1) limit.request('first', () => spawned.push(String(n)));
    expect(spawned).toEqual(['0']);
    clock.advance(0);
    expect(spawned).toEqual(['0', '1', '2']);
  });

  it('lets a fleet of 24 start without a wait', () => {
    const { limiter: limit, clock, spawned } = limiter();
    for (let n = 0; n < 24; n += 1) limit.request('first', () => spawned.push('first'));
    clock.advance(0);
    expect(spawned).toHaveLength(24);
  });

  it('lets 8 restarts through at once, then ten a second, in turn', () => {
    const { limiter: limit, clock, spawned } = limiter();
    for (let n = 0; n < 90; n += 1) limit.request('again', () => spawned.push(String(n)));
    clock.advance(0);
    expect(spawned).toHaveLength(8);
    clock.advance(1_000);
    expect(spawned.length).toBeGreaterThanOrEqual(17);
    expect(spawned.length).toBeLessThanOrEqual(18);
    clock.advance(7_500);
    expect(spawned).toEqual(Array.from({ length: 90 }, (_, n) => String(n)));
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets first starts pass waiting restarts', () => {
    const { limiter: limit, clock, spawned } = limiter();
    for (let n = 0; n < 20; n += 1) limit.request('again', () => spawned.push('again'));
    clock.advance(0);
    for (let n = 0; n < 20; n += 1) limit.request('first', () => spawned.push('first'));
    clock.advance(0);
    expect(spawned.filter((kind) => kind === 'first')).toHaveLength(16);
    clock.advance(400);
    expect(spawned.filter((kind) => kind === 'first')).toHaveLength(20);
    expect(spawned.filter((kind) => kind === 'again')).toHaveLength(8);
  });

  it('forgets a wish that is taken back, and leaves no timer', () => {
    const { limiter: limit, clock, spawned } = limiter();
    const tickets = Array.from({ length: 30 }, () => limit.request('first', () => spawned.push('first')));
    clock.advance(0);
    expect(limit.waiting).toBe(6);
    for (const ticket of tickets) ticket.cancel();
    expect(limit.waiting).toBe(0);
    expect(clock.pendingTimers).toBe(0);
    clock.advance(10_000);
    expect(spawned).toHaveLength(24);
  });

  it('saves up no more than one burst', () => {
    const { limiter: limit, clock, spawned } = limiter();
    clock.advance(3_600_000);
    for (let n = 0; n < 100; n += 1) limit.request('first', () => spawned.push('first'));
    clock.advance(0);
    expect(spawned).toHaveLength(24);
  });

  it('serves a wish that is made while another is served', () => {
    const { limiter: limit, clock, spawned } = limiter();
    limit.request('first', () => {
      spawned.push('outer');
      limit.request('first', () => spawned.push('inner'));
    });
    clock.advance(0);
    expect(spawned).toEqual(['outer', 'inner']);
  });
});
