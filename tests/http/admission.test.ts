import WebSocket from 'ws';
import { HttpHouse } from '../helpers/http-house';
import { handmadeToken, SECRET } from '../helpers/tokens';

let http: HttpHouse;
beforeEach(async () => {
  http = await HttpHouse.open({ authMode: 'token', authSecret: SECRET });
});
afterEach(() => http.close());

/** A token for the vibe `v` that is good for a minute, unless told otherwise. */
function token(role: string, change: Record<string, unknown> = {}): string {
  const nowS = Math.floor(http.house.clock.epochMs() / 1000);
  const claims = { sub: 'ann', aud: 'vibesflow', role, vibe: 'v', iat: nowS, exp: nowS + 60, ...change };
  return handmadeToken({ alg: 'HS256', typ: 'JWT' }, claims, SECRET);
}

const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` });
const start = (text: string, json: object = {}) =>
  http.ask('/stream/v/start', { json, headers: bearer(text) });
const PCM = Buffer.alloc(3_840);

/** What an upgrade comes to: 101, or the status and code of its refusal. */
async function upgrade(path: string, headers: Record<string, string> = {}): Promise<string> {
  const socket = new WebSocket(`${http.url.replace('http', 'ws')}${path}`, { headers });
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    socket.on('open', () => {
      resolve('101');
      socket.terminate();
    });
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (piece: Buffer) => (body += piece.toString()));
      response.on('end', () =>
        resolve(`${response.statusCode} ${(JSON.parse(body) as { code: string }).code}`),
      );
    });
  });
}

/** Every door but those that say how the relay is: method, path, and the least role that passes. */
const DOORS: [method: string, path: string, role: 'participant' | 'creator' | 'admin', body: string][] = [
  ['POST', '/stream/v/start', 'creator', '{}'],
  ['POST', '/stream/v/audio', 'creator', 'raw'],
  ['POST', '/stream/%76/audio', 'creator', 'raw'],
  ['POST', '/stream/v/end', 'creator', '{}'],
  ['POST', '/stream/v/join', 'participant', '{}'],
  ['POST', '/stream/v/leave', 'participant', '{}'],
  ['GET', '/stream/v', 'participant', ''],
  ['GET', '/vibestream/v', 'participant', ''],
  ['GET', '/streams/active', 'admin', ''],
  ['GET', '/metrics', 'admin', ''],
  ['GET', '/api/v1/versions', 'admin', ''],
  ['GET', '/api/v1/summaries', 'admin', ''],
  ['GET', '/api/v1/streams/', 'admin', ''],
];

describe.each(DOORS)('in token mode, %s %s', (method, path, role, body) => {
  const ask = async (headers: Record<string, string> = {}, url = path): Promise<string> => {
    const type = body === 'raw' ? 'audio/pcm' : 'application/json';
    const request =
      body === ''
        ? { method, headers }
        : {
            method,
            headers: { 'content-type': type, ...headers },
            body: body === 'raw' ? PCM : body,
          };
    const { status, headers: said, body: answer } = await http.request(url, request);
    if (status < 400) return 'passed';
    const { code } = JSON.parse(answer.toString()) as { code: string };
    return `${status} ${code}${said['www-authenticate'] === undefined ? '' : ` (${String(said['www-authenticate'])})`}`;
  };

  beforeEach(async () => {
    if (path !== '/stream/v/start') await start(token('creator'));
  });

  it('asks for a token', async () => {
    expect(await ask()).toBe('401 unauthorized (Bearer)');
    expect(await ask({ authorization: 'Basic YTpi' })).toBe('401 unauthorized (Bearer)');
    const owner = { authorization: 'Bearer 0123456789', 'x-creator': 'ann' };
    expect(await ask(owner)).toBe('401 invalid-token (Bearer error="invalid_token")');
    const late = token('admin', { exp: Math.floor(http.house.clock.epochMs() / 1000) - 60 });
    expect(await ask(bearer(late))).toBe('401 invalid-token (Bearer error="invalid_token")');
  });

  it('takes none from its URL', async () => {
    expect(await ask({}, `${path}?token=${token('admin')}`)).toBe('400 bad-request');
  });

  it(`lets ${role}s pass, and nobody less`, async () => {
    const ranks = ['participant', 'creator', 'admin'];
    for (const [rank, one] of ranks.entries()) {
      const expected = rank < ranks.indexOf(role) ? '403 forbidden' : 'passed';
      // Ends the vibe: it is there for the first only.
      if (expected === 'passed' && path === '/stream/v/end' && one === 'admin') continue;
      expect([one, await ask(bearer(token(one)))]).toEqual([one, expected]);
    }
  });

  it('is shut to tokens for other vibes', async () => {
    if (role === 'admin')
      return expect(await ask(bearer(token('creator', { vibe: '*' })))).toBe('403 forbidden');
    expect(await ask(bearer(token('creator', { vibe: 'w' })))).toBe('403 forbidden');
    expect(await ask(bearer(token('creator', { vibe: 'v*' })))).toBe('passed');
  });
});

describe('in token mode, WebSockets', () => {
  it.each([
    ['/stream/v/audio', 'creator', 'participant'],
    ['/stream/v/events', 'participant', undefined],
  ])('at %s are refused before the upgrade', async (path, role, less) => {
    await start(token('creator'));
    expect(await upgrade(path)).toBe('401 unauthorized');
    expect(await upgrade(path, bearer('x.y.z'))).toBe('401 invalid-token');
    expect(await upgrade(path, bearer(token(role, { vibe: 'w' })))).toBe('403 forbidden');
    if (less) expect(await upgrade(path, bearer(token(less)))).toBe('403 forbidden');
    expect(await upgrade(path, bearer(token(role)))).toBe('101');
  });

  it('may have a token in their URL, unless it lives for long', async () => {
    await start(token('creator'));
    const nowS = Math.floor(http.house.clock.epochMs() / 1000);
    const at = (text: string): Promise<string> => upgrade(`/stream/v/audio?token=${text}`);
    expect(await at(token('creator'))).toBe('101');
    expect(await at(token('creator', { exp: nowS + 86_400 }))).toBe('401 invalid-token');
    expect(await at(token('creator', { iat: undefined }))).toBe('401 invalid-token');
  });

  it('belong to the bearer, whatever their hello says', async () => {
    await start(token('creator', { sub: 'ann' }));
    const headers = bearer(token('creator', { sub: 'bob' }));
    const socket = new WebSocket(`${http.url.replace('http', 'ws')}/stream/v/audio`, { headers });
    const code = new Promise((resolve) => socket.once('close', resolve));
    socket.once('open', () => socket.send(JSON.stringify({ type: 'hello', creator: 'ann' })));
    expect(await code).toBe(4403);
  });
});

describe('in token mode, a vibe', () => {
  it('belongs to the subject that started it: nobody else sends to it, ends it or starts it again', async () => {
    expect((await start(token('creator'), { claim: true })).json).not.toHaveProperty('ownerKey');
    const bob = token('creator', { sub: 'bob' });
    const codes = [
      await start(bob, { creator: 'ann' }),
      await http.post('/stream/v/audio?creator=ann', PCM, bearer(bob)),
      await http.ask('/stream/v/end', { json: { creator: 'ann' }, headers: bearer(bob) }),
    ].map(({ status, json }) => `${status} ${String(json['code'])}`);
    expect(codes).toEqual(['409 creator-conflict', '403 wrong-creator', '403 wrong-creator']);
    const mine = await http.post('/stream/v/audio', PCM, bearer(token('creator')));
    expect(mine.status).toBe(202);
    const admin = bearer(token('admin', { sub: 'ops', vibe: undefined }));
    expect((await http.ask('/stream/v/end', { json: {}, headers: admin })).status).toBe(200);
  });

  it('has the subject for its creator, unless the app says another name', async () => {
    await http.post('/stream/v/audio', PCM, bearer(token('creator')));
    expect(http.vibe().creator).toBe('ann');
    await http.ask('/stream/w/start', {
      json: { creator: '0xabc' },
      headers: bearer(token('creator', { vibe: '*' })),
    });
    expect(http.vibe('w').creator).toBe('0xabc');
    const again = await http.post('/stream/w/audio', PCM, bearer(token('creator', { vibe: 'w' })));
    expect(again.status).toBe(202);
  });

  it('has participants of whom each gives back its own lease only', async () => {
    await start(token('creator'));
    const ask = async (path: string, sub: string, participantId: string): Promise<number> => {
      const headers = bearer(token('participant', { sub }));
      return (await http.ask(path, { json: { participantId }, headers })).status;
    };
    expect(await ask('/stream/v/join', 'ben', 'p')).toBe(200);
    expect(await ask('/stream/v/join', 'ben', 'p')).toBe(200);
    expect(await ask('/stream/v/join', 'eve', 'p')).toBe(403);
    expect(await ask('/stream/v/leave', 'eve', 'p')).toBe(403);
    expect(http.vibe().participants.count).toBe(1);
    expect(await ask('/stream/v/leave', 'ben', 'p')).toBe(200);
    expect(http.vibe().participants.count).toBe(0);
  });
});

describe('in token mode, anybody', () => {
  it.each(['/health', '/ready', '/', '/listen/v', '/assets/listen.js'])('may see %s', async (path) => {
    expect((await http.request(path)).status).toBe(200);
  });

  it('sees no token in an answer', async () => {
    const mine = token('participant');
    const { body } = await http.request('/streams/active', { headers: bearer(mine) });
    expect(body.toString()).not.toContain(mine.split('.')[2]);
  });
});
