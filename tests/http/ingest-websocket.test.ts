import { randomBytes } from 'node:crypto';
import { eventually } from '../helpers/eventually';
import { HttpHouse } from '../helpers/http-house';
import { RawConnection } from '../helpers/raw-http';
import { WebSocketCreator } from '../helpers/websocket-creator';

const CHUNK = Buffer.from(Array.from({ length: 3840 }, (_, index) => (index * 11) & 0xff));

let http: HttpHouse;
let creators: WebSocketCreator[];
beforeEach(async () => {
  creators = [];
  http = await HttpHouse.open();
});
afterEach(async () => {
  for (const creator of creators) creator.terminate();
  await http.close();
});

async function connect(options: Parameters<typeof WebSocketCreator.connect>[1] = {}, vibeId = 'v') {
  const creator = await WebSocketCreator.connect({ apiUrl: http.url, vibeId }, options);
  creators.push(creator);
  return creator;
}

async function closeOf(creator: WebSocketCreator) {
  const { code } = await creator.closed;
  const problem = creator.messages.find(({ type }) => type === 'error')?.['problem'] as
    { code: string } | undefined;
  return { code, problem: problem?.code };
}

const taken = (bytes: number) =>
  eventually('taken', async () => (await http.house.metric('vibesflow_ingest_bytes_total')) === bytes);

