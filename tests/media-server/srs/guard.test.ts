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

  /** Both of its connections are let in. */
  letIn(): void {
    this.latest.onPlaying();
    this.latest.onPlaying();
  }

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
  setting.letIn();
  return setting;
}

describe('a guard', () => {
  it('plays from the beginning, twice, so that one of them is on the stream that SRS keeps', () => {
    const setting = new Setting();
    const { guard, connections, clock } = setting;
    expect([connections.length, guard.playingSinceMs]).toEqual([1, undefined]);
    clock.advance(7);
    setting.latest.onPlaying();
    expect([connections.length, guard.playingSinceMs, setting.playing]).toEqual([2, undefined, 0]);
    clock.advance(7);
    setting.latest.onPlaying();
    expect([guard.playingSinceMs, setting.playing]).toEqual([clock.nowMs(), 1]);
    expect(connections.map(({ closed }) => closed)).toEqual([true, false]);
  });

  it('plays once more where both together took so long that SRS may have swept twice', () => {
    const setting = new Setting();
    const { guard, connections, clock } = setting;
    setting.latest.onPlaying();
    clock.advance(2_500);
    setting.latest.onPlaying();
    expect([connections.length, guard.playingSinceMs]).toEqual([3, undefined]);
    setting.latest.onPlaying();
    expect(guard.playingSinceMs).toBeUndefined();
    setting.latest.onPlaying();
    expect(guard.playingSinceMs).toBe(clock.nowMs());
    expect(connections.map(({ closed }) => closed)).toEqual([true, true, true, false]);
  });

  it('hears on one connection only', async () => {
    const setting = playing();
    const hearing = setting.guard.begin(() => undefined);
    for (const connection of setting.connections) {
      connection.onAudio(HEADER);
      connection.onAudio(FRAME);
    }
    const count = hearing.count(false);
    setting.latest.echoes[0]?.();
    expect(await count).toBe(1);
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
    expect([guard.playingSinceMs, clock.pendingTimers]).toEqual([undefined, 0]);
  });

  it('comes back at once when it is told to, and not while it is there', () => {
    const { guard, connections, clock } = playing();
    guard.retryNow();
    expect(connections).toHaveLength(2);
    connections.at(-1)?.onEnd('gone');
    guard.retryNow();
    guard.retryNow();
    expect([connections.length, clock.pendingTimers]).toEqual([3, 0]);
  });

  it('stays away once it is closed', () => {
    const { guard, connections, clock } = playing();
    connections.at(-1)?.onEnd('gone');
    guard.close();
    guard.close();
    guard.retryNow();
    expect([connections.length, clock.pendingTimers]).toEqual([2, 0]);
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
    ['was not there when it began', (it: Setting) => it.letIn(), new Setting()],
    ['was sent away', (it: Setting) => it.latest.onEnd('kicked'), playing()],
  ])('is not known where the guard %s; its sound is told of all the same', async (_what, spoil, setting) => {
    let heard = 0;
    const hearing = setting.guard.begin(() => (heard += 1));
    spoil(setting);
    setting.clock.advance(100);
    if (setting.guard.playingSinceMs === undefined) setting.letIn();
    setting.hear(HEADER);
    setting.frames(4);
    expect(heard).toBe(1);
    expect([await hearing.count(false), await hearing.count(true)]).toEqual([undefined, undefined]);
  });

  it('is told also where the header came before it is known that the guard plays', () => {
    const setting = new Setting();
    let heard = 0;
    setting.guard.begin(() => (heard += 1));
    setting.latest.onPlaying();
    setting.hear(HEADER);
    setting.latest.onPlaying();
    setting.frames(1);
    expect(heard).toBe(1);
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
