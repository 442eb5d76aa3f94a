import type { Row } from '../row';
import { get, json, pcm, post, request, upgrade, wire } from '../wire';

const BAD_ID = { status: 400, code: 'invalid-vibe-id' } as const;
const NOT_FOUND = { status: 404, code: 'not-found' } as const;
const NO_VIBE = { status: 404, code: 'vibe-not-found' } as const;
const READ_ONLY = {
  status: 405,
  code: 'method-not-allowed',
  headers: { allow: 'GET, HEAD, OPTIONS' },
} as const;
const BROKEN = { status: 400, code: 'bad-request' } as const;
const NGINX_400 = { status: 400 } as const;
/** By itself, nginx says no methods. */
const NGINX_405 = { status: 405, code: 'method-not-allowed' } as const;

const BAD_IDS: readonly (readonly [string, string, Row['throughNginx']?])[] = [
  ['climbs', '..%2f..%2fetc', NGINX_400],
  ['climbs by Windows’ slash', '..%5c..%5cetc'],
  ['ends in a zero byte', 'a%00', NGINX_400],
  ['begins with an underscore', '_x'],
  ['looks like an option', '-x'],
  ['is none', ''],
  ['has a dot', 'a.b'],
  ['smuggles a vhost', 'a...vhost...b'],
  ['breaks the line', 'a%0d%0aSet-Cookie:x'],
  ['has an escape that is none', '%zz', NGINX_400],
  ['has 129 letters', 'x'.repeat(129)],
  ['has 10 kB', 'x'.repeat(10_000)],
  ['is __proto__', '__proto__'],
  ['runs a command', '$(id)'],
];