describe('a creator’s WebSocket', () => {
  it('is ready at once, plays binary messages byte for byte, and starts the vibe with the first', async () => {
    const creator = await connect({ query: '?creator=ann' });
    expect(await creator.message('ready')).toEqual({
      type: 'ready',
      vibeId: 'v',
      state: 'starting',
      format: 's16le',
      sampleRate: 48_000,
      channels: 2,
      bufferedMs: 0,
      sequence: 0,
    });
    expect(http.registry.get('v')).toBeUndefined();
    creator.send(CHUNK);
    creator.send(CHUNK);
    await taken(7680);
    expect(http.vibe().creator).toBe('ann');
    creator.send(CHUNK);
    await creator.close();
    expect((await http.playedOut()).subarray(0, 11_520)).toEqual(Buffer.concat([CHUNK, CHUNK, CHUNK]));
  });

  it('may say hello first, and is ready again with what it said', async () => {
    const creator = await connect({
      hello: { format: 's24be', sampleRate: 44_100, channels: 1, creator: 'ann', more: true },
    });
    await eventually('two', () => creator.messages.length === 2);
    expect(creator.messages[1]).toMatchObject({
      type: 'ready',
      format: 's24be',
      sampleRate: 44_100,
      channels: 1,
    });
    expect(http.vibe().format).toEqual({ sampleFormat: 's24be', sampleRate: 44_100, channels: 1 });
    expect(http.vibe().creator).toBe('ann');
  });

  it('takes its format from the query', async () => {
    const creator = await connect({ query: '?format=f32le&sampleRate=16000&channels=1' });
    expect(await creator.message('ready')).toMatchObject({
      format: 'f32le',
      sampleRate: 16_000,
      channels: 1,
    });
  });

  it('gets receipts: with a message after 200 ms, and every second', async () => {
    const creator = await connect();
    creator.send(CHUNK);
    await taken(3840);
    expect(creator.lastAck).toBeUndefined();
    http.house.clock.advance(200);
    creator.send(CHUNK);
    expect(await creator.message('ack')).toEqual({
      type: 'ack',
      accepted: 7680,
      bufferedMs: 40,
      sequence: 2,
    });
    creator.send(CHUNK);
    await taken(11_520);
    http.house.clock.advance(1_000);
    await eventually('another', () => creator.lastAck?.['accepted'] === 11_520);
  });

  it('is superseded by a newer one without a break', async () => {
    const older = await connect({ query: '?creator=ann' });
    older.send(CHUNK);
    await taken(3840);
    const newer = await connect({ query: '?creator=ann' });
    newer.send(CHUNK);
    expect(await closeOf(older)).toEqual({ code: 4409, problem: 'superseded' });
    expect(older.lastAck).toMatchObject({ accepted: 3840 });
    newer.send(CHUNK);
    await taken(11_520);
    expect(http.house.encoders).toHaveLength(1);
    expect(await http.house.metric('vibesflow_takeovers_total')).toBe(1);
    expect(await http.house.metric('vibesflow_problems_total')).toBe(1);
  });

  it.each<[string, string, (creator: WebSocketCreator) => void, number, string]>([
    ['an odd byte', '', (creator) => creator.send(Buffer.alloc(3841)), 4400, 'torn-sample'],
    ['an empty message', '', (creator) => creator.send(Buffer.alloc(0)), 4400, 'empty-audio'],
    ['text that is no JSON', '', (creator) => creator.sendText('hey'), 4400, 'invalid-json'],
    ['text that is no hello', '', (creator) => creator.sendText('{"type":"end"}'), 4400, 'invalid-field'],
    ['an unknown format', '?format=mp3', () => undefined, 4415, 'unsupported-format'],
    [
      'an unknown format in its hello',
      '',
      (creator) => creator.sendText('{"type":"hello","format":"mp3"}'),
      4415,
      'unsupported-format',
    ],
    [
      'a second hello',
      '',
      (creator) => {
        creator.sendText('{"type":"hello"}');
        creator.sendText('{"type":"hello"}');
      },
      4400,
      'bad-request',
    ],
    [
      'text after audio',
      '',
      (creator) => {
        creator.send(CHUNK);
        creator.sendText('{"type":"hello"}');
      },
      4400,
      'bad-request',
    ],
  ])('is closed for %s', async (_what, query, send, code, problem) => {
    const creator = await connect({ query });
    send(creator);
    expect(await closeOf(creator)).toEqual({ code, problem });
  });

  it.each([
    ['another creator', { query: '?creator=bob' }, 4403, 'wrong-creator'],
    ['no creator', {}, 4403, 'wrong-creator'],
    ['another creator in its hello', { hello: { creator: 'bob' } }, 4403, 'wrong-creator'],
    ['another format', { query: '?creator=ann&channels=1' }, 4415, 'format-changed'],
  ])('is closed for %s', async (_what, options, code, problem) => {
    await http.post('/stream/v/audio?creator=ann', CHUNK);
    const creator = await connect(options);
    creator.send(CHUNK);
    expect(await closeOf(creator)).toEqual({ code, problem });
    expect(http.vibe().lastSequence).toBe(1);
  });

  it('needs the owner key of a claimed vibe: as token, bearer or in its hello', async () => {
    const { json } = await http.ask('/stream/v/start', { json: { creator: 'ann', claim: true } });
    const ownerKey = String(json['ownerKey']);
    const bare = await connect({ hello: { creator: 'ann' } });
    expect(await closeOf(bare)).toEqual({ code: 4401, problem: 'unauthorized' });
    const wrong = await connect({ query: '?token=guess', hello: {} });
    expect(await closeOf(wrong)).toEqual({ code: 4403, problem: 'wrong-owner-key' });
    for (const options of [
      { query: `?token=${ownerKey}`, hello: {} },
      { headers: { authorization: `Bearer ${ownerKey}` }, hello: {} },
      { hello: { ownerKey } },
    ]) {
      const creator = await connect(options);
      await eventually(
        'ready twice',
        () => creator.messages.filter(({ type }) => type === 'ready').length === 2,
      );
    }
  });

  it('is closed as too big for a message that the buffer could never hold', async () => {
    await http.close();
    http = await HttpHouse.open({ maxBufferSeconds: 1 });
    const creator = await connect();
    creator.send(Buffer.alloc(192_004));
    expect(await closeOf(creator)).toEqual({ code: 1009, problem: 'too-large' });
    expect(http.registry.get('v')).toBeUndefined();
  });

  it('is closed when it overruns the buffer; what was taken is told', async () => {
    await http.close();
    http = await HttpHouse.open({ maxBufferSeconds: 1 });
    const creator = await connect();
    for (let index = 0; index < 52; index += 1) creator.send(CHUNK);
    expect(await closeOf(creator)).toEqual({ code: 4429, problem: 'buffer-full' });
    expect(creator.lastAck?.['accepted']).toBe(50 * 3840);
  });

  it('is closed after HOLD_SECONDS without a message, pings or not', async () => {
    const creator = await connect();
    await creator.message('ready');
    for (let second = 0; second < 30; second += 1) {
      http.house.clock.advance(1_000);
      await eventually('acknowledged', () => creator.messages.length >= second + 2 || second === 29, {
        everyMs: 1,
      });
    }
    expect(await closeOf(creator)).toEqual({ code: 4408, problem: 'idle' });
  });

  it('is closed when its vibe is ended', async () => {
    const creator = await connect();
    creator.send(CHUNK);
    await taken(3840);
    await http.ask('/stream/v/end', { json: {} });
    expect(await closeOf(creator)).toEqual({ code: 4404, problem: 'vibe-ending' });
  });

  it('is told to come back when the relay drains', async () => {
    const creator = await connect();
    creator.send(CHUNK);
    await taken(3840);
    const drained = http.registry.drain(60_000);
    expect(await closeOf(creator)).toEqual({ code: 1012, problem: 'draining' });
    await expect(connect()).rejects.toThrow('503');
    await http.passTimeUntil(drained);
  });

  it('is told to come back when the listener closes', async () => {
    const creator = await connect();
    await creator.message('ready');
    const closed = http.server.close();
    expect(await closeOf(creator)).toEqual({ code: 1012, problem: 'draining' });
    await http.passTimeUntil(closed);
  });

  it('is cut off when it answers no ping', async () => {
    const { socket } = await upgrade('/stream/v/audio');
    http.house.clock.advance(10_000);
    await socket.until(/\x89\0/);
    http.house.clock.advance(10_000);
    await socket.closed;
    expect(await http.house.metric('vibesflow_ingest_connections')).toBe(0);
  });

  it('stays while its audio comes, though its pong is stuck behind that', async () => {
    const { socket } = await upgrade('/stream/v/audio');
    for (let seconds = 10; seconds <= 50; seconds += 10) {
      http.house.clock.advance(10_000);
      socket.send(Buffer.from('82840000000001020304', 'hex'));
      await taken((seconds / 10) * 4);
    }
    expect(await http.house.metric('vibesflow_ingest_connections')).toBe(1);
    socket.destroy();
    await socket.closed;
  });

  it('leaves no timer behind', async () => {
    const before = http.house.clock.pendingTimers;
    const creator = await connect();
    await creator.message('ready');
    expect(http.house.clock.pendingTimers).toBeGreaterThan(before);
    await creator.close();
    await eventually('gone', () => http.house.clock.pendingTimers === before);
  });
});

