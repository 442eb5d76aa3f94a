import { SilenceAlarm } from '../../src/vibes/silence-alarm';
import { FakeClock } from '../helpers/fake-clock';

function setUp() {
  const clock = new FakeClock();
  const changes: [boolean, number][] = [];
  const alarm = new SilenceAlarm(clock, (active, seconds) => changes.push([active, seconds]));
  return { clock, changes, alarm };
}

describe('the silence alarm', () => {
  it('is raised when silence has stood in for the creator for five seconds, and tells how long it lasted', () => {
    const { clock, changes, alarm } = setUp();
    alarm.stateMoved('holding');
    clock.advance(4_900);
    alarm.measured('filling');
    expect(changes).toEqual([]);
    clock.advance(200);
    alarm.measured('filling');
    alarm.measured('filling');
    clock.advance(10_000);
    alarm.stateMoved('live');
    alarm.measured('ok');
    expect(changes).toEqual([
      [true, 0],
      [false, 10],
    ]);
  });

  it('is raised at once for a signal that the meter calls silent, and not for a quiet one', () => {
    const { changes, alarm } = setUp();
    alarm.stateMoved('live');
    alarm.measured('quiet');
    expect(changes).toEqual([]);
    alarm.measured('silent');
    expect(changes).toEqual([[true, 0]]);
  });

  it('is over with the vibe', () => {
    const { changes, alarm } = setUp();
    alarm.measured('silent');
    alarm.stateMoved('ended');
    expect(changes).toEqual([
      [true, 0],
      [false, 0],
    ]);
  });
});
