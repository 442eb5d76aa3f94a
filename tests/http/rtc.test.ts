import { Problem, type ProblemCode } from '../../src/base/errors';
import { FakeWebRtc } from '../helpers/fake-web-rtc';
import { HttpHouse } from '../helpers/http-house';
import type { HttpAnswer } from '../helpers/http-request';

const SDP = { 'content-type': 'application/sdp' };
const WHIP = '/rtc/v1/whip/?app=live&stream=v';
const WHEP = '/rtc/v1/whep/?app=live&stream=v';
/** 20 ms as an FFmpeg hands it over. */
const PCM = Buffer.alloc(3840, 1);

let rtc: FakeWebRtc;
let house: HttpHouse;

beforeEach(async () => {
  rtc = new FakeWebRtc();
  house = await HttpHouse.open({}, rtc);
});
afterEach(async () => house.close());

function offer(
  path: string,
  headers: Record<string, string> = {},
  body: string = 'v=0\r\n',
): Promise<HttpAnswer> {
  return house.request(path, { method: 'POST', headers: { ...SDP, ...headers }, body });
}

function codeIn(answer: HttpAnswer): unknown {
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(answer.headers['access-control-allow-origin']).toBe('*');
  return (JSON.parse(answer.body.toString()) as { code: unknown }).code;
}

const sessions = (door: string): Promise<unknown> =>
  house.house.metrics.registry
    .getSingleMetric('vibesflow_rtc_sessions')!
    .get()
    .then(({ values }) => values.find(({ labels }) => labels['door'] === door)?.value ?? 0);

describe('a browser that sends by WHIP', () => {
  it.each(['/rtc/v1/whip/', '/rtc/v1/whip'])(
    'is answered 201 with SDP and a Location of ours at %s',
    async (path) => {
      const answer = await offer(`${path}?app=live&stream=v&creator=ann`);
      expect(answer.status).toBe(201);
      expect(answer.headers['content-type']).toBe('application/sdp');
      expect(answer.headers['location']).toMatch(/^\/rtc\/v1\/whip\/[\w-]{24}$/);
      expect(answer.headers['access-control-expose-headers']).toContain('Location');
      expect(answer.body.toString()).toBe('v=0\r\n');
      expect(rtc.publishers[0]?.asked).toEqual({
        vibeId: 'v',
        offer: 'v=0\r\n',
        format: { sampleFormat: 's16le', sampleRate: 48_000, channels: 2 },
      });
      expect(await sessions('whip')).toBe(1);
    },
  );

  it('starts its vibe, and what it sends is played', async () => {
    await offer(WHIP, { 'x-creator': 'ann' });
    expect(house.vibe()).toMatchObject({ creator: 'ann', state: 'starting' });
    for (let at = 0; at < 50; at += 1) rtc.publishers[0]?.audio(PCM);
    expect(house.vibe().bufferedMs).toBe(1_000);
    expect(await house.house.metric('vibesflow_ingest_bytes_total')).toBe(50 * PCM.length);
  });

  it('may be cut into pieces of any length', async () => {
    await offer(WHIP);
    const sound = Buffer.from(Array.from({ length: 4_000 }, (_, at) => at % 251));
    for (const [from, to] of [
      [0, 1],
      [1, 7],
      [7, 2_002],
      [2_002, 4_000],
    ])
      rtc.publishers[0]?.audio(sound.subarray(from, to));
    expect((await house.playedOut()).subarray(0, 4_000).equals(sound)).toBe(true);
  });

  it('keeps the format that its vibe has', async () => {
    await house.post('/stream/v/audio?format=f32le&rate=44100&channels=1', Buffer.alloc(4_400));
    await offer(WHIP);
    expect(rtc.publishers[0]?.asked['format']).toEqual({
      sampleFormat: 'f32le',
      sampleRate: 44_100,
      channels: 1,
    });
  });

  it('is a creator that is away when its session ends', async () => {
    await offer(WHIP);
    rtc.publishers[0]?.audio(PCM);
    rtc.publishers[0]?.end('gone');
    expect(await sessions('whip')).toBe(0);
    expect(await house.house.metric('vibesflow_ingest_connections')).toBe(0);
    expect(house.vibe().isOver).toBe(false);
    rtc.publishers[0]?.audio(PCM);
    expect(house.vibe().bufferedMs).toBe(20);
  });

  it('is sent away with its vibe', async () => {
    await offer(WHIP, { 'x-creator': 'ann' });
    rtc.publishers[0]?.audio(PCM);
    await house.ask('/stream/v/end', { json: { creator: 'ann', drain: false } });
    expect(rtc.publishers[0]?.ended).toBe('vibe-ending');
  });

  it('is told of audio that finds no room by the counters, and stays', async () => {
    await offer(WHIP);
    const second = Buffer.alloc(192_000);
    for (let at = 0; at < 31; at += 1) rtc.publishers[0]?.audio(second);
    expect(rtc.publishers[0]?.ended).toBeUndefined();
    const chunks = await house.house.metrics.ingestChunks.get();
    expect(chunks.values).toContainEqual(
      expect.objectContaining({ labels: { door: 'whip', result: 'buffer-full' }, value: 1 }),
    );
  });

  it.each<[string, string, Record<string, string>, number, ProblemCode]>([
    ['another creator', '&creator=eve', {}, 403, 'wrong-creator'],
    ['nobody', '', {}, 403, 'wrong-creator'],
    ['no valid id', '&creator=ann', {}, 400, 'invalid-vibe-id'],
  ])('is refused as %s', async (what, query, headers, status, code) => {
    await offer(WHIP, { 'x-creator': 'ann' });
    const path = what === 'no valid id' ? '/rtc/v1/whip/?app=live&stream=a.b' : WHIP;
    const answer = await offer(path + query, headers);
    expect([answer.status, codeIn(answer)]).toEqual([status, code]);
    expect(rtc.publishers).toHaveLength(1);
  });

  it('shows the owner key of a vibe that was claimed', async () => {
    const { json } = await house.ask('/stream/v/start', { json: { creator: 'ann', claim: true } });
    const key = String(json['ownerKey']);
    expect(codeIn(await offer(`${WHIP}&creator=ann`))).toBe('unauthorized');
    expect(codeIn(await offer(WHIP, { authorization: 'Bearer wrong' }))).toBe('wrong-owner-key');
    expect((await offer(WHIP, { authorization: `Bearer ${key}` })).status).toBe(201);
    expect((await offer(`${WHIP}&token=${key}`)).status).toBe(201);
  });

  it('takes over from its older session with its first audio, without a gap', async () => {
    await offer(`${WHIP}&creator=ann`);
    const [older] = rtc.publishers;
    older?.audio(PCM);
    await offer(`${WHIP}&creator=ann`);
    older?.audio(PCM);
    expect(older?.ended).toBeUndefined();
    rtc.publishers[1]?.audio(PCM);
    expect(older?.ended).toBe('superseded');
    expect(rtc.publishers[1]?.ended).toBeUndefined();
    expect(house.vibe().bufferedMs).toBe(60);
    expect(await house.house.metric('vibesflow_takeovers_total')).toBe(1);
  });

  it('ends an older session of which nothing was heard', async () => {
    await offer(`${WHIP}&creator=ann`);
    await offer(`${WHIP}&creator=ann`);
    expect(rtc.publishers.map(({ ended }) => ended)).toEqual(['superseded', undefined]);
  });

  it('is told to come back while the relay stops', async () => {
    const draining = house.registry.drain(1_000);
    expect(codeIn(await offer(WHIP))).toBe('draining');
    await house.passTimeUntil(draining);
  });
});

