import fc from 'fast-check';
import { eventually } from '../helpers/eventually';
import { httpRequest, type HttpRequest } from '../helpers/http-request';
import { wavHeader } from '../helpers/creators';
import { HttpHouse } from '../helpers/http-house';
import { RawConnection } from '../helpers/raw-http';

/** Each request goes to two houses alike: to one as creators write it, to the other with an escape, by way of Express. */
interface Asked extends HttpRequest {
  readonly query?: string;
}

const PCM = Buffer.from(Array.from({ length: 3840 }, (_, index) => (index * 7) & 0xff));
const REQUEST_ID = 'the-same-1';

let houses: HttpHouse[] = [];
afterEach(async () => {
  await Promise.all(houses.map((house) => house.close()));
  houses = [];
});

async function openTwo(config: Parameters<typeof HttpHouse.open>[0] = {}): Promise<[HttpHouse, HttpHouse]> {
  const two: [HttpHouse, HttpHouse] = [await HttpHouse.open(config), await HttpHouse.open(config)];
  houses.push(...two);
  return two;
}

async function ask(house: HttpHouse, path: string, { query = '', ...asked }: Asked) {
  const headers = { 'x-request-id': REQUEST_ID, ...asked.headers };
  const url = `${house.url}${path}${query}`;
  const answer = await httpRequest(url, { method: 'POST', ...asked, headers });
  const { date, ...rest } = answer.headers;
  expect(date).toBeDefined();
  // A problem names the path as it was asked for, which is as long as it is.
  delete rest['content-length'];
  const said = answer.body.toString().replaceAll('%76', 'v');
  return { status: answer.status, headers: rest, said, order: Object.keys(rest) };
}

async function expectAlike([entrance, express]: readonly [HttpHouse, HttpHouse], asked: Asked) {
  const direct = await ask(entrance, '/stream/v/audio', asked);
  const detour = await ask(express, '/stream/%76/audio', asked);
  expect(direct).toEqual(detour);
  expect(direct.order).toEqual(detour.order);
  return direct;
}

async function expectSameVibes([entrance, express]: readonly [HttpHouse, HttpHouse]) {
  const [one, other] = [entrance.registry.get('v'), express.registry.get('v')];
  expect(one?.lastSequence).toEqual(other?.lastSequence);
  expect(one?.creator).toEqual(other?.creator);
  for (const name of [
    'vibesflow_http_requests_total',
    'vibesflow_problems_total',
    'vibesflow_ingest_bytes_total',
  ])
    // Requests are counted when they are over, which for a refused body is after its answer.
    await eventually(`${name} says the same`, async () => {
      expect([name, await entrance.house.metric(name)]).toEqual([name, await express.house.metric(name)]);
      return true;
    });
  if (one) expect((await entrance.playedOut()).equals(await express.playedOut())).toBe(true);
}

