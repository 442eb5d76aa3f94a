import { Guard } from '../../../src/media-server/srs/guard';
import type { RtmpPlayerOptions } from '../../../src/media-server/srs/rtmp-player';
import { FakeClock } from '../../helpers/fake-clock';
import { silentLogger } from '../../helpers/silent-logger';

const HEADER = Buffer.from([0xaf, 0, 0x11, 0x90]);
const FRAME = Buffer.from([0xaf, 1, 0x21, 0x10]);

type Events = Pick<RtmpPlayerOptions, 'onPlaying' | 'onAudio' | 'onEnd'>;

/** A guard, and its connections in the test's hand. */
class Setting {
  readonly clock = new FakeClock();
  readonly connections: (Events & { closed: boolean; echoes: (() => void)[] })[] = [];
  playing = 0;
  readonly guard = new Guard({
    vibeId: 'song',
    clock: this.clock,
    logger: silentLogger,
    connect: (events) => {
      const connection = { ...events, closed: false, echoes: [] as (() => void)[] };
      this.connections.push(connection);
      return {
        echo: (onAnswer) => void connection.echoes.push(onAnswer),
        close: () => (connection.closed = true),
      };
    },
    onPlaying: () => (this.playing += 1),
  });

  get latest() {
    return this.connections.at(-1) as Setting['connections'][number];
  }

  hear(...bodies: Buffer[]): void {
    for (const body of bodies) this.latest.onAudio(body);
  }

  frames(count: number): void {
    for (let frame = 0; frame < count; frame += 1) this.latest.onAudio(FRAME);
  }
}

/** A guard that plays. */
function playing(): Setting {
  const setting = new Setting();
  setting.latest.onPlaying();
  return setting;
}

describe('a guard', () => {
  it('plays from the beginning, and says since when', () => {
    const { guard, connections, latest, clock } = new Setting();
    expect([connections.length, guard.playingSinceMs]).toEqual([1, undefined]);
    clock.advance(7);
    latest.onPlaying();
    expect(guard.playingSinceMs).toBe(clock.nowMs());
  });

  it('comes back when it is sent away, ever more slowly', () => {
    const { guard, connections, clock } = playing();
    const waits = Array.from({ length: 7 }, () => {
      connections.at(-1)?.onEnd('gone');
      const sinceMs = clock.nowMs();
      const before = connections.length;
      while (connections.length === before) clock.advance(50);
      return clock.nowMs() - sinceMs;
    });
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000]);
    expect(guard.playingSinceMs).toBeUndefined();
  });

  it('comes back at once when it is told to, and has no two connections', () => {
    const { guard, connections, clock } = playing();
    guard.retryNow();
    expect(connections).toHaveLength(1);
    connections[0]?.onEnd('gone');
    guard.retryNow();
    guard.retryNow();
    expect([connections.length, clock.pendingTimers]).toEqual([2, 0]);
  });

  it('stays away once it is closed', () => {
    const { guard, connections, clock } = playing();
    connections[0]?.onEnd('gone');
    guard.close();
    guard.close();
    guard.retryNow();
    expect([connections.length, clock.pendingTimers]).toEqual([1, 0]);
    const other = playing();
    other.guard.close();
    expect(other.latest.closed).toBe(true);
  });
});

describe('what a guard hears of a publish', () => {
  it('is told with its first AAC frame, once: a header is no sound', () => {
    const setting = playing();
    let heard = 0;
    setting.guard.begin(() => (heard += 1));
    setting.hear(HEADER);
    expect(heard).toBe(0);
    setting.frames(3);
    expect(heard).toBe(1);
  });

  it('is counted up to the answer to an echo, header left out', async () => {
    const setting = playing();
    const hearing = setting.guard.begin(() => undefined);
    setting.hear(HEADER);
    setting.frames(40);
    const count = hearing.count(false);
    setting.frames(2);
    setting.latest.echoes[0]?.();
    expect(await count).toBe(42);
  });

  it('begins with its own header: what comes before that is of the publish before', async () => {
    const setting = playing();
    const first = setting.guard.begin(() => undefined);
    setting.hear(HEADER);
    setting.frames(10);
    const countOfFirst = first.count(false);
    let heard = 0;
    const second = setting.guard.begin(() => (heard += 1));
    setting.frames(1);
    expect(heard).toBe(0);
    setting.hear(HEADER);
    setting.frames(5);
    setting.latest.echoes[0]?.();
    const countOfSecond = second.count(false);
    setting.latest.echoes[1]?.();
    expect([await countOfFirst, await countOfSecond]).toEqual([11, 5]);
  });

  it('is nothing where SRS handed on nothing', async () => {
    const setting = playing();
    const hearing = setting.guard.begin(() => undefined);
    const count = hearing.count(false);
    setting.latest.echoes[0]?.();
    expect(await count).toBe(0);
  });

  it('is all that came where SRS died', async () => {
    const setting = playing();
    const hearing = setting.guard.begin(() => undefined);
    setting.hear(HEADER);
    setting.frames(9);
    const late = hearing.count(true);
    setting.frames(1);
    setting.latest.onEnd('gone');
    expect(await late).toBe(10);
    expect(await hearing.count(true)).toBe(10);
  });

  it.each([
    ['was not there when it began', (it: Setting) => it.latest.onPlaying(), new Setting()],
    ['was sent away', (it: Setting) => it.latest.onEnd('kicked'), playing()],
  ])('is not known where the guard %s; its sound is told of all the same', async (_what, spoil, setting) => {
    let heard = 0;
    const hearing = setting.guard.begin(() => (heard += 1));
    spoil(setting);
    setting.clock.advance(100);
    setting.latest.onPlaying();
    setting.hear(HEADER);
    setting.frames(4);
    expect(heard).toBe(1);
    expect([await hearing.count(false), await hearing.count(true)]).toEqual([undefined, undefined]);
  });

  it('is not known where SRS does not answer within a second', async () => {
    const setting = playing();
    const hearing = setting.guard.begin(() => undefined);
    setting.hear(HEADER);
    setting.frames(4);
    const count = hearing.count(false);
    setting.clock.advance(1_000);
    expect(await count).toBeUndefined();
    expect(setting.clock.pendingTimers).toBe(0);
  });

  it('is let be where no publish was let in', () => {
    const setting = playing();
    setting.hear(FRAME, HEADER, FRAME);
    let heard = 0;
    setting.guard.begin(() => (heard += 1));
    setting.hear(FRAME);
    expect(heard).toBe(0);
  });
});