describe('a browser that listens by WHEP', () => {
  beforeEach(async () => {
    await house.ask('/stream/v/start', { json: { creator: 'ann' } });
  });

  it.each(['whep/', 'whep', 'whip-play/', 'whip-play'])('is answered 201 at %s', async (door) => {
    const answer = await offer(`/rtc/v1/${door}?app=live&stream=v`);
    expect(answer.status).toBe(201);
    expect(answer.headers['location']).toMatch(/^\/rtc\/v1\/whep\/[\w-]{24}$/);
    expect(rtc.players[0]?.asked).toEqual({ vibeId: 'v', offer: 'v=0\r\n' });
    expect(await sessions('whep')).toBe(1);
  });

  it('needs a vibe', async () => {
    const answer = await offer('/rtc/v1/whep/?stream=none');
    expect([answer.status, codeIn(answer)]).toEqual([404, 'vibe-not-found']);
    expect(rtc.players).toEqual([]);
  });

  it('is sent away when the vibe is over', async () => {
    await offer(WHEP);
    await house.ask('/stream/v/end', { json: { drain: false } });
    expect(rtc.players[0]?.ended).toBe('vibe-over');
    expect(await sessions('whep')).toBe(0);
    expect((await offer(WHEP)).status).toBe(404);
  });

  it('is sent away when the relay closes', async () => {
    await offer(WHEP);
    await house.passTimeUntil(house.server.close());
    expect(rtc.players[0]?.ended).toBe('draining');
  });
});

