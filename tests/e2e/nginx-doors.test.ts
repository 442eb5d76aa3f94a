import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { httpRequest, jsonRequest, type HttpAnswer } from '../helpers/http-request';
import { type NginxHouse, NGINX_NEEDS, openNginxHouse } from '../helpers/nginx-house';
import { postPcm } from '../helpers/creators';
import { music } from '../helpers/music';
import { runProgram } from '../helpers/run-program';
import { describeWith } from '../helpers/system-program';
import { eventually } from '../helpers/eventually';

const HSTS = 'max-age=63072000';

/** How often a header came. Node joins what comes more than once with a comma, and none of these has one in it. */
function times(answer: HttpAnswer, name: string): number {
  const value = answer.headers[name];
  return value === undefined ? 0 : String(value).split(',').length;
}

describeWith(NGINX_NEEDS)('nginx in front of the relay', () => {
  let house: NginxHouse;
  let url: string;
  beforeAll(async () => {
    house = await openNginxHouse();
    url = house.nginx.url;
    await house.daemon.startVibe('on-air');
    await house.daemon.startVibe('taken', 'ana');
    const pcm = music(4, 3);
    await postPcm(house.nginx.target('on-air'), pcm, { chunkMs: 500, leadMs: Infinity });
  }, 60_000);
  afterAll(async () => {
    await house?.daemon.endVibe('on-air', { drain: false });
    await house?.daemon.endVibe('taken', { creator: 'ana', drain: false });
    await house?.close();
  }, 60_000);

  describe('over plain HTTP', () => {
    it('sends readers to HTTPS, with path and query', async () => {
      const answer = await httpRequest(`${house.nginx.plainUrl}/listen/on-air?from=mail`);
      expect(answer.status).toBe(301);
      expect(answer.headers.location).toBe(`${url}/listen/on-air?from=mail`);
      expect(answer.headers['strict-transport-security']).toBeUndefined();
    });

    it('sends a POST there as a POST, however long it says it is', async () => {
      const answer = await httpRequest(`${house.nginx.plainUrl}/stream/on-air/audio`, {
        method: 'POST',
        body: Buffer.alloc(3_000_000),
      });
      expect(answer.status).toBe(308);
      expect(answer.headers.location).toBe(`${url}/stream/on-air/audio`);
    });

    it('serves what a certificate authority asks for', async () => {
      const challenge = path.join(house.nginx.home, 'acme/.well-known/acme-challenge');
      writeFileSync(path.join(challenge, 'token-1'), 'proof');
      const found = await httpRequest(`${house.nginx.plainUrl}/.well-known/acme-challenge/token-1`);
      expect([found.status, found.body.toString()]).toEqual([200, 'proof']);
      const missing = await httpRequest(
        `${house.nginx.plainUrl}/.well-known/acme-challenge/../../../../tls.key`,
      );
      expect([301, 400, 404]).toContain(missing.status);
    });
  });

  describe('the headers', () => {
    const SINGLE = [
      'strict-transport-security',
      'x-content-type-options',
      'access-control-allow-origin',
      'cross-origin-resource-policy',
    ];

    it.each([
      ['a page', '/', 200],
      ['a script', '/assets/mpegts.js', 200],
      ['the API', '/streams/active', 200],
      ['a refusal of the API', '/stream/nobody', 404],
      ['a playlist', '/live/on-air.m3u8', 200],
      ['a refusal of the media server', '/live/_wrong.flv', 400],
    ])('of %s say HSTS, nosniff and CORS once each', async (_what, where, status) => {
      const answer = await httpRequest(`${url}${where}`, { headers: { origin: 'https://player.example' } });
      expect(answer.status).toBe(status);
      expect(SINGLE.map((name) => [name, times(answer, name)])).toEqual(SINGLE.map((name) => [name, 1]));
      expect(answer.headers['strict-transport-security']).toBe(HSTS);
      expect(answer.headers['access-control-allow-origin']).toBe('*');
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    });

    it.each([
      ['HTTP-FLV', 'HEAD', '/live/on-air.flv', 200],
      ['HLS', 'HEAD', '/live/on-air.m3u8', 200],
    ])('of %s let any page read it', async (_what, method, where, status) => {
      const answer = await httpRequest(`${url}${where}`, { method });
      expect(answer.status).toBe(status);
      for (const name of ['access-control-allow-origin', 'timing-allow-origin'])
        expect(times(answer, name)).toBe(1);
    });

    it('of what nginx refuses itself are as complete', async () => {
      const answer = await httpRequest(`${url}/hooks/on_publish`);
      for (const name of SINGLE.slice(0, 3)) expect([name, times(answer, name)]).toEqual([name, 1]);
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    });

    it('do not tell versions', async () => {
      for (const where of ['/', '/hooks', '/live/on-air.m3u8', '/live/nobody.ts']) {
        const { headers } = await httpRequest(`${url}${where}`);
        expect(headers.server).toBe('nginx');
        expect(headers['x-powered-by']).toBeUndefined();
      }
    });

    it('answer a page that asks first, once', async () => {
      const asks = { origin: 'https://player.example', 'access-control-request-method': 'POST' };
      for (const where of ['/stream/on-air/join', '/stream/on-air/audio', '/live/on-air.flv']) {
        const answer = await httpRequest(`${url}${where}`, { method: 'OPTIONS', headers: asks });
        expect([where, answer.status]).toEqual([where, 204]);
        expect(times(answer, 'access-control-allow-origin')).toBe(1);
      }
    });

    it('carry the client’s request id through, and make one where it has none', async () => {
      const own = await httpRequest(`${url}/health`, { headers: { 'x-request-id': 'mine-1' } });
      expect(own.headers['x-request-id']).toBe('mine-1');
      const made = await httpRequest(`${url}/health`, { headers: { 'x-request-id': 'no"good' } });
      expect(made.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    });

    it('compress scripts, and neither the API nor media', async () => {
      const asked = async (where: string): Promise<string | undefined> =>
        (await httpRequest(`${url}${where}`, { headers: { 'accept-encoding': 'gzip' } })).headers[
          'content-encoding'
        ];
      expect(await asked('/assets/mpegts.js')).toBe('gzip');
      expect(await asked('/')).toBeUndefined();
      expect(await asked('/openapi.json')).toBeUndefined();
      expect(await asked('/live/on-air.m3u8')).toBeUndefined();
    });
  });

  describe('requests for ranges', () => {
    it('without end do no harm', async () => {
      const range = `bytes=${Array.from({ length: 1_000 }, (_, at) => `${at}-${at}`).join(',')}`;
      for (const where of ['/live/on-air.m3u8', '/assets/mpegts.js']) {
        const { status, body } = await httpRequest(`${url}${where}`, { headers: { range } });
        expect([200, 206, 416]).toContain(status);
        expect(body.length).toBeLessThan(2_000_000);
      }
    });
  });

  describe('the closed routes', () => {
    it.each([
      ['/hooks'],
      ['/hooks/on_publish'],
      ['/hooks/0123456789abcdef/on_publish'],
      ['/Hooks/on_publish'],
      ['//hooks/on_publish'],
      ['/%68ooks/on_publish'],
      ['/hooks%2Fon_publish'],
      ['/streams/../hooks/on_publish'],
      ['/api/srs/publish'],
      ['/api/srs/0123456789abcdef/publish'],
      ['/metrics'],
      ['/metrics/'],
      ['/api/v1/clients/1'],
      ['/api/v1/clients'],
      ['/api/v1/vhosts?callback=steal'],
      ['/api/v1/raw?rpc=raw'],
      ['/api/v1/streams/vid-1234567'],
      ['/api/v1'],
      ['/console/'],
      ['/console/ng_index.html'],
      ['/players/srs_player.html'],
      ['/rtc/v1/play/'],
      ['/rtc/v1/publish/'],
      ['/rtc/v2/whip'],
    ])('%s is not there', async (where) => {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await httpRequest(`${url}${where}`, { method });
        expect([method, answer.status]).toEqual([method, 404]);
        expect(answer.headers['content-type']).toBe('application/problem+json');
        expect(JSON.parse(answer.body.toString())).toMatchObject({ status: 404, code: 'not-found' });
      }
    });

    it.each([
      ['/api/v1/versions'],
      ['/api/v1/summaries'],
      ['/api/v1/streams/'],
      ['/health'],
      ['/ready'],
      ['/'],
    ])('%s is open', async (where) => {
      expect((await httpRequest(`${url}${where}`)).status).toBe(200);
    });

    it('does not say a word of HTML where it refuses by itself', async () => {
      const answer = await httpRequest(`${url}/live/on-air.flv`, { method: 'DELETE' });
      expect(answer.status).toBe(405);
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        type: 'urn:vibesflow:problem:method-not-allowed',
        instance: '/live/on-air.flv',
        requestId: answer.headers['x-request-id'],
      });
    });

    it('writes no sign of a client’s own into that JSON', async () => {
      const connection = await rawTls(
        `GET /hooks/"},{" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      const [, body = ''] = connection.split('\r\n\r\n');
      expect(JSON.parse(body.replace(/^[0-9a-f]+\r\n|\r\n0$/g, ''))).toMatchObject({ code: 'not-found' });
    });
  });

  describe('other hosts', () => {
    it('get nothing of this one', async () => {
      const said = await rawTls(
        'GET /streams/active HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      );
      expect(said).toMatch(/^HTTP\/1\.1 421 /);
      expect(said).toContain('"code":"wrong-host"');
      expect(said).not.toContain('activeStreams');
    });
  });

  describe('the access log', () => {
    it('has a line for each request, without query, token or referer’s query', async () => {
      const secret = 'S3CRETS3CRETS3CRET';
      await httpRequest(`${url}/stream/on-air?token=${secret}`, {
        headers: {
          referer: `https://page.example/a?token=${secret}#${secret}`,
          authorization: `Bearer ${secret}`,
        },
      });
      await httpRequest(`${url}/hooks/${secret}/on_publish`);
      await httpRequest(`${url}//api//srs/${secret}/publish`);
      await httpRequest(`${house.nginx.plainUrl}/stream/on-air/audio?token=${secret}`);
      await expectRefused(`${url}/stream/taken/audio?token=${secret}&creator=eve`);
      await eventually('all are logged', () => house.nginx.accessLog.filter(isOfTest).length >= 4);
      const lines = house.nginx.accessLog;
      expect(lines).toContainEqual(
        expect.objectContaining({
          method: 'GET',
          path: '/stream/on-air',
          status: 200,
          referer: 'https://page.example/a',
          upstreamStatus: '200',
        }),
      );
      expect(lines).toContainEqual(expect.objectContaining({ path: '/hooks/-', status: 404 }));
      expect(lines).toContainEqual(
        expect.objectContaining({ method: 'POST', path: '/stream/taken/audio', status: 403 }),
      );
      expect(house.nginx.accessLogText).not.toContain(secret);
      expect(house.nginx.errorLog).not.toContain(secret);
    });

    it('has none for each chunk that was taken', () => {
      const chunks = house.nginx.accessLog.filter(
        ({ path: at, status }) => at === '/stream/on-air/audio' && status === 202,
      );
      expect(chunks).toEqual([]);
    });
  });

  describe('WebRTC’s doors', () => {
    it.each(['whip', 'whep'])('%s is the daemon’s', async (door) => {
      const answer = await httpRequest(`${url}/rtc/v1/${door}/?app=live&stream=on-air`, {
        method: 'POST',
        headers: { 'content-type': 'application/sdp' },
        body: 'v=0\r\n',
      });
      // Answered by the daemon, whether it can do WebRTC here or not, and not refused by nginx as a closed route.
      expect(answer.headers['content-security-policy']).toBeDefined();
    });
  });

  describe('pages', () => {
    it('name the public host: streams are on the same origin', async () => {
      const { json } = await jsonRequest(`${url}/stream/on-air`);
      expect(json['streamingUrl']).toBe('https://localhost/live/on-air.flv');
    });
  });

  async function expectRefused(where: string): Promise<void> {
    const answer = await httpRequest(where, {
      method: 'POST',
      headers: { 'content-type': 'audio/pcm' },
      body: Buffer.alloc(3_840),
    });
    expect(answer.status).toBe(403);
  }

  function isOfTest({ path: at }: Record<string, unknown>): boolean {
    return /^\/(hooks\/-|api\/+srs\/-|stream\/(on-air|taken)\b)/.test(String(at));
  }

  /** Sends bytes over TLS, as they are, and gives what comes back until the connection is closed. */
  async function rawTls(text: string): Promise<string> {
    const { stdout } = await runProgram(
      'openssl',
      [
        's_client',
        '-quiet',
        '-ign_eof',
        '-connect',
        `127.0.0.1:${house.nginx.httpsPort}`,
        '-servername',
        'localhost',
      ],
      { input: Buffer.from(text), withinMs: 15_000 },
    );
    return stdout.toString();
  }
});

