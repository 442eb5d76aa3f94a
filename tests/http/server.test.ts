import nodeHttp from 'node:http';
import { OperatorError } from '../../src/base/errors';
import { createHttpServer } from '../../src/http/server';
import { eventually } from '../helpers/eventually';
import { HttpHouse } from '../helpers/http-house';
import { RawConnection } from '../helpers/raw-http';

const MEGABYTE = 1024 * 1024;

let http: HttpHouse;
let opened: RawConnection[];
beforeEach(async () => {
  opened = [];
  http = await HttpHouse.open();
});
afterEach(async () => {
  for (const connection of opened) connection.destroy();
  await http.close();
});

async function raw(text: string | Buffer): Promise<RawConnection> {
  const connection = await RawConnection.open(http.port);
  opened.push(connection);
  connection.send(text);
  return connection;
}

describe('every answer', () => {
  it('has a request id: the client’s own where it is sane, else a new one', async () => {
    const own = await http.request('/health', { headers: { 'x-request-id': 'abc-1.2:3' } });
    expect(own.headers['x-request-id']).toBe('abc-1.2:3');
    for (const id of ['a b', '<script>', 'x'.repeat(129)]) {
      const answer = await http.request('/health', { headers: { 'x-request-id': id } });
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('is not stored, says nothing of what made it, and has the security headers', async () => {
    const { headers } = await http.request('/health');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['cross-origin-resource-policy']).toBe('cross-origin');
    expect(headers['strict-transport-security']).toBeUndefined();
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("media-src 'self' blob: http://media.test:8080");
    expect(policy).toContain("connect-src 'self' ws://relay.test http://media.test:8080");
    expect(policy).not.toContain('upgrade-insecure-requests');
  });

  it('is open to pages of all origins by default', async () => {
    const { headers } = await http.request('/health', { headers: { origin: 'https://app.test' } });
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    expect(headers['access-control-expose-headers']).toContain('X-Request-Id');
    const preflight = await http.request('/stream/v/audio', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.test',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-creator,x-sequence,content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-headers']).toBe('x-creator,x-sequence,content-type');
  });

  it('is open to the pages of exact origins only, where they are named', async () => {
    await http.close();
    http = await HttpHouse.open({ corsOrigins: ['https://app.test'] });
    const allowed = await http.request('/health', { headers: { origin: 'https://app.test' } });
    expect(allowed.headers['access-control-allow-origin']).toBe('https://app.test');
    expect(allowed.headers.vary).toContain('Origin');
    for (const origin of ['https://app.test.evil.test', 'null', 'http://app.test']) {
      const { headers } = await http.request('/health', { headers: { origin } });
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers.vary).toContain('Origin');
    }
  });

  it('is counted by route and status, never by vibe', async () => {
    await http.request('/stream/vibe-number-one');
    await http.request('/stream/two');
    await http.request('/nothing/here');
    // They are counted when they are over, which may be after their answer has come.
    const text = await eventually('all are counted', async () => {
      const said = (await http.request('/metrics')).body.toString();
      const isThere =
        said.includes('vibesflow_http_requests_total{route="/stream/:vibeId",status="404"} 2') &&
        said.includes('vibesflow_http_requests_total{route="other",status="404"} 1');
      return isThere && said;
    });
    expect(text).toContain('vibesflow_problems_total{code="vibe-not-found"} 2');
    expect(text).toContain('vibesflow_problems_total{code="not-found"} 1');
    expect(text).not.toContain('vibe-number-one');
  });
});

