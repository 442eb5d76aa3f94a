import { SilenceAlarm } from '../../src/vibes/silence-alarm';
import { FakeClock } from '../helpers/fake-clock';

describe('the silence alarm', () => {
  it('is raised once, and tells how long it lasted when it is over', () => {
    const clock = new FakeClock();
    const changes: [boolean, number][] = [];
    const alarm = new SilenceAlarm(clock, (active, seconds) => changes.push([active, seconds]));
    alarm.heard(false);
    expect(changes).toEqual([]);
    alarm.heard(true);
    alarm.heard(true);
    clock.advance(10_000);
    alarm.heard(false);
    alarm.heard(false);
    expect(changes).toEqual([
      [true, 0],
      [false, 10],
    ]);
  });
});
