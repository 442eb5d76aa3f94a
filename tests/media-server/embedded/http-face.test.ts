import http from 'node:http';
import net from 'node:net';
import { systemClock } from '../../../src/base/clock';
import { Channels, type Publisher } from '../../../src/media-server/embedded/channels';
import { HttpFace } from '../../../src/media-server/embedded/http-face';
import { FakeClock } from '../../helpers/fake-clock';
import { FlvListener } from '../../helpers/flv-listener';
import { freePort } from '../../helpers/free-port';
import { type HttpAnswer, httpRequest } from '../../helpers/http-request';
import { RawConnection } from '../../helpers/raw-http';

const NOBODY = { published: noop, unpublished: noop, received: noop, listeners: noop, cut: noop };

describe('the media server’s HTTP face', () => {
  const clock = new FakeClock();
  const channels = new Channels(clock, NOBODY);
  const faults: unknown[] = [];
  const face = new HttpFace(channels, clock, (error) => faults.push(error));
  const agent = new http.Agent({ keepAlive: true });
  const publisher: Publisher = { vibeId: 'demo', token: '', isAlive: true, close: noop };
  let url = '';

  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    await face.listen('127.0.0.1', port);
    channels.announce('waiting');
    channels.announce('demo');
    channels.expect('demo', publisher.token);
    channels.publish(publisher);
    channels.audio(publisher, Buffer.from('af00119056e500', 'hex'));
    for (let frame = 0; frame < 200; frame += 1)
      channels.audio(publisher, Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(300, frame)]));
  });
  afterAll(async () => {
    agent.destroy();
    channels.close();
    const closing = face.close(500);
    clock.advance(500);
    await closing;
    expect(faults).toEqual([]);
  });

  /** A stream that only holders of tickets may play, with audio in it. */
  function goPrivate(vibeId: string): void {
    const encoder: Publisher = { vibeId, token: '', isAlive: true, close: noop };
    channels.announce(vibeId, true);
    channels.expect(vibeId, '');
    channels.publish(encoder);
    channels.audio(encoder, Buffer.from('af00119056e500', 'hex'));
    for (let frame = 0; frame < 200; frame += 1)
      channels.audio(encoder, Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(300, frame)]));
  }

  it('plays a private stream to holders of tickets, down to its segments, and to nobody else', async () => {
    goPrivate('secret');
    channels.admit('secret', 'good-ticket');
    const ask = async (path: string): Promise<string> => {
      const { status, body } = await httpRequest(url + path);
      return status === 200 ? '200' : `${status} ${(JSON.parse(body.toString()) as { code: string }).code}`;
    };
    const playlist = (await httpRequest(`${url}/live/secret.m3u8?token=good-ticket`)).body.toString();
    const segments = playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(segments.length).toBeGreaterThan(0);
    for (const segment of segments) {
      expect(segment).toMatch(/^secret-\w+-\d+\.ts\?token=good-ticket$/);
      const { status, headers } = await httpRequest(`${url}/live/${segment}`);
      expect([status, headers['cache-control']]).toEqual([200, 'private, no-store']);
      expect(await ask(`/live/${segment.replace(/\?.*/, '')}`)).toBe('401 unauthorized');
    }
    for (const path of [
      '/live/secret.flv',
      '/live/secret.m3u8',
      `/live/${segments[0]?.replace(/\?.*/, '')}`,
    ]) {
      expect(await ask(path)).toBe('401 unauthorized');
      expect(await ask(`${path}?token=`)).toBe('401 unauthorized');
      expect(await ask(`${path}?xtoken=good-ticket`)).toBe('401 unauthorized');
      expect(await ask(`${path}?token=another`)).toBe('403 forbidden');
      expect((await httpRequest(url + path, { method: 'HEAD' })).status).toBe(401);
    }
    channels.expel('secret', 'good-ticket');
    expect(await ask('/live/secret.m3u8?token=good-ticket')).toBe('403 forbidden');
    expect(await ask(`/live/${segments[0]}`)).toBe('403 forbidden');
  });

  it('cuts off who plays by a ticket that is good no more, and leaves others alone', async () => {
    goPrivate('hushed');
    channels.admit('hushed', 'first');
    channels.admit('hushed', 'second');
    const [first, second] = await Promise.all(
      ['first', 'second'].map((ticket) => FlvListener.connect(`${url}/live/hushed.flv?token=${ticket}`)),
    );
    channels.expel('hushed', 'first');
    expect(await first?.end()).toBe('cut');
    channels.retire('hushed');
    second?.leave();
  });

  it('keeps what is left of a private stream private, whatever comes after it under its name', async () => {
    goPrivate('twice');
    channels.admit('twice', 'old');
    const playlist = (await httpRequest(`${url}/live/twice.m3u8?token=old`)).body.toString();
    const segment = /^twice-.*\.ts/m.exec(playlist)?.[0];
    channels.retire('twice');
    channels.announce('twice');
    expect((await httpRequest(`${url}/live/${segment}`)).status).toBe(401);
    expect((await httpRequest(`${url}/live/${segment}?token=old`)).status).toBe(200);
    channels.expel('twice', 'old');
    expect((await httpRequest(`${url}/live/${segment}?token=old`)).status).toBe(403);
  });

  /** A request that is held for as long as the face would, in no time. */
  async function held(path: string, method = 'GET'): Promise<HttpAnswer> {
    const answer = httpRequest(url + path, { method });
    const isOver = answer.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([isOver, tick()]))) clock.advance(3_000);
    return answer;
  }

  function expectOpenToAll(answer: HttpAnswer): void {
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'Content-Length, Date, Retry-After',
      'cross-origin-resource-policy': 'cross-origin',
      'timing-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    });
  }

  it('streams FLV, never cached, to any page', async () => {
    const listener = await FlvListener.connect(`${url}/live/demo.flv?x=1`);
    await listener.until('the configuration', () => listener.configs.length === 1);
    expect(listener.headerFlags).toBe(4);
    expect(listener.headers).toMatchObject({
      'content-type': 'video/x-flv',
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
      'transfer-encoding': 'chunked',
    });
    listener.leave();
    await listener.ended;
  });

  it('streams FLV without chunks to HTTP/1.0, until the connection ends', async () => {
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('GET /live/demo.flv HTTP/1.0\r\n\r\n');
    let text = '';
    await new Promise<void>((resolve) =>
      socket.on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1');
        if (text.includes('\r\n\r\nFLV')) resolve();
      }),
    );
    socket.destroy();
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).not.toMatch(/transfer-encoding/i);
  });

  it('sends the head and what a player needs to begin in one packet', async () => {
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('GET /live/demo.flv HTTP/1.1\r\nHost: a\r\n\r\n');
    const first = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    socket.destroy();
    expect(first.includes('\r\n\r\n')).toBe(true);
    expect(first.includes(Buffer.from('af00119056e500', 'hex'))).toBe(true);
  });

  it('streams to who asks behind another request on the same connection', async () => {
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
    const get = (path: string): string => `GET /live/${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    socket.write(get('demo.m3u8') + get('demo.flv'));
    let text = '';
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1');
        if (text.includes('FLV\u0001')) resolve();
      });
    });
    socket.destroy();
    expect(text).toMatch(/#EXTM3U.*video\/x-flv.*FLV/s);
  });

  it('answers an announced vibe at once, before there is any sound', async () => {
    const listener = await FlvListener.connect(`${url}/live/waiting.flv`);
    await listener.until('the header', () => listener.headerFlags === 4);
    listener.leave();
    await listener.ended;
  });

  it('answers HEAD like GET, without a body', async () => {
    const flv = await httpRequest(`${url}/live/demo.flv`, { method: 'HEAD' });
    expect([flv.status, flv.headers['content-type'], flv.body.length]).toEqual([200, 'video/x-flv', 0]);
    expectOpenToAll(flv);
    const playlist = await httpRequest(`${url}/live/demo.m3u8`, { method: 'HEAD' });
    expect([playlist.status, playlist.body.length]).toEqual([200, 0]);
    expect(Number(playlist.headers['content-length'])).toBeGreaterThan(100);
  });

  it('serves the playlist fresh and its segments for the caches', async () => {
    const playlist = await httpRequest(`${url}/live/demo.m3u8`);
    expect(playlist.headers).toMatchObject({
      'content-type': 'application/vnd.apple.mpegurl',
      'cache-control': 'no-store',
    });
    expectOpenToAll(playlist);
    const names = playlist.body.toString().match(/^demo-.*\.ts$/gm) ?? [];
    expect(names).toHaveLength(2);
    const segment = await httpRequest(`${url}/live/${names[0]}`);
    expect(segment.headers).toMatchObject({
      'content-type': 'video/mp2t',
      'cache-control': 'public, max-age=60, immutable',
      'content-length': String(segment.body.length),
    });
    expectOpenToAll(segment);
    expect([segment.status, segment.body.length % 188, segment.body[0]]).toEqual([200, 0, 0x47]);
  });

  it.each([
    ['/live/nobody.flv', 404, 'vibe-not-found'],
    ['/live/nobody.m3u8', 404, 'vibe-not-found'],
    ['/live/waiting.m3u8', 404, 'vibe-not-found'],
    ['/live/a.b.flv', 400, 'invalid-vibe-id'],
    ['/live/.flv', 400, 'invalid-vibe-id'],
    ['/live/-a.m3u8', 400, 'invalid-vibe-id'],
    ['/live/%2e%2e.flv', 400, 'invalid-vibe-id'],
    [`/live/${'a'.repeat(129)}.flv`, 400, 'invalid-vibe-id'],
    ['/live/demo-zz-1.ts', 404, 'not-found'],
    ['/live/..%2f..%2fetc%2fpasswd.ts', 404, 'not-found'],
    ['/live/demo.mp4', 404, 'not-found'],
    ['/live/demo/index.m3u8', 404, 'not-found'],
    ['/other/demo.flv', 404, 'not-found'],
    ['/api/v1/streams/', 404, 'not-found'],
    ['/', 404, 'not-found'],
  ])('refuses %s with %i', async (path, status, code) => {
    const answer = await held(path);
    expect(answer.status).toBe(status);
    expectOpenToAll(answer);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
    });
    expect(answer.headers['retry-after']).toBe(code === 'vibe-not-found' ? '2' : undefined);
    const document = JSON.parse(answer.body.toString()) as Record<string, unknown>;
    expect(document).toMatchObject({
      type: `urn:vibesflow:problem:${code}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      code,
      instance: path,
    });
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('writes nothing: %s is not allowed', async (method) => {
    const answer = await httpRequest(`${url}/live/demo.flv`, { method, body: 'FLV' });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
    expectOpenToAll(answer);
  });

  it('lets pages ask before they ask', async () => {
    const answer = await httpRequest(`${url}/live/demo.flv`, {
      method: 'OPTIONS',
      headers: { origin: 'https://example.org', 'access-control-request-method': 'GET' },
    });
    expect([answer.status, answer.body.length]).toEqual([204, 0]);
    expect(answer.headers['access-control-allow-methods']).toBe('GET, HEAD, OPTIONS');
    expectOpenToAll(answer);
  });

  it('holds a request for the first segment until it is there', async () => {
    const early: Publisher = { ...publisher, vibeId: 'waiting' };
    const answer = httpRequest(`${url}/live/waiting.m3u8`);
    channels.expect('waiting', early.token);
    channels.publish(early);
    channels.audio(early, Buffer.from('af00119056e500', 'hex'));
    for (let frame = 0; frame < 93; frame += 1) channels.audio(early, Buffer.from('af01214f00', 'hex'));
    expect((await answer).body.toString()).toContain('waiting-');
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400, 'bad-request'],
    [
      'headers without end',
      `GET /live/demo.flv HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
  ])('answers %s with a problem, and hangs up', async (_what, said, status, code) => {
    const connection = await RawConnection.open(Number(new URL(url).port));
    connection.send(said);
    const received = await connection.closed;
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const problem = JSON.parse(received.slice(received.indexOf('\r\n\r\n'))) as Record<string, unknown>;
    expect(problem).toMatchObject({ status, code, requestId: expect.any(String) });
  });

  it('leaves a quarter of the descriptors to encoders: beyond that it hangs up', async () => {
    const port = await freePort();
    const small = new HttpFace(channels, systemClock, noop, 8);
    await small.listen('127.0.0.1', port);
    const connections: RawConnection[] = [];
    for (let count = 0; count < 7; count += 1) connections.push(await RawConnection.open(port));
    try {
      expect(await connections[6]!.closed).toBe('');
      connections[5]!.send('GET /live/demo.flv HTTP/1.1\r\nHost: x\r\n\r\n');
      await connections[5]!.until(/^HTTP\/1.1 200 /);
    } finally {
      for (const connection of connections) connection.destroy();
      await small.close(0);
    }
  });

  it('says why it cannot listen', async () => {
    const second = new HttpFace(channels, systemClock, noop);
    await expect(second.listen('127.0.0.1', Number(new URL(url).port))).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});

function noop(): void {}

async function tick(): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), 5));
}
