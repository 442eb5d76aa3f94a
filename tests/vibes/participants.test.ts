import { LEASE_SECONDS, Participants } from '../../src/vibes/participants';
import { FakeClock } from '../helpers/fake-clock';

function setUp() {
  const clock = new FakeClock();
  const counts: number[] = [];
  return {
    clock,
    counts,
    participants: new Participants({ clock, onChange: (count) => counts.push(count) }),
  };
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

  it('keep what is left of their lease over a restart of the daemon, and no more', () => {
    const before = setUp();
    before.participants.join('early');
    before.clock.advance(30_000);
    before.participants.join('late');
    const leases = before.participants.leases();
    const { clock, counts, participants } = setUp();
    clock.advance(before.clock.nowMs() - clock.nowMs() + 20_000);
    participants.restore([...leases, ['gone', clock.epochMs() - 1], ['odd', clock.epochMs() + 1e9]]);
    expect([participants.count, counts]).toEqual([3, [3]]);
    clock.advance(10_001);
    participants.expire();
    expect(participants.leave('early')).toBe(false);
    clock.advance(30_000);
    participants.expire();
    expect(participants.leave('late')).toBe(false);
    clock.advance(20_000);
    participants.expire();
    expect(participants.count).toBe(0);
  });

  it('hold leases for as long as the operator says', () => {
    const clock = new FakeClock();
    const participants = new Participants({ clock, leaseSeconds: 3, onChange: () => undefined });
    expect(participants.join('p1').leaseSeconds).toBe(3);
    clock.advance(2_900);
    participants.expire();
    expect(participants.count).toBe(1);
    clock.advance(200);
    participants.expire();
    expect(participants.count).toBe(0);
  });

  it('tell of each lease that is taken, renewed or given back', () => {
    const { clock } = setUp();
    const told: unknown[] = [];
    const participants = new Participants({
      clock,
      onChange: () => undefined,
      onLease: (...lease) => told.push(lease),
    });
    participants.join('p');
    clock.advance(5_000);
    participants.join('p');
    participants.leave('p');
    participants.leave('p');
    const untilMs = clock.epochMs() + LEASE_SECONDS * 1000;
    expect(told).toEqual([
      ['p', untilMs - 5_000],
      ['p', untilMs],
      ['p', undefined],
    ]);
  });
});