describe('frames that are not as they should be', () => {
  it.each([
    ['a message above 2 MiB', Buffer.from('82ff0000000000200001', 'hex'), 1009],
    ['text that is not UTF-8', Buffer.from('818200000000ffff', 'hex'), 1007],
    ['an unmasked frame', Buffer.from('820400000000', 'hex'), 1002],
    ['a compressed frame', Buffer.from('c28400000000ffffffff', 'hex'), 1002],
    ['a reserved opcode', Buffer.from('838000000000', 'hex'), 1002],
    ['a close code that none may send', Buffer.from('88820000000003ed', 'hex'), 1002],
    [
      'fragments without end',
      Buffer.concat([
        Buffer.from('028100000000aa', 'hex'),
        ...Array<Buffer>(20_000).fill(Buffer.from('008100000000aa', 'hex')),
      ]),
      1008,
    ],
  ])('%s closes the connection', async (_what, frame, code) => {
    const { socket } = await upgrade('/stream/v/audio');
    socket.send(frame);
    const received = await http.passTimeUntil(socket.closed);
    const close = Buffer.from(received, 'latin1');
    const at = close.lastIndexOf(0x88);
    expect(close.readUInt16BE(at + 2)).toBe(code);
    expect(http.registry.get('v')).toBeUndefined();
  });

  it('a flood of pings closes the connection', async () => {
    const { socket } = await upgrade('/stream/v/audio');
    for (let index = 0; index < 1_001; index += 1) socket.send(Buffer.from('898000000000', 'hex'));
    await socket.until(/"code":"buffer-full"/);
    await http.passTimeUntil(socket.closed);
  });
});

describe('an upgrade is refused', () => {
  it.each([
    ['for a bad id', '/stream/a%2fb/audio', {}, 400, 'invalid-vibe-id'],
    ['for a malformed escape', '/stream/%zz/audio', {}, 400, 'bad-request'],
    ['at another path', '/stream/v/start', {}, 404, 'not-found'],
    ['for an old version', '/stream/v/audio', { 'Sec-WebSocket-Version': '7' }, 426, 'upgrade-required'],
    ['for a bad key', '/stream/v/audio', { 'Sec-WebSocket-Key': 'x' }, 400, 'bad-request'],
    ['for a creator with control characters', '/stream/v/audio?creator=a%00', {}, 400, 'invalid-field'],
  ])('%s', async (_what, path, headers, status, code) => {
    const { socket } = await upgrade(path, headers);
    const received = await socket.closed;
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*problem\\+json[^]*"code":"${code}"`));
    if (status === 426) expect(received).toMatch(/Sec-WebSocket-Version: 13/);
  });

  it('to pages of foreign origins, and to nobody else', async () => {
    await http.close();
    http = await HttpHouse.open({ corsOrigins: ['https://app.test'] });
    for (const origin of ['https://app.test.evil.test', 'null', 'http://app.test']) {
      const { socket } = await upgrade('/stream/v/audio', { Origin: origin });
      expect(await socket.closed).toMatch(/^HTTP\/1\.1 403 /);
    }
    for (const origin of ['https://app.test', 'http://relay.test']) {
      const { socket } = await upgrade('/stream/v/audio', { Origin: origin });
      await socket.until(/^HTTP\/1\.1 101 /);
      socket.destroy();
    }
  });

  it('where nobody asks for one', async () => {
    const answer = await http.ask('/stream/v/audio');
    expect([answer.status, answer.json['code'], answer.headers['upgrade']]).toEqual([
      426,
      'upgrade-required',
      'websocket',
    ]);
  });
});

async function upgrade(path: string, headers: Record<string, string> = {}) {
  const socket = await RawConnection.open(http.port);
  const all = {
    Host: 'x',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.send(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  await socket.until(/\r\n\r\n/);
  return { socket };
}
