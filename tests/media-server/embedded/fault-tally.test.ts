import { FaultTally } from '../../../src/media-server/embedded/fault-tally';
import { FakeClock } from '../../helpers/fake-clock';

function setUp() {
  const clock = new FakeClock();
  const told: [fault: string, vibeId: string][] = [];
  const tally = new FaultTally(clock, (fault, vibeId) => told.push([fault, vibeId]));
  return { clock, told, tally };
}

describe('a tally of faults', () => {
  it('tells the first ones at once, each with the name that it published', () => {
    const { told, tally } = setUp();
    tally.note('this is not RTMP', '');
    tally.note('a second publish on one connection', 'demo');
    expect(told).toEqual([
      ['this is not RTMP', ''],
      ['a second publish on one connection', 'demo'],
    ]);
  });

  it('tells of a thousand in six lines, and begins anew then', () => {
    const { clock, told, tally } = setUp();
    for (let count = 0; count < 1_000; count += 1) tally.note('this is not RTMP', 'any');
    clock.advance(9_999);
    expect(told).toHaveLength(5);
    clock.advance(1);
    expect(told.slice(5)).toEqual([
      ['995 more connections were given up within 10 s, the last one: this is not RTMP', ''],
    ]);
    expect(clock.pendingTimers).toBe(0);
    tally.note('nothing was published in time', '');
    expect(told).toHaveLength(7);
  });

  it('tells the rest when it closes, and nothing where there is none', () => {
    const { clock, told, tally } = setUp();
    for (let count = 0; count < 7; count += 1) tally.note('this is not RTMP', '');
    tally.close();
    tally.close();
    expect(told.map(([fault]) => fault).at(-1)).toContain('2 more');
    expect([told.length, clock.pendingTimers]).toEqual([6, 0]);
  });
});
