import { EchoUpstream } from '../helpers/echo-upstream';
import { eventually } from '../helpers/eventually';
import { freePort } from '../helpers/free-port';
import { httpRequest, type HttpAnswer } from '../helpers/http-request';
import { Nginx } from '../helpers/nginx';
import { NGINX_NEEDS } from '../helpers/nginx-house';
import { describeWith } from '../helpers/system-program';
import { trust, webRequest } from '../helpers/web';

function problemOf(answer: HttpAnswer): unknown {
  expect(answer.headers['content-type']).toBe('application/problem+json');
  return JSON.parse(answer.body.toString());
}

describeWith(NGINX_NEEDS)('what nginx passes on to the daemon and to the media server', () => {
  let upstream: EchoUpstream;
  let nginx: Nginx;
  beforeAll(async () => {
    upstream = await EchoUpstream.start();
    nginx = await Nginx.start(
      { apiUrl: upstream.url, mediaUrl: upstream.url },
      { maxCreators: 3, maxListeners: 4 },
    );
    trust(nginx.ca);
  }, 30_000);
  afterEach(() => {
    upstream.answer = (_req, res) => void res.end();
  });
  afterAll(async () => {
    trust(undefined);
    await nginx?.stop();
    await upstream?.close();
  });

  describe('addresses', () => {
    const forged = {
      'x-forwarded-for': '6.6.6.6',
      'x-real-ip': '6.6.6.6',
      'x-forwarded-proto': 'gopher',
      'x-forwarded-host': 'evil.example',
      forwarded: 'for=6.6.6.6',
    };

    it.each([
      '/stream/a',
      '/stream/a/audio',
      '/stream/a/events',
      '/live/a.flv',
      '/assets/a.js',
      '/api/v1/versions',
      '/',
    ])('are said anew at %s, whatever the client said of itself', async (where) => {
      await httpRequest(`${nginx.url}${where}`, { headers: forged });
      const { headers } = upstream.requests.at(-1) as { headers: Record<string, unknown> };
      expect(headers).toMatchObject({
        host: 'localhost',
        'x-forwarded-for': '127.0.0.1',
        'x-real-ip': '127.0.0.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'localhost',
      });
      expect(headers['forwarded']).toBeUndefined();
      expect(JSON.stringify(headers)).not.toContain('6.6.6.6');
    });
  });

  describe('media', () => {
    it('has each CORS header once, also where SRS says its own, which has more', async () => {
      upstream.answer = (_req, res) => {
        res.writeHead(200, {
          server: 'SRS/7.0.18',
          'access-control-allow-origin': '*',
          'access-control-allow-methods': '*',
          'access-control-allow-headers': '*',
          'access-control-expose-headers': '*',
          'access-control-allow-credentials': 'false',
          'access-control-request-private-network': 'true',
          'content-type': 'video/x-flv',
        });
        res.end('FLV');
      };
      const { headers } = await httpRequest(`${nginx.url}/live/a.flv`, {
        headers: { origin: 'https://a.example' },
      });
      expect(Object.entries(headers).filter(([name]) => name.startsWith('access-control-'))).toEqual([
        ['access-control-allow-origin', '*'],
        ['access-control-allow-methods', 'GET, HEAD, OPTIONS'],
        ['access-control-allow-headers', '*'],
        ['access-control-expose-headers', 'Content-Length, Date, Retry-After'],
        ['access-control-max-age', '86400'],
      ]);
      expect(headers.server).toBe('nginx');
      expect(headers['content-type']).toBe('video/x-flv');
    });

    it('passes byte by byte: nothing waits for more', async () => {
      let finish = (): void => undefined;
      upstream.answer = (_req, res) => {
        res.writeHead(200, { 'content-type': 'video/x-flv' });
        res.write('F');
        finish = () => void res.end('LV');
      };
      const heard = await new Promise<string>((resolve, reject) => {
        let text = '';
        const request = webRequest(`${nginx.url}/live/a.flv`, { agent: false }, (answer) => {
          answer.on('data', (bytes: Buffer) => {
            if (text === '') finish();
            text += bytes.toString();
          });
          answer.once('end', () => resolve(text));
        });
        request.once('error', reject);
        request.end();
      });
      expect(heard).toBe('FLV');
    });

    it('is not left by a path that climbs', async () => {
      const before = upstream.requests.length;
      for (const where of ['/live/../metrics', '/live/..%2fmetrics', '/live/%2e%2e/hooks/on_publish'])
        expect((await httpRequest(`${nginx.url}${where}`)).status).toBe(404);
      expect(upstream.requests.length).toBe(before);
    });
  });

  describe('bodies', () => {
    it('of the audio door pass as they come, and the answer before their end, too', async () => {
      let received = '';
      upstream.answer = (req, res) => {
        req.once('data', (bytes: Buffer) => {
          received = bytes.toString();
          res.writeHead(409, { 'content-type': 'application/problem+json', connection: 'close' });
          res.end('{"code":"creator-conflict"}');
        });
      };
      const answer = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
        const request = webRequest(
          `${nginx.url}/stream/a/audio`,
          { method: 'POST', agent: false },
          (incoming) => {
            void incoming.toArray().then((parts: Buffer[]) => {
              resolve({ status: incoming.statusCode, text: Buffer.concat(parts).toString() });
              request.destroy();
            });
          },
        );
        request.once('error', reject);
        // And no end: a creator goes on for hours.
        request.write('first');
      });
      expect(received).toBe('first');
      expect(answer).toEqual({ status: 409, text: '{"code":"creator-conflict"}' });
    });
  });

  describe('upgrades', () => {
    it('to WebSockets are passed on', async () => {
      const answered = await new Promise<number>((resolve, reject) => {
        const request = webRequest(`${nginx.url}/stream/a/events`, {
          agent: false,
          headers: { connection: 'Upgrade', upgrade: 'WebSocket' },
        });
        request.once('upgrade', (answer, socket) => {
          socket.destroy();
          resolve(answer.statusCode ?? 0);
        });
        request.once('error', reject);
        request.end();
      });
      expect(answered).toBe(101);
      expect(upstream.requests.at(-1)?.headers).toMatchObject({
        upgrade: 'websocket',
        connection: 'upgrade',
      });
    });

    it('to HTTP/2 in the clear, which Java asks for, are not', async () => {
      await httpRequest(`${nginx.url}/stream/a`, {
        headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' },
      });
      expect(upstream.requests.at(-1)?.headers.upgrade).toBeUndefined();
    });
  });

  describe('when something fails', () => {
    it('a POST is sent once, and its fate told as a problem', async () => {
      upstream.answer = (req) => void req.socket.destroy();
      const before = upstream.requests.length;
      const answer = await httpRequest(`${nginx.url}/stream/a/audio?sequence=1&token=abc`, {
        method: 'POST',
        body: Buffer.alloc(1_000),
      });
      expect(answer.status).toBe(502);
      expect(problemOf(answer)).toMatchObject({
        type: 'urn:vibesflow:problem:relay-unreachable',
        status: 502,
        code: 'relay-unreachable',
        instance: '/stream/a/audio',
        requestId: answer.headers['x-request-id'],
      });
      expect(answer.headers['retry-after']).toBe('2');
      expect(answer.headers['access-control-allow-origin']).toBe('*');
      expect(upstream.requests.length - before).toBe(1);
    });

    it.each([413, 429, 502, 503, 504])('the daemon’s own %d passes as it is', async (status) => {
      upstream.answer = (_req, res) => {
        res.writeHead(status, {
          'content-type': 'application/problem+json; charset=utf-8',
          'retry-after': '7',
          'access-control-allow-origin': 'https://app.example',
        });
        res.end('{"code":"its-own"}');
      };
      const answer = await httpRequest(`${nginx.url}/stream/a/start`, { method: 'POST', body: '{}' });
      expect(answer.status).toBe(status);
      expect(answer.body.toString()).toBe('{"code":"its-own"}');
      expect(answer.headers['retry-after']).toBe('7');
      expect(answer.headers['access-control-allow-origin']).toBe('https://app.example');
    });

    it('a control body of more than 1 MB is refused by nginx itself, in the same words', async () => {
      const before = upstream.requests.length;
      const answer = await httpRequest(`${nginx.url}/stream/a/start`, {
        method: 'POST',
        body: Buffer.alloc(1_100_000),
      });
      expect(answer.status).toBe(413);
      expect(problemOf(answer)).toMatchObject({ code: 'too-large', status: 413 });
      expect(upstream.requests.length).toBe(before);
    });

    it('headers and addresses without end are refused', async () => {
      const before = upstream.requests.length;
      const headers = { 'x-long': 'x'.repeat(20_000) };
      expect((await httpRequest(`${nginx.url}/stream/a`, { headers })).status).toBe(400);
      expect((await httpRequest(`${nginx.url}/stream/${'a'.repeat(20_000)}`)).status).toBe(414);
      expect(upstream.requests.length).toBe(before);
    });
  });

  describe('limits', () => {
    /** Opens requests that stay, one after the other, until one is answered; gives how many stayed, and that answer. */
    async function fill(where: string, most: number): Promise<{ open: number; refusal: HttpAnswer }> {
      const before = upstream.requests.length;
      const held: ReturnType<typeof webRequest>[] = [];
      try {
        for (let open = 0; open <= most; open += 1) {
          const request = webRequest(`${nginx.url}${where}`, { agent: false, method: 'GET' });
          const answered = new Promise<HttpAnswer>((resolve) => {
            request.once('response', (answer) => {
              void answer.toArray().then((parts: Buffer[]) =>
                resolve({
                  status: answer.statusCode ?? 0,
                  headers: answer.headers,
                  body: Buffer.concat(parts),
                }),
              );
            });
          });
          request.on('error', () => undefined);
          request.end();
          held.push(request);
          const arrived = eventually('it is held', () => upstream.requests.length > before + open);
          arrived.catch(() => undefined);
          const refusal = await Promise.race([answered, arrived.then(() => undefined)]);
          if (refusal) return { open, refusal };
        }
        throw new Error(`${most + 1} were open at once`);
      } finally {
        for (const request of held) request.destroy();
        await eventually(
          'all have gone',
          () => upstream.connections === 0 || held.every((one) => one.destroyed),
        );
      }
    }

    it.each([
      ['creators', '/stream/a/audio', 3],
      ['listeners', '/live/a.flv', 4],
    ])('%s of one address get so many connections, and then 429', async (_who, where, limit) => {
      upstream.answer = () => undefined;
      const { open, refusal } = await fill(where, 10);
      expect(open).toBe(limit);
      expect(refusal.status).toBe(429);
      expect(refusal.headers['retry-after']).toBe('1');
      expect(problemOf(refusal)).toMatchObject({ code: 'too-many-requests' });
    });

    it('listeners and watchers of events share theirs', async () => {
      upstream.answer = () => undefined;
      await eventually('the earlier ones have left', () => upstream.connections === 0);
      const { open } = await fill('/stream/a/events', 10);
      expect(open).toBe(4);
    });

    it('let a burst of control requests through, and not a flood, whatever addresses are forged', async () => {
      let passed = 0;
      let refused = 0;
      // Faster than 50 a second, on any machine; the first refusal is enough.
      for (let round = 0; round < 30 && refused === 0; round += 1) {
        const statuses = await Promise.all(
          Array.from({ length: 100 }, async (_, index) => {
            const headers = { 'x-forwarded-for': `10.0.${round}.${index}` };
            const url = `${nginx.url}/stream/a/join`;
            return (await httpRequest(url, { method: 'POST', body: '{}', headers, withinMs: 30_000 })).status;
          }),
        );
        passed += statuses.filter((status) => status === 200).length;
        refused += statuses.filter((status) => status === 429).length;
        expect(passed + refused).toBe((round + 1) * 100);
      }
      expect(passed).toBeGreaterThanOrEqual(200);
      expect(refused).toBeGreaterThan(0);
    });
  });
});