describe('a problem', () => {
  it('is a document of RFC 9457, with the original system’s error string', async () => {
    const { status, headers, json } = await http.ask('/stream/v?token=secret', {
      headers: { 'x-request-id': 'r1' },
    });
    expect(status).toBe(404);
    expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(json).toEqual({
      type: 'urn:vibesflow:problem:vibe-not-found',
      title: 'No such vibe',
      status: 404,
      detail: 'There is no vibe v.',
      instance: '/stream/v',
      code: 'vibe-not-found',
      requestId: 'r1',
      error: 'There is no vibe v.',
    });
  });

  it('of our own making says nothing but its id', async () => {
    jest.spyOn(http.registry, 'active').mockImplementation(() => {
      throw new Error('the secret is 42');
    });
    const { status, json } = await http.ask('/streams/active');
    expect([status, json['code']]).toEqual([500, 'internal-error']);
    expect(JSON.stringify(json)).not.toMatch(/secret|at .*\.ts/);
    jest.restoreAllMocks();
  });

  it.each([
    ['/stream/..%2f..%2fetc', 400, 'invalid-vibe-id'],
    ['/stream/%2e%2e', 400, 'invalid-vibe-id'],
    ['/stream/a/../../b', 404, 'not-found'],
    ['/stream/a%00b', 400, 'invalid-vibe-id'],
    ['/stream/-report', 400, 'invalid-vibe-id'],
    ['/stream/_x', 400, 'invalid-vibe-id'],
    ['/stream/a|[f=adts]', 400, 'invalid-vibe-id'],
    ['/stream/a%3Fvhost%3Devil', 400, 'invalid-vibe-id'],
    ['/stream/a...vhost...b', 400, 'invalid-vibe-id'],
    ['/stream/a%20live=1', 400, 'invalid-vibe-id'],
    ['/stream/a%0d%0aSet-Cookie:x', 400, 'invalid-vibe-id'],
    [`/stream/${'x'.repeat(129)}`, 400, 'invalid-vibe-id'],
    ['/stream/%zz', 400, 'bad-request'],
    ['/stream/%', 400, 'bad-request'],
    ['/stream/a;b', 400, 'invalid-vibe-id'],
    ['/stream/$(id)', 400, 'invalid-vibe-id'],
    ['/stream/`id`', 400, 'invalid-vibe-id'],
    ['/stream/v.flv', 400, 'invalid-vibe-id'],
    ['/stream/v/', 404, 'not-found'],
    ['/Stream/v', 404, 'not-found'],
    ['http://evil.test/health', 400, 'bad-request'],
    ['/assets/../package.json', 404, 'not-found'],
    ['/assets/..%2f..%2fpackage.json', 404, 'not-found'],
    ['/assets/%zz', 404, 'not-found'],
  ])('answers GET %s with %i %s', async (path, status, code) => {
    const connection = await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const received = await connection.closed;
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*"code":"${code}"`));
    expect(received).not.toMatch(/^set-cookie/im);
  });

  it.each([
    ['PUT', '/stream/v/audio', 'GET, HEAD, POST'],
    ['DELETE', '/stream/v/start', 'POST'],
    ['GET', '/stream/v/end', 'POST'],
    ['POST', '/streams/active', 'GET, HEAD'],
    ['POST', '/health', 'GET, HEAD'],
    ['TRACE', '/health', 'GET, HEAD'],
    ['DELETE', '/api/v1/streams/', 'GET, HEAD'],
  ])('answers %s %s with what is allowed', async (method, path, allow) => {
    const connection = await raw(`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const received = await connection.closed;
    expect(received).toMatch(/^HTTP\/1\.1 405 [^]*"code":"method-not-allowed"/);
    expect(received).toContain(`Allow: ${allow}\r\n`);
  });

  it.each([
    [
      'length and chunks at once',
      'POST /stream/v/audio HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'an unknown coding',
      'POST /stream/v/audio HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a folded header', 'GET /health HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n', 400],
    ['two hosts', 'GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 400],
    ['no host', 'GET /health HTTP/1.1\r\n\r\n', 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a TLS hello', Buffer.from('160301020001', 'hex'), 400],
    ['headers without end', `GET /health HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'a broken chunk',
      'POST /stream/v/audio HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      400,
    ],
    ['another expectation', 'GET /health HTTP/1.1\r\nHost: x\r\nExpect: x\r\nConnection: close\r\n\r\n', 417],
  ])('answers %s with a problem', async (_what, request, status) => {
    const connection = await raw(request);
    const received = await connection.closed;
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(received).toMatch(
      /^Content-Type: application\/problem\+json; charset=utf-8\r\n[^]*"requestId":"[0-9a-f-]{36}"/m,
    );
    expect((await http.request('/health')).status).toBe(200);
  });

  it.each([
    ['the client asked to close', 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['the answer said that it closes', 'GET /health HTTP/1.1\r\n\r\n'],
    ['both did', 'GET /health HTTP/1.1\r\nHost: x\r\nExpect: x\r\nConnection: close\r\n\r\n'],
  ])('is not said after the last answer, where %s', async (_what, last) => {
    const connection = await raw(`${last}hello\r\n\r\n`);
    const received = await connection.closed;
    expect(received).toMatch(/Connection: close/);
    expect(received.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it('is said once: what follows a refused body and is no HTTP gets no answer of its own', async () => {
    const connection = await raw(
      'POST /stream/v/audio?format=mp3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcdefgh\r\n',
    );
    const received = await connection.closed;
    expect(received.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(received).toMatch(/^HTTP\/1\.1 415 [^]*\}$/);
  });

  const AUDIO = 'POST /stream/v/audio HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd';
  const TORN = 'POST /stream/w/audio HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n';
  it.each([
    [
      'no HTTP, behind a request that is answered at once',
      'GET /health HTTP/1.1\r\nHost: x\r\n\r\nhello',
      200,
    ],
    ['no HTTP, behind audio', `${AUDIO}hello`, 202],
    ['a broken body, behind audio', `${AUDIO}${TORN}`, 202],
    ['no HTTP, behind two requests', `${AUDIO}${AUDIO}hello`, 202],
  ])('is said when its turn comes: %s', async (_what, requests, status) => {
    const connection = await raw(`${requests}\r\n\r\n`);
    // What is behind it still comes.
    connection.send('more of it');
    const received = await connection.closed;
    const answered = [...received.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, said]) => Number(said));
    const before = requests.split(AUDIO).length > 2 ? [status, status] : [status];
    expect(answered).toEqual([...before, 400]);
    expect(received).toMatch(/"code":"bad-request"[^]*\}$/);
  });

  it('is not said behind the last answer of a connection', async () => {
    const connection = await raw(`${AUDIO.replace('Host: x', 'Host: x\r\nConnection: close')}hello\r\n\r\n`);
    expect((await connection.closed).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 202']);
  });

  it('reaches a client that sends first and reads later', async () => {
    const body = Buffer.alloc(6 * MEGABYTE);
    const { status, headers, json } = await http.post('/stream/v/audio?format=mp3', body);
    expect([status, json['code'], headers.connection]).toEqual([415, 'unsupported-format', 'close']);
    const text = await fetch(`${http.url}/stream/v/audio?format=mp3`, { method: 'POST', body });
    expect(text.status).toBe(415);
  });

  it('does not wait for the end of a body that never ends', async () => {
    const connection = await raw(
      'POST /stream/v/audio?format=mp3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    await connection.until(/415 [^]*\}$/);
    http.house.clock.advance(3_000);
    await connection.closed;
  });
});

describe('a client that asks before it sends its body', () => {
  const head = (query: string) =>
    `POST /stream/v/audio${query} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`;

  it('is told to go on', async () => {
    const connection = await raw(head(''));
    await connection.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    connection.send(Buffer.alloc(4));
    await connection.until(/202 Accepted/);
  });

  it('is refused without sending it', async () => {
    const connection = await raw(head('?channels=99'));
    const received = await connection.closed;
    expect(received).toMatch(/^HTTP\/1\.1 415 [^]*Connection: close/);
    expect(received).not.toContain('100 Continue');
  });

  it('may also ask at a control door', async () => {
    const connection = await raw(
      'POST /stream/v/start HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\nExpect: 100-continue\r\n\r\n',
    );
    await connection.until(/100 Continue/);
    connection.send('{"creator":"ann"}');
    await connection.until(/201 Created/);
  });
});

describe('the listener', () => {
  it('gives a control body fifteen seconds', async () => {
    const connection = await raw(
      'POST /stream/v/start HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n\r\n{"cre',
    );
    await eventually('waiting', () => http.house.clock.pendingTimers > 2);
    http.house.clock.advance(14_000);
    connection.send('a');
    http.house.clock.advance(1_100);
    await connection.until(/^HTTP\/1\.1 408 [^]*"code":"request-timeout"/);
  });

  it('makes no fuss of a client that goes away in the middle of a control body', async () => {
    const error = jest.spyOn(http.house.logger, 'error');
    const connection = await raw(
      'POST /stream/v/start HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n\r\n{"cre',
    );
    await eventually('waiting', () => http.house.clock.pendingTimers > 2);
    connection.destroy();
    const metrics = await eventually('counted', async () => {
      const text = (await http.request('/metrics')).body.toString();
      return /requests_total\{route="\/stream\/:vibeId\/start",status="aborted"\} 1/.test(text) && text;
    });
    expect(metrics).toContain('vibesflow_problems_total{code="internal-error"} 0');
    expect(error).not.toHaveBeenCalled();
  });

  it('answers a thousand requests on one connection in turn', async () => {
    const connection = await raw('GET /health HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000));
    await eventually('answered', () => connection.received.split('HTTP/1.1 200').length === 1_001);
  });

  it('says in one line that its port is taken', async () => {
    const config = { ...http.config, port: http.port };
    const second = createHttpServer({
      config,
      registry: http.registry,
      doorkeeper: { admit: () => undefined },
      mediaServerHealth: () => http.house.mediaServer.health,
      journalFault: () => undefined,
      hooks: http.hooks,
      clock: http.house.clock,
      logger: http.house.logger,
      metrics: http.house.metrics,
      version: '1',
    });
    const error = await second.listen().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(OperatorError);
    expect(error).toMatchObject({ exitCode: 69, message: expect.stringContaining(`127.0.0.1:${http.port}`) });
    await second.close();
  });

  it('closes: refuses streams under way, cuts nobody’s answer, frees its port; twice is once', async () => {
    const stream = await raw(
      'POST /stream/v/audio HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\0\0\0\0\r\n',
    );
    await eventually('taken', () => http.registry.get('v'));
    const agent = new nodeHttp.Agent({ keepAlive: true });
    await http.request('/health', { agent });
    const closing = [http.server.close(), http.server.close()];
    await stream.until(/^HTTP\/1\.1 503 [^]*"code":"draining"/);
    await http.passTimeUntil(Promise.all(closing));
    await expect(http.request('/health')).rejects.toThrow('ECONNREFUSED');
    agent.destroy();
  });
});