describeWith(NGINX_NEEDS)('nginx in front of a relay that names its origins', () => {
  let house: NginxHouse;
  beforeAll(async () => {
    house = await openNginxHouse({ CORS_ORIGINS: 'https://app.example' });
  }, 60_000);
  afterAll(async () => house?.close(), 60_000);

  it.each([
    ['https://app.example', 'https://app.example'],
    ['https://app.example.evil.example', undefined],
    ['null', undefined],
  ])('a page of %s may read from the API: %s', async (origin, allowed) => {
    const answer = await httpRequest(`${house.nginx.url}/streams/active`, { headers: { origin } });
    expect(answer.headers['access-control-allow-origin']).toBe(allowed);
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    expect(answer.headers.vary).toContain('Origin');
  });

  it('promises no page its cookies', async () => {
    const answer = await httpRequest(`${house.nginx.url}/stream/a/start`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('the pages of the relay itself may open WebSockets, others may not', async () => {
    const open = async (origin: string): Promise<number> => {
      const result = await runProgram('curl', [
        ...[
          '-sS',
          '--http1.1',
          '--max-time',
          '5',
          '--cacert',
          house.nginx.caFile,
          '-o',
          '/dev/null',
          '-w',
          '%{http_code}',
        ],
        ...['-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket', '-H', 'Sec-WebSocket-Version: 13'],
        ...['-H', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', '-H', `Origin: ${origin}`],
        `${house.nginx.url}/stream/nobody/events`,
      ]);
      return Number(result.stdout.toString());
    };
    // The vibe does not exist, which is said on the open socket.
    expect(await open('https://localhost')).toBe(101);
    expect(await open('https://evil.example')).toBe(403);
  }, 30_000);
});
