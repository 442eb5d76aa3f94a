import { Metrics } from '../../src/base/metrics';
import type { MediaServerEvents } from '../../src/media-server/media-server';
import { SrsMediaServer } from '../../src/media-server/srs';
import { HookDesk } from '../../src/media-server/srs/hook-desk';
import { eventually } from '../helpers/eventually';
import { FakeClock } from '../helpers/fake-clock';
import { FixtureSrs } from '../helpers/fixture-srs';
import { httpRequest } from '../helpers/http-request';
import { MetricsText } from '../helpers/metrics-text';
import { silentLogger } from '../helpers/silent-logger';

/** The relay's side of SRS against a fixture that speaks as SRS does, on a clock in the test's hand. */
describe('SRS as the media server', () => {
  let srs: FixtureSrs;
  let clock: FakeClock;
  let metrics: Metrics;
  let server: SrsMediaServer;
  let told: string[];

  beforeEach(async () => {
    srs = new FixtureSrs();
    await srs.start();
    clock = new FakeClock();
    metrics = new Metrics();
    told = [];
    const hooks = new HookDesk({ logger: silentLogger, metrics });
    srs.callHook = (action, body) => hooks.answer(action, body);
    server = new SrsMediaServer({
      rtmpUrl: `rtmp://127.0.0.1:${srs.rtmp.port}/live`,
      apiPort: srs.apiPort,
      hooks,
      isLocal: true,
      clock,
      logger: silentLogger,
      metrics,
    });
    const tell =
      <E extends keyof MediaServerEvents>(event: E) =>
      (fact: MediaServerEvents[E][0]) =>
        void told.push(`${event} ${JSON.stringify(fact)}`);
    for (const event of ['health', 'published', 'unpublished', 'listeners'] as const)
      server.on(event, tell(event));
  });

  afterEach(async () => {
    srs.hung = false;
    await server.close();
    await srs.stop();
    await eventually('no timer is left', () => clock.pendingTimers === 0);
  });

  /** Lets time pass until it is so. */
  async function passTimeUntil(what: string, check: () => unknown, stepMs = 100): Promise<void> {
    await eventually(what, () => {
      if (check()) return true;
      clock.advance(stepMs);
      return false;
    });
  }

  const count = async (name: string, labels: Record<string, string> = {}): Promise<number> =>
    new MetricsText(await metrics.registry.metrics()).sum(name, labels);

  /** Whether an encoder may publish now. */
  function isClear(vibeId: string): boolean {
    let clear = false;
    server.whenClear(vibeId, () => (clear = true)).cancel();
    return clear;
  }

  function publish(vibeId: string, token = `token-of-${vibeId}`): { clientId: string; code: number } {
    return srs.publish(server.publishUrl(vibeId, token));
  }

  it('is up once its API answers, and is what it says', async () => {
    await server.start();
    expect(server.health).toEqual({ kind: 'srs', up: true, version: '7.0.18' });
    expect([server.pid, told]).toEqual([4711, [`health {"kind":"srs","up":true,"version":"7.0.18"}`]]);
  });

  it('need not be there at the start, and is found when it comes', async () => {
    await srs.stop();
    await server.start();
    expect(server.health).toEqual({ kind: 'srs', up: false, version: 'unknown' });
    server.announce('song');
    await srs.start();
    await passTimeUntil('it is found', () => server.health.up);
    expect(told).toHaveLength(1);
  });

  it('has a publish from its URL to its end', async () => {
    await server.start();
    server.announce('song');
    await eventually('its guard plays', () => isClear('song'));
    const { clientId, code } = publish('song', 'a/b+c');
    expect(code).toBe(0);
    await eventually('its audio was heard', () => told.some((line) => line.startsWith('published')));
    srs.unpublish(clientId);
    await eventually('its end', () => told.at(-1)?.startsWith('unpublished'));
    expect(told.filter((line) => line.includes('publish'))).toEqual([
      'published {"vibeId":"song","token":"a/b+c"}',
      'unpublished {"vibeId":"song","token":"a/b+c","aacFrames":1}',
    ]);
    expect(await count('vibesflow_srs_probes_total', { result: 'heard' })).toBe(1);
  });

  it('lets nobody else publish', async () => {
    await server.start();
    server.announce('song');
    server.publishUrl('song', 'secret');
    const codes = [
      'rtmp://srs/live/song?token=guessed',
      'rtmp://srs/live/song',
      'rtmp://srs/live/other?token=secret',
    ].map((url) => srs.publish(url).code);
    codes.push(srs.publish('rtmp://srs/live2/song?token=secret', 'live2').code);
    expect(codes).toEqual([1, 1, 1, 1]);
    expect(srs.publish('rtmp://srs/live/song?token=secret').code).toBe(0);
    expect(srs.publish('rtmp://srs/live/song?token=secret').code).toBe(1);
  });

  it('counts listeners, and not its own guard', async () => {
    await server.start();
    server.announce('song');
    publish('song');
    await eventually('its audio was heard', () => told.some((line) => line.startsWith('published')));
    expect(told.filter((line) => line.startsWith('listeners'))).toEqual([]);
    void httpRequest(`http://127.0.0.1:${srs.httpPort}/live/song.flv`).catch(() => undefined);
    await eventually('a listener', () => server.playersOf('song') === 1);
    for (const [, client] of srs.clients) if (!client.staysOn) client.end();
    await eventually('nobody listens', () => server.playersOf('song') === 0);
  });

  it('counts listeners right where hooks were lost', async () => {
    await server.start();
    server.announce('song');
    publish('song');
    await eventually('its audio was heard', () => told.length > 1);
    srs.addClient('lost-1', '/live/song');
    srs.addClient('lost-2', '/live/song');
    await passTimeUntil('both are counted', () => server.playersOf('song') === 2);
    srs.clients.delete('lost-1');
    await passTimeUntil('one is counted', () => server.playersOf('song') === 1);
  });

  it('knows to the frame what was handed on of each publish, with one guard for all of them', async () => {
    await server.start();
    server.announce('song');
    await eventually('its guard plays', () => isClear('song'));
    for (const [token, frames] of [
      ['t1', 41],
      ['t2', 7],
    ] as const) {
      const { clientId } = publish('song', token);
      srs.sound('song', frames - 1);
      srs.unpublish(clientId);
    }
    await eventually('both ends', () => told.filter((line) => line.startsWith('unpublished')).length === 2);
    expect(told.filter((line) => line.startsWith('unpublished'))).toEqual([
      'unpublished {"vibeId":"song","token":"t1","aacFrames":41}',
      'unpublished {"vibeId":"song","token":"t2","aacFrames":7}',
    ]);
    expect([...srs.clients.values()].filter(({ staysOn }) => staysOn)).toHaveLength(1);
  });

  it('keeps a player waiting that comes before its guard, and lets it in then', async () => {
    await server.start();
    const original = srs.rtmp.onPlay;
    let letGuardIn!: () => void;
    const letIn = new Promise<void>((resolve) => (letGuardIn = resolve));
    srs.rtmp.onPlay = async (connection) => {
      await letIn;
      return original(connection);
    };
    server.announce('song');
    const codes: number[] = [];
    const body = { client_id: 'early', app: 'live', stream: 'song.flv', service_id: srs.service };
    void Promise.resolve(srs.callHook('on_play', body)).then(({ code }) => codes.push(code));
    await eventually('the guard wants to play', () => srs.rtmp.latest?.stream);
    expect([codes, server.playersOf('song')]).toEqual([[], 0]);
    letGuardIn();
    await eventually('it is let in', () => codes.length > 0);
    expect([codes, server.playersOf('song')]).toEqual([[0], 1]);
  });

  it('lets a player in after 10 s where the guard never came, and somebody publishes', async () => {
    await server.start();
    srs.rtmp.onPlay = () => false;
    server.announce('song');
    publish('song');
    const codes: number[] = [];
    const body = { client_id: 'early', app: 'live', stream: 'song.flv', service_id: srs.service };
    void Promise.resolve(srs.callHook('on_play', body)).then(({ code }) => codes.push(code));
    await passTimeUntil('it is let in', () => codes.length > 0);
    expect(codes).toEqual([0]);
  });

  it('turns a player away that has waited for 10 s', async () => {
    await server.start();
    srs.rtmp.onPlay = () => false;
    server.announce('song');
    const answer = srs.callHook('on_play', { client_id: 'early', app: 'live', stream: 'song.flv' });
    clock.advance(10_000);
    expect(await answer).toEqual({ code: 1 });
  });

  it('refuses players of what is no vibe', async () => {
    await server.start();
    const answer = httpRequest(`http://127.0.0.1:${srs.httpPort}/live/nothing.flv`);
    await expect(answer).rejects.toThrow();
  });

  it('has a publish sent away that nobody can hear, and knows that all of it is lost', async () => {
    await server.start();
    server.announce('song');
    srs.deaf = true;
    const { clientId } = publish('song', 't1');
    await passTimeUntil('it was sent away', () => srs.kicked.includes(clientId));
    await eventually('its end', () => told.at(-1)?.startsWith('unpublished'));
    expect(told.at(-1)).toBe('unpublished {"vibeId":"song","token":"t1","aacFrames":0}');
    expect(await count('vibesflow_srs_kicks_total', { reason: 'unheard' })).toBe(1);
  });

  it('gives leave to publish once its guard plays, and after an old publish only when that is gone', async () => {
    await server.start();
    server.announce('song');
    const gone: string[] = [];
    server.whenClear('song', () => gone.push('first'));
    await eventually('it is clear', () => (clock.advance(1), gone.length === 1));
    await eventually('it is there', () => [...srs.clients.values()].some(({ url }) => url === '/live/song'));
    const { clientId } = publish('song');
    await eventually('its audio was heard', () => told.some((line) => line.startsWith('published')));
    server.whenClear('song', () => gone.push('second'));
    expect(gone).toEqual(['first']);
    srs.unpublish(clientId);
    await passTimeUntil('it is clear', () => gone.length === 2);
  });

  it('sends away an old publisher that does not go: only that one, and only for the next', async () => {
    await server.start();
    server.announce('song');
    server.announce('other');
    const { clientId } = publish('song');
    publish('other');
    srs.losesHooks = true;
    let isClear = false;
    server.whenClear('song', () => (isClear = true));
    await passTimeUntil('it is clear', () => isClear);
    expect(srs.kicked).toEqual([clientId]);
  });

  it('finds out by itself that a publisher is gone whose hook was lost', async () => {
    await server.start();
    server.announce('song');
    const { clientId } = publish('song', 't1');
    await eventually('its audio was heard', () => told.some((line) => line.startsWith('published')));
    srs.losesHooks = true;
    srs.unpublish(clientId);
    await passTimeUntil('its end', () => told.at(-1)?.startsWith('unpublished'));
    expect(srs.kicked).toEqual([]);
  });

  it('tells the end of every publish when SRS is another process, and that it is up', async () => {
    await server.start();
    for (const vibeId of ['a', 'b']) {
      server.announce(vibeId);
      publish(vibeId);
    }
    await eventually(
      'both were heard',
      () => told.filter((line) => line.startsWith('published')).length === 2,
    );
    await srs.stop();
    await passTimeUntil('it is down', () => !server.health.up);
    expect(told.filter((line) => line.startsWith('unpublished'))).toEqual([]);
    await srs.restart();
    await passTimeUntil('it is up', () => server.health.up);
    expect(told.filter((line) => line.startsWith('unpublished'))).toHaveLength(2);
    expect(told.at(-1)).toContain('"up":true');
    const gone: string[] = [];
    for (const vibeId of ['a', 'b']) server.whenClear(vibeId, () => gone.push(vibeId));
    await passTimeUntil('both may publish', () => gone.length === 2, 1);
    expect(await count('vibesflow_media_server_restarts_total')).toBe(1);
  });

  it('tells that it is up where it was away for so short that nobody saw it down', async () => {
    await server.start();
    await srs.restart();
    await passTimeUntil('it is met', () => server.pid === 4712);
    expect(told).toEqual(Array(2).fill('health {"kind":"srs","up":true,"version":"7.0.18"}'));
  });

  it('takes silence for nothing: publishes and listeners stay what they were', async () => {
    await server.start();
    server.announce('song');
    publish('song');
    await eventually('its audio was heard', () => told.some((line) => line.startsWith('published')));
    srs.addClient('listener', '/live/song');
    await passTimeUntil('it is counted', () => server.playersOf('song') === 1);
    srs.hung = true;
    await passTimeUntil('it counts as down', () => !server.health.up, 250);
    expect(server.playersOf('song')).toBe(1);
    expect(told.some((line) => line.startsWith('unpublished'))).toBe(false);
    srs.hung = false;
    await passTimeUntil('it is up', () => server.health.up, 250);
    expect(told.some((line) => line.startsWith('unpublished'))).toBe(false);
  });

  it('tells of a name that is busy for nobody', async () => {
    await server.start();
    server.announce('song');
    srs.ghost = true;
    srs.deaf = true;
    for (const token of ['t1', 't2']) {
      let isClear = false;
      server.whenClear('song', () => (isClear = true));
      await passTimeUntil('it is clear', () => isClear);
      expect(publish('song', token).code).toBe(1028);
    }
    const ghosts = (): Promise<number> => count('vibesflow_srs_ghost_busy_total');
    await eventually('the alarm', async () => (clock.advance(500), (await ghosts()) === 1));
  });

  it('sends away what an earlier daemon left, and not what others publish elsewhere', async () => {
    srs.addClient('left', '/live/song', true);
    srs.addClient('browser', 'whip/live/song', true);
    srs.addClient('listener', '/live/song');
    await server.start();
    await eventually('it was sent away', () => srs.kicked.length > 0);
    expect(srs.kicked).toEqual(['left']);
  });

  it('sends away who waits for a vibe that is over', async () => {
    await server.start();
    server.announce('song');
    srs.deaf = true;
    const waiting = httpRequest(`http://127.0.0.1:${srs.httpPort}/live/song.flv`);
    const ended = expect(waiting).rejects.toThrow();
    await eventually('it waits', () => server.playersOf('song') === 1);
    server.retire('song');
    clock.advance(1_000);
    await ended;
    await eventually('nobody waits', () => server.playersOf('song') === 0);
  });

  it('leaves nothing publishing when it closes', async () => {
    await server.start();
    server.announce('song');
    const { clientId } = publish('song');
    await server.close();
    await server.close();
    expect(srs.kicked).toEqual([clientId]);
    expect([...srs.clients.values()].some(({ publishing }) => publishing)).toBe(false);
  });

  it('has its hooks answered from memory, in far less than SRS’s patience', async () => {
    await server.start();
    server.announce('song');
    const url = server.publishUrl('song', 'hush');
    srs.hung = true;
    expect(srs.publish(url).code).toBe(0);
    srs.hung = false;
  });

  it('plays for itself under a name that nobody can guess', async () => {
    expect(server.ownPlayerQuery).toMatch(/^relay=[\w-]{16}$/);
    server.announce('song');
    await eventually('its guard plays', () => isClear('song'));
    expect(srs.rtmp.latest?.stream).toBe(`song?${server.ownPlayerQuery}`);
  });
});
