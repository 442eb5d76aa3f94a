import { feederArguments, WhepFeeder } from '../../../src/media-server/srs/whep-feeder';
import { eventually } from '../../helpers/eventually';
import { FakeClock } from '../../helpers/fake-clock';
import { ffmpegTools } from '../../helpers/ffmpeg-tools';
import { silentLogger } from '../../helpers/silent-logger';

describe('the feeder of a vibe’s WebRTC listeners', () => {
  let clock: FakeClock;
  let targets: number;
  let givenUp: number;
  let isNeeded: boolean;
  let feeder: WhepFeeder;

  beforeEach(() => {
    clock = new FakeClock();
    targets = 0;
    givenUp = 0;
    isNeeded = true;
  });
  afterEach(async () => {
    await feeder.close();
    await feeder.close();
    expect(feeder.pid).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  function start(program: string): void {
    feeder = new WhepFeeder({
      sourceUrl: () => 'rtmp://srs/live/v',
      targetUrl: () => `rtmp://srs/live/v-1?token=${(targets += 1)}`,
      tools: ffmpegTools(program),
      clock,
      logger: silentLogger,
      isNeeded: () => isNeeded,
      onGivenUp: () => (givenUp += 1),
    });
  }

  /** Lets the process of now die, and time pass until the next one starts. */
  async function untilLife(life: number): Promise<void> {
    await eventually(`life ${life}`, async () => {
      if (targets >= life) return true;
      clock.advance(2_000);
      return false;
    });
  }

  it('copies, and encodes nothing', () => {
    start('waits');
    const args = feederArguments('rtmp://a/live/v', 'rtmp://b/live/v-1');
    expect(args.join(' ')).toContain('-i rtmp://a/live/v -map 0:a:0 -c copy');
    expect(args.at(-1)).toBe('rtmp://b/live/v-1');
  });

  it('is started again when it dies, each time with a ticket of its own', async () => {
    start('dies-at-once');
    await untilLife(3);
    expect(givenUp).toBe(0);
  });

  it('is given up when it dies again and again', async () => {
    start('dies-at-once');
    await untilLife(7);
    await eventually('it is given up', () => givenUp === 1);
    clock.advance(60_000);
    expect(targets).toBe(7);
  });

  it('is not started again where nobody needs it', async () => {
    isNeeded = false;
    start('dies-at-once');
    await eventually('it is given up', () => givenUp === 1);
    expect(targets).toBe(1);
  });

  it('is not started again once it is closed', async () => {
    start('waits');
    await feeder.close();
    clock.advance(60_000);
    expect([targets, givenUp]).toEqual([1, 0]);
  });
});