describe('the end of a session', () => {
  beforeEach(async () => {
    await house.ask('/stream/v/start', { json: {} });
  });

  it.each([WHIP, WHEP])('is its DELETE, however often: %s', async (path) => {
    const location = String((await offer(path)).headers['location']);
    for (let times = 0; times < 2; times += 1)
      expect((await house.request(location, { method: 'DELETE' })).status).toBe(200);
    expect([...rtc.publishers, ...rtc.players].map(({ ended }) => ended)).toEqual(['hung-up']);
  });

  it('can be told of a session that ended by itself', async () => {
    const location = String((await offer(WHIP)).headers['location']);
    rtc.publishers[0]?.end('gone');
    expect((await house.request(location, { method: 'DELETE' })).status).toBe(200);
  });

  it.each(['/rtc/v1/whip/unknown', '/rtc/v1/whep/unknown'])('is 404 at %s', async (path) => {
    const answer = await house.request(path, { method: 'DELETE' });
    expect([answer.status, codeIn(answer)]).toEqual([404, 'not-found']);
  });
});

describe('the doors of WebRTC', () => {
  it.each<[string, Record<string, string>, string, number, ProblemCode]>([
    ['no content type', { 'content-type': '' }, 'v=0', 415, 'unsupported-format'],
    ['JSON', { 'content-type': 'application/json' }, '{}', 415, 'unsupported-format'],
    ['what is no media type', { 'content-type': ';' }, 'v=0', 415, 'unsupported-format'],
    ['a compressed offer', { 'content-encoding': 'gzip' }, 'v=0', 415, 'unsupported-format'],
    ['65537 bytes', {}, 'v'.repeat(65_537), 413, 'too-large'],
  ])('refuse %s', async (_what, headers, body, status, code) => {
    const answer = await offer(WHIP, headers, body);
    expect([answer.status, codeIn(answer)]).toEqual([status, code]);
    expect(rtc.publishers).toEqual([]);
  });

  it.each<[string, ProblemCode]>([
    ['/rtc/v1/whip/?app=other&stream=v', 'invalid-field'],
    ['/rtc/v1/whip/?app=live', 'invalid-vibe-id'],
    ['/rtc/v1/whip/?stream=v&stream=w', 'invalid-field'],
    ['/rtc/v1/whep/?stream=../v', 'invalid-vibe-id'],
  ])('refuse %s', async (path, code) => {
    const answer = await offer(path);
    expect([answer.status, codeIn(answer)]).toEqual([400, code]);
  });

  it.each<[ProblemCode, number, string | undefined]>([
    ['invalid-sdp', 400, undefined],
    ['unusable-offer', 422, undefined],
    ['media-server-busy', 409, '2'],
    ['media-server-refused', 502, undefined],
    ['not-ready', 503, '2'],
  ])('pass on %s, readable for pages of other origins', async (code, status, retryAfter) => {
    await house.ask('/stream/v/start', { json: {} });
    rtc.refusal = new Problem(code, 'why', retryAfter ? { retryAfterSeconds: 2 } : {});
    for (const path of [WHIP, WHEP]) {
      const answer = await offer(path, { origin: 'https://app.test' });
      expect([answer.status, codeIn(answer), answer.headers['retry-after']]).toEqual([
        status,
        code,
        retryAfter,
      ]);
    }
    expect(await house.house.metric('vibesflow_rtc_requests_total')).toBe(2);
    expect(await sessions('whip')).toBe(0);
  });

  it.each([
    ['GET', WHIP, 'POST'],
    ['PUT', WHEP, 'POST'],
    ['PATCH', '/rtc/v1/whip/some-session', 'DELETE'],
    ['GET', '/rtc/v1/whep/some-session', 'DELETE'],
  ])('answer %s %s with 405 and what is allowed', async (method, path, allow) => {
    const answer = await house.request(path, { method, headers: SDP });
    expect([answer.status, answer.headers['allow']]).toEqual([405, allow]);
  });

  it('tell a page what it may do', async () => {
    for (const [path, method] of [
      [WHIP, 'POST'],
      ['/rtc/v1/whip/some-session', 'DELETE'],
    ] as const) {
      const { status, headers } = await house.request(path, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://app.test',
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization,content-type',
        },
      });
      expect(status).toBe(204);
      expect(headers['access-control-allow-methods']).toContain(method);
      expect(headers['access-control-allow-headers']).toBe('authorization,content-type');
      expect(headers['accept-post']).toBe('application/sdp');
    }
  });

  it('say with the embedded media server that there is no WebRTC', async () => {
    const bare = await HttpHouse.open();
    try {
      for (const path of [WHIP, WHEP]) {
        const { status, json } = await bare.ask(path, { method: 'POST', headers: SDP, body: 'v=0' });
        expect([status, json['code']]).toEqual([501, 'webrtc-unavailable']);
        expect(json['detail']).toContain('MEDIA_SERVER');
      }
    } finally {
      await bare.close();
    }
  });
});
