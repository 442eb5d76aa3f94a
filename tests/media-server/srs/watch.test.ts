import { Metrics } from '../../../src/base/metrics';
import { type ApiFailure, SrsApiError, type StreamEntry } from '../../../src/media-server/srs/api';
import { SrsWatch } from '../../../src/media-server/srs/watch';
import { FakeClock } from '../../helpers/fake-clock';
import { silentLogger } from '../../helpers/silent-logger';

/** An API that says what the test wants, and a watch that asks it, on a clock in the test's hand. */
class Setting {
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  readonly streams: StreamEntry[] = [];
  service = 'a';
  failure: ApiFailure | undefined;
  hurry = false;
  looks = 0;
  readonly watch = new SrsWatch({
    api: {
      streams: () => {
        this.looks += 1;
        if (this.failure) return Promise.reject(new SrsApiError(this.failure, 'no'));
        return Promise.resolve({ service: this.service, pid: '42', streams: this.streams });
      },
      version: () => Promise.resolve('7.0.18'),
    },
    clock: this.clock,
    logger: silentLogger,
    metrics: new Metrics(),
    hurry: () => this.hurry,
    events: {
      up: (up) => void this.told.push(up ? 'up' : 'down'),
      restarted: (service) => void this.told.push(`restarted ${service}`),
      streams: () => void this.told.push('streams'),
    },
  });

  /** Looks as often as `ms` allow. */
  async pass(ms: number): Promise<void> {
    await this.clock.advanceAsync(ms, 50);
  }
}

describe('the watch over SRS', () => {
  it('knows nothing at first', () => {
    const { watch } = new Setting();
    expect([watch.up, watch.version, watch.pid]).toEqual([false, 'unknown', undefined]);
  });

  it('tells of the streams before it says that SRS is up', async () => {
    const { watch, told } = new Setting();
    await watch.look();
    expect([watch.up, watch.version, watch.pid]).toEqual([true, '7.0.18', 42]);
    expect(told).toEqual(['streams', 'up']);
  });

  it('asks every two seconds, every half where something is waited for, every quarter while it is down', async () => {
    const setting = new Setting();
    const looksIn = async (ms: number): Promise<number> => {
      const before = setting.looks;
      await setting.pass(ms);
      return setting.looks - before;
    };
    await setting.watch.look();
    expect(await looksIn(6_000)).toBe(3);
    setting.hurry = true;
    setting.watch.lookSoon();
    expect(await looksIn(2_000)).toBe(4);
    setting.hurry = false;
    await looksIn(2_500);
    setting.failure = 'refused';
    await looksIn(2_000);
    expect(await looksIn(2_000)).toBeGreaterThanOrEqual(6);
  });

  it('is certain that SRS is down where nothing listens', async () => {
    const setting = new Setting();
    await setting.watch.look();
    setting.failure = 'refused';
    await setting.watch.look();
    expect(setting.watch.up).toBe(false);
    expect(setting.told).toEqual(['streams', 'up', 'down']);
  });

  it.each(['silent', 'wrong'] as const)(
    'concludes nothing from an answer that is %s, for 5 s',
    async (failure) => {
      const setting = new Setting();
      await setting.watch.look();
      setting.failure = failure;
      await setting.pass(4_500);
      expect(setting.told).toEqual(['streams', 'up']);
      await setting.pass(1_000);
      expect(setting.told).toEqual(['streams', 'up', 'down']);
      setting.failure = undefined;
      await setting.pass(500);
      expect(setting.told).toEqual(['streams', 'up', 'down', 'streams', 'up']);
    },
  );

  it('forgets a silence that was broken in time', async () => {
    const setting = new Setting();
    await setting.watch.look();
    for (let round = 0; round < 3; round += 1) {
      setting.failure = 'silent';
      await setting.pass(4_000);
      setting.failure = undefined;
      await setting.pass(500);
    }
    expect(setting.told).not.toContain('down');
  });

  it('notices another process by its service id', async () => {
    const setting = new Setting();
    await setting.watch.look();
    setting.service = 'b';
    await setting.watch.look();
    expect(setting.told).toEqual(['streams', 'up', 'restarted b', 'streams']);
  });

  it('asks at once where a hook comes from another process, and not where from the same', async () => {
    const setting = new Setting();
    await setting.watch.look();
    setting.watch.heardFrom('a');
    setting.watch.heardFrom('');
    expect(setting.looks).toBe(1);
    setting.service = 'b';
    setting.watch.heardFrom('b');
    setting.watch.heardFrom('b');
    await setting.watch.look();
    expect([setting.looks, setting.told.includes('restarted b')]).toEqual([2, true]);
  });

  it('closes: asks no more', async () => {
    const setting = new Setting();
    await setting.watch.look();
    setting.watch.close();
    await setting.watch.look();
    setting.watch.lookSoon();
    expect([setting.looks, setting.clock.pendingTimers]).toEqual([1, 0]);
  });
});
