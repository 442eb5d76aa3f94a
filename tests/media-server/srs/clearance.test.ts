import { Clearance } from '../../../src/media-server/srs/clearance';
import { FakeClock } from '../../helpers/fake-clock';

function setUp() {
  const clock = new FakeClock();
  const holders = new Map<string, string>();
  const told: string[] = [];
  const unguarded = new Set<string>();
  const clearance: Clearance = new Clearance({
    clock,
    holderOf: (vibeId) => holders.get(vibeId),
    kick: (clientId, reason) => void told.push(`kick ${clientId} ${reason}`),
    giveUp: (vibeId) => {
      told.push(`give up ${vibeId}`);
      holders.delete(vibeId);
      clearance.freed(vibeId, false);
    },
    look: () => void told.push('look'),
    isGuarded: (vibeId) => !unguarded.has(vibeId),
  });
  const gone: string[] = [];
  const request = (vibeId: string) => clearance.request(vibeId, () => void gone.push(vibeId));
  const free = (vibeId: string, tearDown: boolean): void => {
    holders.delete(vibeId);
    clearance.freed(vibeId, tearDown);
  };
  return { clock, holders, unguarded, told, clearance, gone, request, free };
}

describe('the clearance to publish', () => {
  it('is given at once, in the same turn, where nobody publishes', () => {
    const { request, gone, clock } = setUp();
    request('song');
    expect([gone, clock.pendingTimers]).toEqual([['song'], 0]);
  });

  it('waits until the old publisher is gone, and asks SRS meanwhile', () => {
    const { request, gone, holders, told, clock, free } = setUp();
    holders.set('song', 'old');
    request('song');
    expect([gone, told]).toEqual([[], ['look']]);
    clock.advance(300);
    expect(told.filter((line) => line === 'look').length).toBeGreaterThan(2);
    free('song', false);
    expect([gone, clock.pendingTimers]).toEqual([['song'], 0]);
  });

  it('sends a publisher away that does not go within a second, once, and tries the name after another', () => {
    const { request, gone, holders, told, clock } = setUp();
    holders.set('song', 'old');
    request('song');
    clock.advance(900);
    expect(told).not.toContain('kick old stale');
    clock.advance(1_000);
    expect(told.filter((line) => line !== 'look')).toEqual(['kick old stale']);
    expect(gone).toEqual([]);
    clock.advance(200);
    expect(told.filter((line) => line !== 'look')).toEqual(['kick old stale', 'give up song']);
    expect([gone, clock.pendingTimers]).toEqual([['song'], 0]);
  });

  it('leaves SRS time to take down what had players', () => {
    const { request, gone, holders, clock, free } = setUp();
    holders.set('song', 'old');
    free('song', true);
    request('song');
    clock.advance(200);
    expect(gone).toEqual([]);
    clock.advance(100);
    expect(gone).toEqual(['song']);
  });

  it('leaves it more time the more it has to take down, because it does so one by one', () => {
    const { request, gone, clock, free } = setUp();
    for (let vibe = 0; vibe < 20; vibe += 1) free(`v${vibe}`, true);
    for (let vibe = 0; vibe < 20; vibe += 1) request(`v${vibe}`);
    clock.advance(300);
    expect(gone).toEqual(['v0']);
    clock.advance(1_000);
    expect(gone.length).toBeGreaterThan(8);
    expect(gone.length).toBeLessThan(14);
    clock.advance(1_100);
    expect(gone).toHaveLength(20);
  });

  it('waits behind the others’ take-down also with a stream that had no players', () => {
    const { request, gone, clock, free } = setUp();
    for (let vibe = 0; vibe < 5; vibe += 1) free(`v${vibe}`, true);
    free('quiet', false);
    request('quiet');
    clock.advance(400);
    expect(gone).toEqual([]);
    clock.advance(400);
    expect(gone).toEqual(['quiet']);
  });

  it('is given at once by another SRS, which has nothing to take down', () => {
    const { request, gone, clearance, free, clock } = setUp();
    for (let vibe = 0; vibe < 5; vibe += 1) free(`v${vibe}`, true);
    request('v4');
    clearance.reset();
    expect([gone, clock.pendingTimers]).toEqual([['v4'], 0]);
  });

  it('waits for the guard, and not for ever', () => {
    const { request, gone, unguarded, clearance, clock } = setUp();
    for (const vibeId of ['a', 'b']) {
      unguarded.add(vibeId);
      request(vibeId);
    }
    clock.advance(200);
    expect(gone).toEqual([]);
    unguarded.delete('a');
    clearance.guarded();
    expect(gone).toEqual(['a']);
    clock.advance(900);
    expect([gone, clock.pendingTimers]).toEqual([['a', 'b'], 0]);
  });

  it('can be taken back', () => {
    const { request, gone, holders, free, clock } = setUp();
    holders.set('song', 'old');
    request('song').cancel();
    free('song', false);
    clock.advance(5_000);
    expect([gone, clock.pendingTimers]).toEqual([[], 0]);
  });

  it('keeps no vibe waiting for another', () => {
    const { request, gone, holders, free } = setUp();
    holders.set('a', 'old-a');
    holders.set('b', 'old-b');
    request('a');
    request('b');
    request('c');
    free('b', false);
    expect(gone).toEqual(['c', 'b']);
  });

  it('is given to nobody once it is closed', () => {
    const { request, gone, holders, clearance, free, clock } = setUp();
    holders.set('song', 'old');
    request('song');
    clearance.close();
    free('song', false);
    expect([gone, clock.pendingTimers, clearance.someWait]).toEqual([[], 0, false]);
  });
});