describe('the audio door answers alike by its own entrance and by way of Express', () => {
  const json = (value: unknown): Asked => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  });
  const audioData = PCM.toString('base64');

  it.each<[string, number, Asked]>([
    ['raw samples', 202, { body: PCM }],
    [
      'samples with a type and a creator',
      202,
      {
        headers: { 'content-type': 'audio/pcm;rate=48000;channels=2', 'x-creator': 'ann' },
        body: PCM,
      },
    ],
    ['a number', 202, { query: '?sequence=5', body: PCM }],
    ['JSON', 202, json({ audioData, creator: 'ann', sequence: 4 })],
    [
      'a WAV',
      202,
      {
        headers: { 'content-type': 'audio/wav' },
        body: Buffer.concat([wavHeader(PCM.length), PCM]),
      },
    ],
    ['a page of some origin', 202, { headers: { origin: 'https://some.test' }, body: PCM }],
    ['nothing', 422, { body: '' }],
    ['an unknown type', 415, { headers: { 'content-type': 'video/mp4' }, body: PCM }],
    ['compression', 415, { headers: { 'content-encoding': 'gzip' }, body: PCM }],
    ['a torn sample', 422, { body: PCM.subarray(1) }],
    ['broken JSON', 400, { headers: { 'content-type': 'application/json' }, body: '{"audioData":' }],
    ['no base64', 400, json({ audioData: `${audioData}*` })],
    ['a parameter that stands there twice', 400, { query: '?channels=1&channels=2', body: PCM }],
    ['a body that is too large', 413, { query: '?sequence=1', body: Buffer.alloc(2_097_156) }],
    ['a query with escapes', 202, { query: '?creator=a%20b', body: PCM }],
    ['a query that is none', 202, { query: '?', body: PCM }],
  ])('to %s: %i', async (_what, status, asked) => {
    const two = await openTwo();
    expect((await expectAlike(two, asked)).status).toBe(status);
    await expectSameVibes(two);
  });

  it('with a request id of its own where the client’s has no sense', async () => {
    const two = await openTwo();
    const asked = { headers: { 'x-request-id': 'no sense' }, body: PCM };
    for (const [house, path] of [
      [two[0], '/stream/v/audio'],
      [two[1], '/stream/%76/audio'],
    ] as const)
      expect((await ask(house, path, asked)).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('to chunks of a body of unknown length', async () => {
    const two = await openTwo();
    for (const [index, path] of ['/stream/v/audio', '/stream/%76/audio'].entries()) {
      const connection = await RawConnection.open((two[index] as HttpHouse).port);
      const head = 'HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked';
      connection.send(`POST ${path} ${head}\r\n\r\n4\r\nabcd\r\n4\r\nefgh\r\n0\r\n\r\n`);
      await connection.until(/^HTTP\/1\.1 202 [^]*"accepted":8,/);
      connection.destroy();
    }
    await expectSameVibes(two);
  });

  it('to pages of named origins, and of others', async () => {
    const two = await openTwo({ corsOrigins: ['https://app.test', 'https://other.test'] });
    const origins = ['https://app.test', 'https://other.test', 'https://evil.test', 'null', undefined];
    const allowed: unknown[] = [];
    for (const origin of origins)
      for (const body of [PCM, PCM.subarray(1)]) {
        const { headers } = await expectAlike(two, { headers: origin ? { origin } : {}, body });
        expect(headers.vary).toBe('Origin');
        allowed.push(headers['access-control-allow-origin']);
      }
    expect(allowed.filter((_, index) => index % 2 === 0)).toEqual([
      'https://app.test',
      'https://other.test',
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('to a full buffer, another creator, and a vibe that ends', async () => {
    const two = await openTwo({ maxBufferSeconds: 1 });
    const body = Buffer.alloc(192_000);
    const asked = { headers: { 'x-creator': 'ann' }, body };
    const statuses = [
      (await expectAlike(two, asked)).status,
      (await expectAlike(two, asked)).status,
      (await expectAlike(two, { body })).status,
    ];
    for (const house of two) void house.vibe().end({ drain: true, cause: 'test' });
    statuses.push((await expectAlike(two, asked)).status);
    expect(statuses).toEqual([202, 429, 403, 409]);
    await expectSameVibes(two);
  });

  it('to requests of all kinds, one after the other', async () => {
    const two = await openTwo();
    const word = fc.constantFrom('', 'ann', 'bob', 'Zo%C3%AB', 'a%00b', '1', '-1', '8000', 's16be', 'big');
    const name = fc.constantFrom('creator', 'format', 'sampleRate', 'channels', 'sequence', 'endian', 'x');
    const query = fc
      .array(fc.tuple(name, word), { maxLength: 3 })
      .map((pairs) =>
        pairs.length > 0 ? `?${pairs.map(([key, value]) => `${key}=${value}`).join('&')}` : '',
      );
    const type = fc.constantFrom(
      ...[
        'audio/pcm',
        'audio/l16;channels=1',
        'application/octet-stream',
        'audio/wav',
        'application/json',
        '',
        'x',
      ],
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(PCM, Buffer.from(JSON.stringify({ audioData })), Buffer.from('{"data":"AAAAAAAA"}')),
    );
    const property = fc.asyncProperty(query, type, body, async (asked, contentType, bytes) => {
      await expectAlike(two, { query: asked, headers: { 'content-type': contentType }, body: bytes });
    });
    await fc.assert(property, { numRuns: 150 });
    await expectSameVibes(two);
  });
});

describe('the entrance of the audio door', () => {
  it.each([
    ['another method', 'GET /stream/v/audio HTTP/1.1\r\nHost: x\r\n\r\n', 426],
    ['another door', 'POST /stream/v/audios HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', 404],
    ['a slash more', 'POST /stream/v/audio/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', 404],
    ['an id that is none', 'POST /stream/a.b/audio HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', 400],
    ['an id that is too long', `POST /stream/${'a'.repeat(129)}/audio HTTP/1.1\r\nHost: x\r\n\r\n`, 400],
    ['capitals', 'POST /stream/v/Audio HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', 404],
    [
      'two hosts',
      'POST /stream/v/audio HTTP/1.1\r\nHost: x\r\nHOST: y\r\nContent-Length: 4\r\n\r\nabcd',
      400,
    ],
    ['a whole URL', 'POST http://x/stream/v/audio HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd', 400],
  ])('lets nothing by that is for Express: %s', async (_what, request, status) => {
    const [house] = await openTwo();
    const connection = await RawConnection.open(house.port);
    connection.send(request);
    await connection.until(new RegExp(`^HTTP/1\\.1 ${status} `));
    connection.destroy();
    expect(house.registry.get('v')).toBeUndefined();
  });

  it('counts a client that went away before its answer', async () => {
    const [house] = await openTwo();
    const connection = await RawConnection.open(house.port);
    connection.send('POST /stream/v/audio HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\nabcd');
    connection.reset();
    await connection.closed;
    await house.passTimeUntil(
      (async () => {
        while ((await house.house.metric('vibesflow_http_requests_total')) === 0)
          await new Promise<void>((resolve) => setImmediate(resolve));
      })(),
    );
    const text = await house.house.metrics.registry.metrics();
    expect(text).toContain('vibesflow_http_requests_total{route="/stream/:vibeId/audio",status="aborted"} 1');
  });
});
