import type { Row } from '../row';
import { get, json, post, request } from '../wire';

const START = '/stream/{id}/start';
const JOIN = '/stream/control/join';
const BAD_JSON = { status: 400, code: 'invalid-json' } as const;
const BAD_FIELD = { status: 400, code: 'invalid-field' } as const;
const UNSUPPORTED = { status: 415, code: 'unsupported-format' } as const;
const TOO_LARGE = { status: 413, code: 'too-large' } as const;

function start(name: string, content: Parameters<typeof post>[1], expected: Row['expect']): Row {
  return { name, send: post(START, content), expect: expected };
}

/** Bodies of the control doors. */
export const BODY_ROWS: readonly Row[] = [
  start('text that is no JSON', json('creator=ann'), BAD_JSON),
  start('half of an object', json('{"creator":'), BAD_JSON),
  start('two objects', json('{}{}'), BAD_JSON),
  start('JSON with a comment', json('{/*x*/}'), BAD_JSON),
  start('NaN', json('{"creator":NaN}'), BAD_JSON),
  start('single quotation marks', json("{'creator':'a'}"), BAD_JSON),
  start(
    'UTF-8 that is cut off',
    { type: 'application/json', body: Buffer.from('7b2261223a22c3227d', 'hex') },
    BAD_JSON,
  ),
  start('UTF-16', { type: 'application/json', body: Buffer.from('{"creator":"a"}', 'utf16le') }, BAD_JSON),
  start('ten thousand brackets', json('['.repeat(10_000)), BAD_JSON),
  start(
    'thirty thousand arrays in each other',
    json(`${'['.repeat(30_000)}${']'.repeat(30_000)}`),
    BAD_FIELD,
  ),
  start('ten thousand objects in each other', json(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`), {
    status: 201,
    changes: true,
  }),
  start('an array', json([]), BAD_FIELD),
  start('a string', json('"creator"'), BAD_FIELD),
  start('null', json('null'), BAD_FIELD),
  start('a number beyond all', json('1e999'), BAD_FIELD),
  start('a creator that is a number', json({ creator: 7 }), BAD_FIELD),
  start('a creator that is an object', json({ creator: { toString: 'x' } }), BAD_FIELD),
  start('a creator of 257 letters', json({ creator: 'x'.repeat(257) }), BAD_FIELD),
  start('a creator with a line break', json({ creator: 'a\r\nSet-Cookie: x' }), BAD_FIELD),
  start('a creator that colours terminals', json({ creator: '\u001b[31mred' }), BAD_FIELD),
  start('a creator with a zero byte', json({ creator: 'a\0b' }), BAD_FIELD),
  start('a creator with a line separator', json({ creator: 'a\u2028b' }), BAD_FIELD),
  start('a title of 257 letters', json({ creator: 'a', title: 'x'.repeat(257) }), BAD_FIELD),
  start('a title that is a list', json({ creator: 'a', title: ['x'] }), BAD_FIELD),
  start('a network that is a number', json({ creator: 'a', network: 1 }), BAD_FIELD),
  start('a claim that is a word', json({ creator: 'a', claim: 'yes' }), BAD_FIELD),
  start('a body of 64 KiB and a byte', json(`"${'x'.repeat(65_535)}"`), TOO_LARGE),
  start('a member of 1 MB', json({ creator: 'x'.repeat(1_000_000) }), TOO_LARGE),
  start('text/plain', json('{}', 'text/plain'), UNSUPPORTED),
  start('a form', json('creator=a', 'application/x-www-form-urlencoded'), UNSUPPORTED),
  start('a file of a form', json('--x--', 'multipart/form-data; boundary=x'), UNSUPPORTED),
  start(
    'XML',
    json('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', 'application/xml'),
    UNSUPPORTED,
  ),
  start('a charset that is not UTF-8', json('{}', 'application/json; charset=utf-16'), UNSUPPORTED),
  start('a media type that is none', json('{}', 'json'), UNSUPPORTED),
  {
    name: 'a gzip bomb',
    send: post(
      START,
      { type: 'application/json', body: Buffer.alloc(1_000, 0x1f) },
      { 'Content-Encoding': 'gzip' },
    ),
    expect: UNSUPPORTED,
  },
  {
    name: 'a body without end',
    send: [
      request('POST', START, {
        headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' },
      }),
      Buffer.from(`2000\r\n${'{"a":1}'.padEnd(0x2000)}\r\n`.repeat(9)),
    ],
    expect: TOO_LARGE,
    isDirect: true,
  },
  {
    name: 'what would change every object',
    send: post(
      START,
      json('{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"creator":"ann"}'),
    ),
    expect: { status: 201, body: /"vibeId":"[^"]+"(?!.*admin)/, changes: true },
  },
  {
    name: 'the same member twice: the last one counts',
    send: [post(START, json('{"creator":"first","creator":"last"}'))],
    expect: { status: 201, changes: true },
  },
  {
    name: 'a name with markup: kept as it is, as data',
    given: [post(START, json({ creator: 'ann', title: '<script>alert(1)</script>"\'&' }))],
    send: get('/stream/{id}'),
    expect: {
      status: 200,
      headers: { 'content-type': /^application\/json/, 'x-content-type-options': 'nosniff' },
      body: /"title":"<script>alert\(1\)<\/script>\\"'&"/,
    },
  },
  {
    name: 'joining with an id that is an object',
    send: post(JOIN, json({ participantId: {} })),
    expect: BAD_FIELD,
  },
  {
    name: 'joining with an id of 257 letters',
    send: post(JOIN, json({ participantId: 'x'.repeat(257) })),
    expect: BAD_FIELD,
  },
  {
    name: 'joining with a line break in a wallet’s address',
    send: post(JOIN, json({ walletAddress: '0x\n0' })),
    expect: BAD_FIELD,
  },
  { name: 'joining by sendBeacon’s type', send: post(JOIN, json('{}', 'text/plain')), expect: UNSUPPORTED },
  {
    name: 'leaving with text that is no JSON',
    send: post('/stream/control/leave', json('bye', 'text/plain')),
    expect: BAD_JSON,
  },
  {
    name: 'joining what is not there',
    send: post('/stream/{id}/join', json({})),
    expect: { status: 404, code: 'vibe-not-found' },
  },
  {
    name: 'ending what is not there',
    send: post('/stream/{id}/end', json({})),
    expect: { status: 404, code: 'vibe-not-found' },
  },
  {
    name: 'leaving what is not there',
    send: post('/stream/{id}/leave', json({})),
    expect: { status: 200, body: /"participantCount":0/ },
  },
];

/** Who may do what with somebody else’s vibe. */
export const OWNER_ROWS: readonly Row[] = [
  {
    name: 'starting another creator’s vibe',
    send: post('/stream/control/start', json({ creator: 'mallory' })),
    expect: { status: 409, code: 'creator-conflict' },
  },
  {
    name: 'starting it under no name',
    send: post('/stream/control/start', json({})),
    expect: { status: 409, code: 'creator-conflict' },
  },
  {
    name: 'ending it under another name',
    send: post('/stream/control/end', json({ creator: 'mallory' })),
    expect: { status: 403, code: 'wrong-creator' },
  },
  {
    name: 'ending a claimed vibe without its key',
    given: [post(START, json({ creator: 'ann', claim: true }))],
    send: post('/stream/{id}/end', json({ creator: 'ann' })),
    expect: { status: 401, code: 'unauthorized', headers: { 'www-authenticate': /^Bearer/ } },
  },
  {
    name: 'ending a claimed vibe with another key',
    given: [post(START, json({ creator: 'ann', claim: true }))],
    send: post('/stream/{id}/end', json({ creator: 'ann' }), { Authorization: `Bearer ${'A'.repeat(43)}` }),
    expect: { status: 403, code: 'wrong-owner-key' },
  },
  {
    name: 'ending a claimed vibe with a key of 8 kB',
    given: [post(START, json({ creator: 'ann', claim: true }))],
    send: post('/stream/{id}/end', json({ creator: 'ann' }), {
      Authorization: `Bearer ${'A'.repeat(8_000)}`,
    }),
    expect: { status: 403, code: 'wrong-owner-key' },
  },
];

const ALLOW = { status: 405, code: 'method-not-allowed' } as const;

/** Methods. */
export const METHOD_ROWS: readonly Row[] = [
  {
    name: 'PUT to the audio door',
    send: request('PUT', '/stream/{id}/audio'),
    expect: { ...ALLOW, headers: { allow: 'GET, HEAD, POST' } },
  },
  {
    name: 'DELETE of a vibe',
    send: request('DELETE', '/stream/control'),
    expect: { ...ALLOW, headers: { allow: 'GET, HEAD' } },
  },
  {
    name: 'GET of an end',
    send: get('/stream/control/end'),
    expect: { ...ALLOW, headers: { allow: 'POST' } },
  },
  {
    name: 'PATCH of a start',
    send: request('PATCH', '/stream/control/start'),
    expect: { ...ALLOW, headers: { allow: 'POST' } },
  },
  {
    name: 'POST to the list',
    send: post('/streams/active', json({})),
    expect: { ...ALLOW, headers: { allow: 'GET, HEAD' } },
  },
  {
    name: 'TRACE',
    send: request('TRACE', '/health'),
    expect: { ...ALLOW, headers: { allow: 'GET, HEAD' } },
    throughNginx: { status: 405 },
  },
  {
    name: 'CONNECT',
    send: request('CONNECT', 'evil.example:443'),
    expect: { silence: true },
    throughNginx: { status: [400, 405, 421] },
  },
  {
    name: 'a method that is none',
    send: request('BREW', '/health'),
    expect: { status: 400, code: 'bad-request' },
    throughNginx: { status: [400, 405] },
  },
  {
    name: 'a method override',
    send: get('/stream/control', { 'X-HTTP-Method-Override': 'DELETE' }),
    expect: { status: 200 },
  },
  {
    name: 'an audio door without a WebSocket',
    send: get('/stream/control/audio'),
    expect: { status: 426, code: 'upgrade-required', headers: { upgrade: 'websocket' } },
  },
];
