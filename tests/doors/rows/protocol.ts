import type { Row } from '../row';
import { chunked, get, json, pcm, post, request, wire } from '../wire';

const BROKEN = { status: 400, code: 'bad-request' } as const;
/** nginx looks at requests more closely or less, and answers in HTML. */
const NGINX_400 = { status: 400 } as const;
const CHUNK = Buffer.alloc(3_840);

/** Requests that are no HTTP as it should be, which is how proxies and servers are made to disagree. */
export const PROTOCOL_ROWS: readonly Row[] = [
  {
    name: 'a length and chunks at once',
    send: wire(
      'POST /stream/{id}/audio HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  {
    name: 'two lengths',
    send: wire(
      'POST /stream/{id}/audio HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
    ),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  {
    name: 'a length below zero',
    send: post('/stream/{id}/audio', undefined, { 'Content-Length': '-4' }),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  {
    name: 'a length that is no number',
    send: post('/stream/{id}/audio', undefined, { 'Content-Length': '0x10' }),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  {
    name: 'a length with a sign',
    send: post('/stream/{id}/audio', undefined, { 'Content-Length': '+4' }),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  {
    name: 'a coding that is not the last',
    send: chunked('/stream/{id}/audio', '0\r\n\r\n', { 'Transfer-Encoding': 'chunked, identity' }),
    expect: BROKEN,
    throughNginx: { status: 501 },
  },
  {
    name: 'a coding that is misspelt',
    send: chunked('/stream/{id}/audio', '0\r\n\r\n', { 'Transfer-Encoding': 'xchunked' }),
    expect: BROKEN,
    throughNginx: { status: 501 },
  },
  {
    name: 'a coding behind a space',
    send: wire(
      'POST /stream/{id}/audio HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    ),
    expect: BROKEN,
    throughNginx: { status: [400, 405, 422] },
  },
  {
    name: 'bare line feeds',
    send: wire('GET /health HTTP/1.1\nHost: localhost\n\n'),
    expect: BROKEN,
    throughNginx: { status: 200 },
  },
  {
    name: 'a header that is folded',
    send: wire('GET /health HTTP/1.1\r\nHost: localhost\r\nA: b\r\n c\r\n\r\n'),
    expect: BROKEN,
    throughNginx: { status: [200, 400] },
  },
  {
    name: 'a header without a name',
    send: wire('GET /health HTTP/1.1\r\nHost: localhost\r\n: b\r\n\r\n'),
    expect: BROKEN,
    throughNginx: { status: [200, 400] },
  },
  {
    name: 'a zero byte in a header',
    send: wire('GET /health HTTP/1.1\r\nHost: localhost\r\nA: b\0c\r\n\r\n'),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  {
    name: 'no host',
    send: wire('GET /health HTTP/1.1\r\n\r\n'),
    expect: { status: 400 },
    throughNginx: NGINX_400,
  },
  {
    name: 'two hosts',
    send: wire('GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n'),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  {
    name: 'two hosts at the audio door',
    send: post('/stream/{id}/audio', pcm(CHUNK), { HOST: 'evil.example' }),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  { name: 'a line of no HTTP', send: wire('hello\r\n\r\n'), expect: BROKEN, throughNginx: NGINX_400 },
  {
    name: 'the hello of TLS',
    send: wire('', Buffer.from('16030100050100000103', 'hex')),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  {
    name: 'HTTP/2 without asking',
    send: wire('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    expect: BROKEN,
    throughNginx: { status: [0, 400] },
  },
  {
    name: 'a version that is none',
    send: wire('GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n'),
    expect: BROKEN,
    throughNginx: { status: [400, 505] },
  },
  {
    name: 'a header of 20 kB',
    send: get('/health', { A: 'x'.repeat(20_000) }),
    expect: { status: 431, code: 'headers-too-large' },
    throughNginx: { status: [400, 431] },
  },
  {
    name: 'two hundred headers of 100 bytes',
    send: get(
      '/health',
      Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`A-${n}`, 'x'.repeat(100)])),
    ),
    expect: { status: 431, code: 'headers-too-large' },
    throughNginx: { status: [400, 431] },
  },
  {
    name: 'a path of 20 kB',
    send: get(`/${'x'.repeat(20_000)}`),
    expect: { status: 431, code: 'headers-too-large' },
    throughNginx: { status: 414 },
  },
  {
    name: 'another expectation',
    send: get('/health', { Expect: 'x' }),
    expect: { status: 417 },
    throughNginx: { status: [200, 417] },
  },
  {
    name: 'an expectation that asks first, and is refused',
    send: post('/stream/{id}/audio?channels=99', undefined, {
      'Content-Length': '4',
      Expect: '100-continue',
    }),
    expect: { status: 415, code: 'unsupported-format' },
  },
  {
    name: 'a chunk whose length is none',
    send: chunked('/stream/{id}/audio', 'zz\r\n'),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  {
    name: 'a chunk longer than memory',
    send: chunked('/stream/{id}/audio', 'ffffffffffffffffff\r\n'),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  {
    name: 'a chunk that ends elsewhere than it said',
    send: chunked('/stream/{id}/audio?format=mp3', '4\r\nabcdefgh\r\n0\r\n\r\n'),
    expect: { status: 415, code: 'unsupported-format' },
    throughNginx: NGINX_400,
  },
  {
    name: 'an extension of a chunk of 20 kB',
    send: chunked('/stream/{id}/audio', `4;${'x'.repeat(20_000)}\r\nabcd\r\n0\r\n\r\n`),
    expect: { status: [400, 413] },
    throughNginx: { status: [200, 202, 400, 413], changes: true },
  },
  {
    name: 'trailers of 20 kB',
    send: chunked('/stream/{id}/audio?format=mp3', `4\r\nabcd\r\n0\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`),
    expect: { status: 415 },
  },
  {
    name: 'a request hidden in the body of another',
    send: post(
      '/stream/{id}/audio?format=mp3',
      pcm(Buffer.from('POST /stream/control/end HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}')),
    ),
    expect: { status: 415, code: 'unsupported-format' },
  },
  {
    name: 'HTTP/1.0 without a host',
    send: wire('GET /health HTTP/1.0\r\n\r\n'),
    expect: { status: 200 },
    throughNginx: { status: [200, 400, 421] },
  },
  {
    name: 'a host with a path',
    send: wire('GET /health HTTP/1.1\r\nHost: evil.example/x\r\nConnection: close\r\n\r\n'),
    expect: { status: 200, body: /^(?!.*evil)/ },
    throughNginx: { status: [400, 421] },
  },
  {
    name: 'another host: no link leads there',
    send: wire(
      'GET /stream/control HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n',
    ),
    expect: { status: 200, body: /^(?!.*evil)/ },
    throughNginx: { status: 421, code: 'wrong-host' },
  },
  {
    name: 'a request id with a line break',
    send: get('/stream/{id}', { 'X-Request-Id': 'a\tb"}{' }),
    expect: { status: 404, code: 'vibe-not-found', headers: { 'x-request-id': /^[0-9a-f-]{32,36}$/ } },
  },
  {
    name: 'a header called __proto__',
    send: get('/stream/{id}', { ['__proto__']: 'x', constructor: 'y' }),
    expect: { status: 404, code: 'vibe-not-found' },
  },
  {
    name: 'a wish for HTTP/2 within the first request',
    send: request('GET', '/health', {
      headers: {
        Connection: 'Upgrade, HTTP2-Settings',
        Upgrade: 'h2c',
        'HTTP2-Settings': 'AAMAAABkAAQCAAAAAAIAAAAA',
      },
    }),
    expect: { status: 200 },
  },
  {
    name: 'headers that come too slowly',
    send: [wire('GET /health HTTP/1.1\r\nHost: localhost\r\nA: '), { bytes: 'x', times: 60, everyMs: 500 }],
    expect: { status: 408, code: 'request-timeout', betweenMs: [0, 14_000] },
    throughNginx: { status: [0, 408], betweenMs: [0, 14_000] },
    slow: true,
  },
  {
    name: 'a connection that says nothing',
    send: wire(''),
    expect: { status: [0, 408], betweenMs: [8_000, 14_000] },
    slow: true,
  },
  {
    name: 'a control body that comes too slowly',
    send: [
      request('POST', '/stream/{id}/start', {
        headers: { 'Content-Type': 'application/json', 'Content-Length': '400' },
      }),
      { bytes: ' ', times: 60, everyMs: 500 },
    ],
    expect: { status: 408, code: 'request-timeout', betweenMs: [0, 19_000] },
    isDirect: true,
    slow: true,
  },
  {
    name: 'a control body that never comes',
    send: request('POST', '/stream/{id}/start', {
      headers: { 'Content-Type': 'application/json', 'Content-Length': '400' },
    }),
    expect: { status: 408, code: 'request-timeout', betweenMs: [13_000, 19_000] },
    throughNginx: { status: [0, 408], betweenMs: [13_000, 24_000] },
    slow: true,
  },
  {
    name: 'JSON where no body is looked at',
    send: request('GET', '/health', { content: json('{') }),
    expect: { status: 200 },
  },
];
