import { LEASE_SECONDS, Participants } from '../../src/vibes/participants';
import { FakeClock } from '../helpers/fake-clock';

function setUp() {
  const clock = new FakeClock();
  const counts: number[] = [];
  return { clock, counts, participants: new Participants(clock, (count) => counts.push(count)) };
}

describe('participants', () => {
  it('hold one lease each, however often they join', () => {
    const { counts, participants } = setUp();
    expect(participants.join('p1')).toEqual({ participantId: 'p1', leaseSeconds: LEASE_SECONDS });
    participants.join('p1');
    participants.join('p2');
    expect(participants.count).toBe(2);
    expect(counts).toEqual([1, 2]);
  });

  it('are known by their wallet where they give no id, and get one where they give neither', () => {
    const { participants } = setUp();
    expect(participants.join(undefined, '0xabc').participantId).toBe('0xabc');
    expect(participants.join().participantId).not.toBe(participants.join().participantId);
    expect(participants.count).toBe(3);
  });

  it('leave once', () => {
    const { counts, participants } = setUp();
    participants.join('p1');
    expect([participants.leave('p1'), participants.leave('p1')]).toEqual([true, false]);
    expect(counts).toEqual([1, 0]);
  });

  it('lose their lease unless they renew it', () => {
    const { clock, participants } = setUp();
    participants.join('renews');
    participants.join('sleeps');
    clock.advance((LEASE_SECONDS - 1) * 1000);
    participants.join('renews');
    clock.advance(2_000);
    participants.expire();
    expect(participants.count).toBe(1);
    expect(participants.leave('sleeps')).toBe(false);
  });
});