/** Where players listen. */
export const MEDIA_ROWS: readonly Row[] = [
  ...BAD_IDS.flatMap(([name, id, throughNginx]): Row[] =>
    (['flv', 'm3u8'] as const).map((kind) => ({
      name: `${kind} of a vibe whose id ${name}`,
      send: get(`/live/${id}.${kind}`),
      expect: BAD_ID,
      ...(throughNginx ? { throughNginx } : {}),
    })),
  ),
  {
    name: 'FLV of what is not there',
    send: get('/live/nobody.flv'),
    expect: { ...NO_VIBE, headers: { 'retry-after': /^\d+$/ }, betweenMs: [2_500, 12_000] },
    throughNginx: { ...NO_VIBE, betweenMs: [2_500, 12_000] },
    slow: true,
  },
  {
    name: 'HLS of what is not there',
    send: get('/live/nobody.m3u8'),
    expect: { ...NO_VIBE, betweenMs: [2_500, 12_000] },
    slow: true,
  },
  {
    name: 'a member of every object',
    send: get('/live/constructor.flv'),
    expect: { ...NO_VIBE, betweenMs: [2_500, 12_000] },
    slow: true,
  },
  {
    name: 'the control vibe in other letters',
    send: get('/live/CONTROL.flv'),
    expect: { ...NO_VIBE, betweenMs: [2_500, 12_000] },
    slow: true,
  },
  {
    name: 'a segment that climbs',
    send: get('/live/control-..%2f..%2fpasswd-1.ts'),
    expect: NOT_FOUND,
    throughNginx: { status: [400, 404] },
  },
  { name: 'a segment of long ago', send: get('/live/control-0-0.ts'), expect: NOT_FOUND },
  {
    name: 'a segment of a number beyond all',
    send: get(`/live/control-0-${'9'.repeat(400)}.ts`),
    expect: NOT_FOUND,
  },
  { name: 'a name of 10 kB of hyphens', send: get(`/live/${'-1'.repeat(5_000)}.ts`), expect: NOT_FOUND },
  {
    name: 'a path that climbs',
    send: get('/live/../../etc/passwd'),
    expect: { ...NOT_FOUND },
    throughNginx: NGINX_400,
  },
  { name: 'a list of what there is', send: get('/live/'), expect: NOT_FOUND },
  { name: 'another app', send: get('/admin/control.flv'), expect: NOT_FOUND },
  { name: 'FLV in capitals', send: get('/live/control.FLV'), expect: NOT_FOUND },
  { name: 'a slash behind the name', send: get('/live/control.flv/'), expect: NOT_FOUND },
  { name: 'a file', send: get('/etc/passwd'), expect: NOT_FOUND },
  { name: 'SRS’s API', send: get('/api/v1/clients'), expect: NOT_FOUND },
  { name: 'another server’s API', send: get('/api/streams'), expect: NOT_FOUND },
  { name: 'Flash’s policy', send: get('/crossdomain.xml'), expect: NOT_FOUND },
  {
    name: 'publishing by POST',
    send: post('/live/control.flv', pcm(Buffer.from('FLV\u0001'), 'video/x-flv')),
    expect: READ_ONLY,
    throughNginx: NGINX_405,
  },
  {
    name: 'publishing by PUT',
    send: request('PUT', '/live/control.flv', { content: json('') }),
    expect: READ_ONLY,
    throughNginx: NGINX_405,
  },
  {
    name: 'a playlist by PUT',
    send: request('PUT', '/live/control.m3u8', { content: json('#EXTM3U') }),
    expect: READ_ONLY,
    throughNginx: NGINX_405,
  },
  {
    name: 'DELETE of a vibe',
    send: request('DELETE', '/live/control.flv'),
    expect: READ_ONLY,
    throughNginx: NGINX_405,
  },
  {
    name: 'TRACE',
    send: request('TRACE', '/live/control.flv'),
    expect: READ_ONLY,
    throughNginx: { status: 405 },
  },
  {
    name: 'a publish of unknown length',
    send: [
      request('POST', '/live/control.flv', { headers: { 'Transfer-Encoding': 'chunked' } }),
      Buffer.from('4\r\nFLV\u0001\r\n'),
    ],
    expect: READ_ONLY,
    throughNginx: NGINX_405,
  },
  { name: 'a WebSocket', send: upgrade('/live/control.m3u8'), expect: { status: [200, 404] } },
  {
    name: 'a thousand ranges',
    send: request('HEAD', '/live/control.flv', {
      headers: { Range: `bytes=${Array.from({ length: 1_000 }, (_, n) => `${n}-${n}`).join(',')}` },
    }),
    expect: { status: [200, 416] },
  },
  {
    name: 'no host',
    send: wire('GET /live/nobody.ts HTTP/1.1\r\n\r\n'),
    expect: { status: 400 },
    throughNginx: NGINX_400,
  },
  {
    name: 'a whole URL for a path',
    send: get('http://evil.example/live/control.flv'),
    expect: { status: [400, 404] },
    throughNginx: { status: 421 },
  },
  {
    name: 'a length and chunks at once',
    send: wire(
      'POST /live/a.flv HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  {
    name: 'bare line feeds',
    send: wire('GET /live/nobody.ts HTTP/1.1\nHost: localhost\n\n'),
    expect: BROKEN,
    throughNginx: NOT_FOUND,
  },
  { name: 'a line of no HTTP', send: wire('hello\r\n\r\n'), expect: BROKEN, throughNginx: NGINX_400 },
  {
    name: 'the hello of TLS',
    send: wire('', Buffer.from('16030100050100000103', 'hex')),
    expect: BROKEN,
    throughNginx: NGINX_400,
  },
  {
    name: 'a header of 20 kB',
    send: get('/live/control.flv', { A: 'x'.repeat(20_000) }),
    expect: { status: 431, code: 'headers-too-large' },
    throughNginx: { status: [400, 431] },
  },
  {
    name: 'headers that come too slowly',
    send: [
      wire('GET /live/control.flv HTTP/1.1\r\nHost: localhost\r\nA: '),
      { bytes: 'x', times: 60, everyMs: 500 },
    ],
    expect: { status: 408, code: 'request-timeout', betweenMs: [8_000, 14_000] },
    throughNginx: { status: [0, 408], betweenMs: [8_000, 14_000] },
    slow: true,
  },
  {
    name: 'a connection that says nothing',
    send: wire(''),
    expect: { status: [0, 408], betweenMs: [8_000, 14_000] },
    slow: true,
  },
];