describeWith(NGINX_NEEDS)('nginx without a relay behind it', () => {
  let nginx: Nginx;
  beforeAll(async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    nginx = await Nginx.start({ apiUrl: nobody, mediaUrl: nobody });
    trust(nginx.ca);
  }, 30_000);
  afterAll(async () => {
    trust(undefined);
    await nginx?.stop();
  });

  it.each([
    ['GET', '/'],
    ['GET', '/health'],
    ['POST', '/stream/a/start'],
    ['POST', '/stream/a/audio'],
    ['GET', '/live/a.flv'],
    ['GET', '/live/a.m3u8'],
  ])('answers %s %s with 502 and a problem that pages may read', async (method, where) => {
    const answer = await httpRequest(`${nginx.url}${where}`, {
      method,
      body: method === 'POST' ? Buffer.alloc(100_000) : undefined,
    });
    expect(answer.status).toBe(502);
    // SRS closes the connection where nothing is on air, too.
    const title = where.startsWith('/live/')
      ? 'Nothing is on air here, or the media server cannot be reached'
      : 'The relay cannot be reached';
    expect(problemOf(answer)).toMatchObject({ code: 'relay-unreachable', title, instance: where });
    expect(answer.headers['strict-transport-security']).toBe('max-age=63072000');
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['retry-after']).toBe('2');
  });
});
