import { randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { EXIT_UNAVAILABLE, OperatorError } from '../../src/base/errors';
import { eventually } from '../helpers/eventually';
import { timestampFault } from '../helpers/flv-listener';
import { FFMPEG, QUIET } from '../helpers/ffmpeg';
import { takesConnections } from '../helpers/free-port';
import { HlsListener } from '../helpers/hls-listener';
import { httpRequest } from '../helpers/http-request';
import { MediaHouse } from '../helpers/media-house';
import { MetricsText } from '../helpers/metrics-text';
import { music } from '../helpers/music';
import { encodeOffline } from '../helpers/offline-encode';
import { itNeeds, probe } from '../helpers/players';
import { readProcess } from '../helpers/processes';
import { runProgram } from '../helpers/run-program';

const compiled = MediaHouse.compile();
afterAll(() => compiled.remove());

describe('the embedded media server', () => {
  let house: MediaHouse;

  beforeAll(async () => {
    house = await MediaHouse.create(compiled);
    await house.server.start();
  });
  afterAll(async () => house.close());

  it('delivers every AAC frame over FLV and over HLS, byte for byte, and counts them exactly', async () => {
    const pcm = music(9.3);
    const reference = await encodeOffline(pcm);
    house.server.announce('exact');
    const listener = await house.listen('exact');
    const hls = new HlsListener(house.hlsUrl('exact'));
    const { ended } = house.publish('exact', pcm, { token: 'life-1' });
    expect(await ended).toBe(0);
    const end = await house.until('unpublished', ({ vibeId }) => vibeId === 'exact');
    house.server.retire('exact');
    expect(await listener.end()).toBe('end');
    await hls.done;

    expect(end).toEqual({ vibeId: 'exact', token: 'life-1', aacFrames: reference.length });
    expect(house.told('published')).toContainEqual({ vibeId: 'exact', token: 'life-1' });
    expect(listener.headerFlags).toBe(4);
    expect(listener.otherTags).toEqual([18]);
    expect(listener.configs).toHaveLength(1);
    expect(Buffer.concat(listener.aacFrames).equals(Buffer.concat(reference))).toBe(true);
    expect(listener.aacFrames).toHaveLength(reference.length);
    expect(listener.frames.map((frame) => frame.timestampMs)).toEqual(
      reference.map((_, frame) => Math.round((frame * 64) / 3)),
    );
    const hlsFrames = await hls.frames();
    expect(hlsFrames).toHaveLength(reference.length);
    expect(Buffer.concat(hlsFrames).equals(Buffer.concat(reference))).toBe(true);
  });

  itNeeds('ffprobe')('is AAC-LC, 48 kHz, stereo and no video to ffprobe, on both URLs', async () => {
    house.server.announce('probed');
    house.publish('probed', music(20), { realTime: true });
    const streams = await Promise.all([probe(house.flvUrl('probed')), probe(house.hlsUrl('probed'))]);
    const expected = {
      codec_type: 'audio',
      codec_name: 'aac',
      profile: 'LC',
      sample_rate: '48000',
      channels: 2,
    };
    for (const found of streams) expect(found).toMatchObject([expected]);
    house.server.retire('probed');
  });

  it('keeps a listener and its time over a publisher that is killed and comes back', async () => {
    const pcm = music(30);
    const reference = (await encodeOffline(pcm)).map((frame) => frame.toString('hex'));
    house.server.announce('killed');
    const listener = await house.listen('killed');
    const first = house.publish('killed', pcm, { token: 'life-1', realTime: true });
    await listener.until('a second of sound', () => listener.frames.length > 47);
    first.process.kill('SIGKILL');
    const end = await house.until('unpublished', ({ vibeId }) => vibeId === 'killed');
    const heard = end.aacFrames ?? 0;
    expect(heard).toBeGreaterThan(0);
    await listener.until('all that was published', () => listener.frames.length >= heard);
    expect(listener.frames).toHaveLength(heard);

    const second = house.publish('killed', pcm, { token: 'life-2', realTime: true });
    await listener.until('a second of sound again', () => listener.frames.length > heard + 47);
    second.process.kill('SIGKILL');
    house.server.retire('killed');
    expect(await listener.end()).toBe('end');
    expect(timestampFault(listener.frames)).toBeUndefined();
    expect(listener.frames.map((frame) => frame.timestampMs)).toEqual(
      listener.frames.map((_, frame) => Math.round((frame * 64) / 3)),
    );
    const frames = listener.aacFrames.map((frame) => frame.toString('hex'));
    expect(frames.slice(0, heard)).toEqual(reference.slice(0, heard));
    expect(frames.slice(heard)).toEqual(reference.slice(0, frames.length - heard));
  });

  it('gives the name to the encoder’s next life at once, while the last one still holds it', async () => {
    house.server.announce('taken');
    const listener = await house.listen('taken');
    const older = house.publish('taken', music(30), { token: 'life-1', realTime: true });
    await listener.until('sound', () => listener.frames.length > 0);
    house.publish('taken', music(30, 2), { token: 'life-2', realTime: true });
    await house.until('published', ({ token, vibeId }) => vibeId === 'taken' && token === 'life-2');
    expect(await older.ended).not.toBe(0);
    expect(listener.isConnected).toBe(true);
    house.server.retire('taken');
    listener.leave();
  });

  it('plays what is published by hand, to whoever is a moment early', async () => {
    const early = house.listen('by-hand');
    house.publish('by-hand', music(3), { url: `rtmp://127.0.0.1:${house.rtmpPort}/live/by-hand` });
    const listener = await early;
    await listener.until('sound', () => listener.frames.length > 0);
    listener.leave();
  });

  it('counts listeners, and tells of it', async () => {
    house.server.announce('counted');
    const listeners = await Promise.all([house.listen('counted'), house.listen('counted')]);
    await house.until('listeners', (told) => told.vibeId === 'counted' && told.listeners === 2);
    expect(house.server.playersOf('counted')).toBe(2);
    for (const listener of listeners) listener.leave();
    await house.until('listeners', (told) => told.vibeId === 'counted' && told.listeners === 0);
    expect(house.server.playersOf('counted')).toBe(0);
    house.server.retire('counted');
  });

  it('cuts a listener that does not read, and no other one', async () => {
    house.server.announce('slow');
    const socket = net.connect(house.httpPort, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    socket.write('GET /live/slow.flv HTTP/1.1\r\nHost: x\r\n\r\n');
    const listener = await house.listen('slow');
    await house.until('listeners', (told) => told.vibeId === 'slow' && told.listeners === 2);
    // The kernel takes some megabytes for a reader that sleeps: much noise, at a high rate.
    const pcm = randomBytes(120 * 192_000);
    for (let round = 0; round < 8 && house.told('cut').length === 0; round += 1)
      await house.publish('slow', pcm, { bitrate: '512k', coder: 'fast', token: `life-${round}` }).ended;
    expect(await house.until('cut')).toEqual({ vibeId: 'slow', reason: 'slow' });
    expect(listener.isConnected).toBe(true);
    house.server.retire('slow');
    expect(await listener.end()).toBe('end');
    const published = house.told('unpublished').filter(({ vibeId }) => vibeId === 'slow');
    expect(listener.frames).toHaveLength(published.reduce((sum, { aacFrames = 0 }) => sum + aacFrames, 0));
    const cut = new MetricsText(await house.metrics.registry.metrics());
    expect(cut.sum('vibesflow_listeners_cut_total', { reason: 'slow' })).toBe(1);
    socket.destroy();
  });

  it('takes no other app, and plays over HTTP only', async () => {
    const rtmpUrl = `rtmp://127.0.0.1:${house.rtmpPort}`;
    expect(await house.publish('x', music(1), { url: `${rtmpUrl}/other/x` }).ended).not.toBe(0);
    house.server.announce('watched');
    const play = await runProgram(FFMPEG, [...QUIET, '-i', `${rtmpUrl}/live/watched`, '-f', 'null', '-']);
    expect(play.exitCode).not.toBe(0);
    house.server.retire('watched');
  });

  it('is up, with its version', () => {
    expect(house.server.health).toEqual({ kind: 'embedded', up: true, version: '1.2.3' });
  });
});

describe('an embedded media server whose process dies', () => {
  it('comes back, knows its vibes, and listeners can come again', async () => {
    const house = await MediaHouse.create(compiled);
    await house.server.start();
    house.server.announce('demo');
    const before = await house.listen('demo');
    await house.until('listeners', ({ listeners }) => listeners === 1);
    const { pid } = house.server;
    process.kill(pid as number, 'SIGKILL');
    expect(await before.end()).toBe('cut');
    await house.until('health', ({ up }) => !up);
    await house.until('health', () => house.told('health').length === 3);
    expect(house.server.playersOf('demo')).toBe(0);
    expect(house.server.pid).not.toBe(pid);

    const after = await house.listen('demo');
    house.publish('demo', music(3));
    await after.until('sound', () => after.frames.length > 0);
    after.leave();
    const metrics = new MetricsText(await house.metrics.registry.metrics());
    expect(metrics.sum('vibesflow_media_server_restarts_total')).toBe(1);
    expect(metrics.sum('vibesflow_media_server_up')).toBe(1);
    await house.close();
    expect(house.server.health.up).toBe(false);
  });

  it('is said to have received what it last said it had, within an AAC frame or two', async () => {
    const house = await MediaHouse.create(compiled);
    await house.server.start();
    house.server.announce('dying');
    const listener = await house.listen('dying');
    house.publish('dying', music(20), { token: 'life-1', realTime: true });
    await listener.until('2 s of sound', () => listener.frames.length > 94);
    process.kill(house.server.pid as number, 'SIGKILL');
    const end = await house.until('unpublished', ({ vibeId }) => vibeId === 'dying');
    await listener.end();
    expect(end.token).toBe('life-1');
    expect(Math.abs((end.aacFrames as number) - listener.frames.length)).toBeLessThanOrEqual(4);
    expect(house.told('received').length).toBeGreaterThan(10);
    await house.close();
  });

  it('is said to have received nothing of an encoder’s life that never came to publish', async () => {
    const house = await MediaHouse.create(compiled);
    await house.server.start();
    house.server.announce('unborn');
    house.server.announce('over');
    house.server.publishUrl('unborn', 'life-1');
    house.server.publishUrl('over', 'life-2');
    house.server.retire('over');
    process.kill(house.server.pid as number, 'SIGKILL');
    await house.until('health', ({ up }) => !up);
    expect(house.told('unpublished')).toEqual([{ vibeId: 'unborn', token: 'life-1', aacFrames: 0 }]);
    await house.close();
  });

  it('knows after its death who may play private vibes', async () => {
    const house = await MediaHouse.create(compiled);
    await house.server.start();
    house.server.announce('secret', true);
    for (const ticket of ['kept', 'gone']) house.server.admissions.admit('secret', ticket);
    house.server.admissions.expel('secret', 'gone');
    const status = async (query: string): Promise<number> =>
      (await httpRequest(`${house.flvUrl('secret')}${query}`, { method: 'HEAD' })).status;
    const all = async (): Promise<number[]> =>
      Promise.all(['', '?token=gone', '?token=kept'].map((query) => status(query)));
    expect(await all()).toEqual([401, 403, 200]);
    process.kill(house.server.pid as number, 'SIGKILL');
    await house.until('health', ({ up }) => !up);
    await eventually('it is back', () => house.server.health.up);
    expect(await all()).toEqual([401, 403, 200]);
    await house.close();
  });

  it('stays when the terminal’s Ctrl-C reaches it: the relay says when it is time', async () => {
    const house = await MediaHouse.create(compiled);
    await house.server.start();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.kill(house.server.pid as number, signal);
    expect((await httpRequest(`${house.httpUrl}/`)).status).toBe(404);
    expect(house.told('health')).toHaveLength(1);
    await house.close();
  });
});

describe('the start of an embedded media server', () => {
  it.each([
    ['RTMP', 'rtmp', 'RTMP_PORT'],
    ['Media HTTP', 'http', 'MEDIA_HTTP_PORT'],
  ] as const)('says in one line that the %s port is in use', async (name, kind, setting) => {
    const occupant = net.createServer();
    await new Promise<void>((resolve) => occupant.listen(0, '127.0.0.1', resolve));
    const { port } = occupant.address() as net.AddressInfo;
    const house = await MediaHouse.create(compiled, { [kind]: port });
    const error = await house.server.start().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OperatorError);
    expect(error).toMatchObject({
      exitCode: EXIT_UNAVAILABLE,
      message: `${name} port ${port} is in use: stop what uses it, or set ${setting} to another port.`,
    });
    expect(house.server.pid).toBeUndefined();
    await house.close();
    await new Promise((resolve) => occupant.close(resolve));
  });
});

describe('the close of an embedded media server', () => {
  it('ends its listeners’ streams properly and leaves neither process nor port', async () => {
    const house = await MediaHouse.create(compiled);
    await house.server.start();
    house.server.announce('demo');
    const listener = await house.listen('demo');
    house.publish('demo', music(30), { realTime: true });
    await listener.until('sound', () => listener.frames.length > 0);
    const { pid } = house.server;
    await Promise.all([house.close(), house.close()]);
    expect(await listener.end()).toBe('end');
    expect(readProcess(pid as number)).toBeUndefined();
    for (const port of [house.rtmpPort, house.httpPort])
      await expect(takesConnections(port)).resolves.toBe(false);
  });

  it('waits for no listener that does not read', async () => {
    const house = await MediaHouse.create(compiled);
    await house.server.start();
    house.server.announce('demo');
    const request = http.get(house.flvUrl('demo'), { agent: false });
    request.on('error', () => undefined);
    const answer = await new Promise<http.IncomingMessage>((resolve) => request.once('response', resolve));
    answer.on('error', () => undefined);
    await house.close();
    await eventually('the port is closed', async () => !(await takesConnections(house.httpPort)));
    request.destroy();
  });
});
