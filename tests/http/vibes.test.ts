import { HttpHouse } from '../helpers/http-house';

const AUDIO = Buffer.alloc(19_200, 7);

let http: HttpHouse;
beforeEach(async () => (http = await HttpHouse.open()));
afterEach(() => http.close());

describe('starting a vibe', () => {
  it('answers 201 with where to listen, and 200 for the same creator again', async () => {
    const body = { creator: 'ann', network: 'metis', title: 'Dawn', unknown: [1] };
    const first = await http.ask('/stream/My_vibe-1/start', { json: body });
    expect(first.status).toBe(201);
    expect(first.json).toEqual({
      success: true,
      vibeId: 'My_vibe-1',
      streamingUrl: 'http://media.test:8080/live/My_vibe-1.flv',
      hlsUrl: 'http://media.test:8080/live/My_vibe-1.m3u8',
      rtmpUrl: 'rtmp://127.0.0.1:1935/live/My_vibe-1',
      listenUrl: 'http://relay.test/listen/My_vibe-1',
      isStreaming: false,
      state: 'starting',
      participantCount: 0,
      timestamp: http.house.clock.epochMs(),
    });
    expect((await http.ask('/stream/My_vibe-1/start', { json: body })).status).toBe(200);
  });

  it('needs no creator: such a vibe takes anybody’s audio', async () => {
    for (const [vibeId, request] of [
      ['a', { method: 'POST' }],
      ['b', { json: {} }],
      ['c', { json: { creator: '' } }],
    ] as const) {
      expect((await http.ask(`/stream/${vibeId}/start`, request)).status).toBe(201);
      expect(http.vibe(vibeId).creator).toBeUndefined();
      expect((await http.post(`/stream/${vibeId}/audio?creator=eve`, AUDIO)).status).toBe(202);
    }
    await http.ask('/stream/d/start?creator=ann', { method: 'POST' });
    expect(http.vibe('d').creator).toBe('ann');
  });

  it('is refused to another creator', async () => {
    await http.ask('/stream/v/start', { json: { creator: 'ann' } });
    const { status, json } = await http.ask('/stream/v/start', { json: { creator: 'bob' } });
    expect([status, json['code']]).toEqual([409, 'creator-conflict']);
  });

  it('is refused beyond MAX_STREAMS and while the relay drains', async () => {
    await http.close();
    http = await HttpHouse.open({ maxStreams: 1 });
    await http.ask('/stream/a/start', { json: { creator: 'ann' } });
    const full = await http.ask('/stream/b/start', { json: { creator: 'ann' } });
    expect([full.status, full.json['code'], full.headers['retry-after']]).toEqual([
      503,
      'too-many-vibes',
      '10',
    ]);
    await http.passTimeUntil(http.registry.drain(60_000));
    const draining = await http.ask('/stream/b/start', { json: { creator: 'ann' } });
    expect([draining.status, draining.json['code']]).toEqual([503, 'draining']);
  });

  it.each<[string, string | undefined, Record<string, string>, number, string]>([
    ['a creator that is no string', '{"creator":7}', {}, 400, 'invalid-field'],
    ['a creator that is too long', JSON.stringify({ creator: 'x'.repeat(257) }), {}, 400, 'invalid-field'],
    ['control characters', '{"creator":"a\\u001b[31m"}', {}, 400, 'invalid-field'],
    ['a title that is no string', '{"creator":"a","title":{}}', {}, 400, 'invalid-field'],
    ['a claim that is no truth value', '{"creator":"a","claim":"yes"}', {}, 400, 'invalid-field'],
    ['an array', '[]', {}, 400, 'invalid-field'],
    ['no JSON', '{creator', {}, 400, 'invalid-json'],
    ['not a number', '{"creator":NaN}', {}, 400, 'invalid-json'],
    ['brackets without end', '['.repeat(10_000), {}, 400, 'invalid-json'],
    ['another type', '{"creator":"a"}', { 'content-type': 'text/html' }, 415, 'unsupported-format'],
    [
      'a form',
      'creator=a',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'unsupported-format',
    ],
    [
      'another charset',
      '{"creator":"a"}',
      { 'content-type': 'application/json;charset=utf-16' },
      415,
      'unsupported-format',
    ],
    ['a compressed body', '{"creator":"a"}', { 'content-encoding': 'gzip' }, 415, 'unsupported-format'],
    ['64 KiB and one byte', JSON.stringify({ creator: 'a' }).padEnd(65_537), {}, 413, 'too-large'],
  ])('is refused for %s', async (_what, body, headers, status, code) => {
    const answer = await http.ask('/stream/v/start', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    expect([answer.status, answer.json['code']]).toEqual([status, code]);
    expect(http.registry.get('v')).toBeUndefined();
  });

  it('is not fooled by members that reach for the prototype', async () => {
    const body = '{"__proto__":{"creator":"eve","admin":1},"constructor":{"prototype":{"admin":1}}}';
    const answer = await http.ask('/stream/v/start', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(201);
    expect(http.vibe().creator).toBeUndefined();
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    for (const vibeId of ['constructor', 'toString', 'hasOwnProperty'])
      expect((await http.ask(`/stream/${vibeId}`)).status).toBe(404);
    expect((await http.ask('/stream/__proto__')).status).toBe(400);
  });

  it('refuses a body that is not UTF-8', async () => {
    const body = Buffer.from([...Buffer.from('{"creator":"'), 0xff, ...Buffer.from('"}')]);
    const answer = await http.ask('/stream/v/start', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid-json']);
  });
});

describe('ending a vibe', () => {
  it('plays out what is buffered, and answers at once', async () => {
    await http.post('/stream/v/audio?creator=ann', AUDIO);
    const { status, json } = await http.ask('/stream/v/end', { json: {} });
    expect([status, json['success'], json['state']]).toEqual([200, true, 'ending']);
    expect((await http.ask('/stream/v/end', { json: {} })).status).toBe(200);
    expect((await http.playedOut()).subarray(0, AUDIO.length)).toEqual(AUDIO);
    const after = await http.ask('/stream/v');
    expect([after.status, after.json['state'], after.json['isStreaming']]).toEqual([200, 'ended', false]);
    expect((await http.ask('/streams/active')).json['totalStreams']).toBe(0);
  });

  it('throws away what is buffered with drain: false', async () => {
    await http.post('/stream/v/audio', AUDIO);
    const { json } = await http.passTimeUntil(http.ask('/stream/v/end', { json: { drain: false } }));
    expect(json['state']).toBe('ended');
    expect(http.house.encoder.bytes).toHaveLength(0);
  });

  it('needs no body, but the right creator where one is named', async () => {
    await http.ask('/stream/v/start', { json: { creator: 'ann' } });
    const wrong = await http.ask('/stream/v/end', { json: { creator: 'bob' } });
    expect([wrong.status, wrong.json['code']]).toEqual([403, 'wrong-creator']);
    expect((await http.request('/stream/v/end', { method: 'POST' })).status).toBe(200);
  });

  it('needs the owner key of a claimed vibe', async () => {
    const { json } = await http.ask('/stream/v/start', { json: { creator: 'ann', claim: true } });
    const bare = await http.ask('/stream/v/end', { json: { creator: 'ann' } });
    expect([bare.status, bare.json['code']]).toEqual([401, 'unauthorized']);
    const headers = { authorization: `Bearer ${String(json['ownerKey'])}` };
    expect((await http.ask('/stream/v/end', { json: {}, headers })).status).toBe(200);
  });

  it('is refused for an unknown vibe', async () => {
    const { status, json } = await http.ask('/stream/v/end', { json: {} });
    expect([status, json['code']]).toEqual([404, 'vibe-not-found']);
  });
});

describe('looking at vibes', () => {
  it('lists the active ones', async () => {
    await http.ask('/stream/a/start', { json: { creator: 'ann', network: 'metis', title: '<script>' } });
    await http.post('/stream/b/audio', AUDIO);
    http.house.mediaServer.setPlayers('b', 3);
    const { status, json } = await http.ask('/streams/active');
    expect(status).toBe(200);
    expect(json).toEqual({
      activeStreams: [
        {
          vibeId: 'a',
          creator: 'ann',
          participantCount: 0,
          listeners: 0,
          startedAt: expect.any(Number),
          isStreaming: false,
          state: 'starting',
          network: 'metis',
          visibility: 'public',
          title: '<script>',
          bufferedMs: 0,
          signal: 'filling',
          encoder: expect.any(Object),
        },
        expect.objectContaining({
          vibeId: 'b',
          creator: null,
          listeners: 3,
          state: 'buffering',
          bufferedMs: 100,
        }),
      ],
      totalStreams: 2,
      timestamp: http.house.clock.epochMs(),
    });
  });

  it('shows everything about one', async () => {
    await http.post('/stream/v/audio', AUDIO);
    const { status, json } = await http.ask('/stream/v');
    expect(status).toBe(200);
    expect(json).toMatchObject({
      success: true,
      vibeId: 'v',
      format: { sampleFormat: 's16le', sampleRate: 48_000, channels: 2 },
      streamingUrl: 'http://media.test:8080/live/v.flv',
      listenUrl: 'http://relay.test/listen/v',
    });
    expect((await http.ask('/stream/w')).status).toBe(404);
  });

  it('answers the original system’s players', async () => {
    await http.ask('/stream/v/start', { json: { creator: 'ann', network: 'metis' } });
    const { status, json } = await http.ask('/vibestream/v');
    expect(status).toBe(200);
    expect(json).toMatchObject({
      success: true,
      rtaId: 'v',
      creator: 'ann',
      network: 'metis',
      isStreaming: false,
      participantCount: 0,
      startedAt: expect.any(Number),
      streamingUrl: 'http://media.test:8080/live/v.flv',
      hlsUrl: 'http://media.test:8080/live/v.m3u8',
      joinUrl: 'http://relay.test/stream/v/join',
    });
    expect((await http.ask('/vibestream/w')).status).toBe(404);
    expect((await http.ask('/vibestream/a.b')).json['code']).toBe('invalid-vibe-id');
  });
});
