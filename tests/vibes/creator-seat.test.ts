import { Problem } from '../../src/base/errors';
import { CreatorSeat } from '../../src/vibes/creator-seat';

describe('the creator’s seat', () => {
  it('is taken by who comes later; who sat there is told so', () => {
    const seat = new CreatorSeat();
    const told: string[] = [];
    expect(seat.take({ supersede: ({ code }) => told.push(`first ${code}`) }).tookOver).toBe(false);
    expect(seat.take({ supersede: ({ code }) => told.push(`second ${code}`) }).tookOver).toBe(true);
    expect(told).toEqual(['first superseded']);
  });

  it('is not given up by somebody who does not sit there any more', () => {
    const seat = new CreatorSeat();
    const told: string[] = [];
    const first = seat.take({ supersede: () => undefined });
    seat.take({ supersede: ({ code }) => told.push(code) });
    first.leave();
    seat.clear(new Problem('vibe-ending', 'over'));
    expect(told).toEqual(['vibe-ending']);
  });

  it('is free when its holder leaves', () => {
    const seat = new CreatorSeat();
    seat.take({ supersede: () => undefined }).leave();
    expect(seat.take({ supersede: () => undefined }).tookOver).toBe(false);
  });
});
