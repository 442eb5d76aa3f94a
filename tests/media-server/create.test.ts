import type { Config } from '../../src/base/config';
import { loadConfig } from '../../src/base/config';
import { Metrics } from '../../src/base/metrics';
import { createMediaServer } from '../../src/media-server/create';
import { EmbeddedMediaServer } from '../../src/media-server/embedded';
import { SrsMediaServer } from '../../src/media-server/srs';
import { HookDesk } from '../../src/media-server/srs/hook-desk';
import { FakeClock } from '../helpers/fake-clock';
import { silentLogger } from '../helpers/silent-logger';

function create(env: Record<string, string>) {
  const config: Config = loadConfig(env, { directory: '/nonexistent' });
  const metrics = new Metrics();
  const hooks = new HookDesk({ logger: silentLogger, metrics });
  const clock = new FakeClock();
  return { hooks, clock, server: createMediaServer({ config, hooks, clock, logger: silentLogger, metrics }) };
}

const PLAY = { vhost: '__defaultVhost__', app: 'live', stream: 'song', client_id: 'c' };

describe('the choice of the media server', () => {
  it('is the embedded one unless SRS is asked for; its hooks then are nobody’s', () => {
    const { server, hooks } = create({});
    expect(server).toBeInstanceOf(EmbeddedMediaServer);
    expect(server.publishUrl('song', 't')).toBe('rtmp://127.0.0.1:1935/live/song?token=t');
    expect(hooks.answer('on_publish', PLAY)).toEqual({ code: 1 });
    expect(hooks.answer('on_play', PLAY)).toEqual({ code: 0 });
  });

  it('is SRS where it is asked for, at the addresses of the settings', async () => {
    const { server, hooks } = create({
      MEDIA_SERVER: 'srs',
      RTMP_URL: 'rtmp://192.0.2.9:1936/live',
      MEDIA_HTTP_PORT: '8081',
    });
    expect(server).toBeInstanceOf(SrsMediaServer);
    expect(server.health).toEqual({ kind: 'srs', up: false, version: 'unknown' });
    expect(server.publishUrl('song', 't')).toBe('rtmp://192.0.2.9:1936/live/song?token=t');
    expect(hooks.answer('on_play', PLAY)).toEqual({ code: 1 });
    server.announce('song');
    const own = { ...PLAY, param: `?${(server as SrsMediaServer).ownPlayerQuery}` };
    expect(hooks.answer('on_play', own)).toEqual({ code: 0 });
    await server.close();
  });

  it('tidies up after an SRS that writes below DATA_DIR, and after no other', async () => {
    for (const [driver, timers] of [
      ['binary', 1],
      ['external', 0],
    ] as const) {
      const { server, clock } = create({
        MEDIA_SERVER: 'srs',
        SRS_DRIVER: driver,
        SRS_BINARY: '/usr/local/bin/srs',
        DATA_DIR: '/nonexistent',
      });
      expect(clock.pendingTimers).toBe(timers);
      await server.close();
      expect(clock.pendingTimers).toBe(0);
    }
  });
});
