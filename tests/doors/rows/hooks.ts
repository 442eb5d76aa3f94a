import type { Row } from '../row';
import { type Content, get, json, post } from '../wire';

export const HOOK_SECRET = 'a-secret-of-sixteen-or-more';
/** As SRS 7 sends it. */
export const CALL = {
  server_id: 'vid-k21d7y2',
  service_id: '9o7g1330',
  action: 'on_publish',
  client_id: '7q4h5h2t',
  ip: '127.0.0.1',
  vhost: '__defaultVhost__',
  app: 'live',
  tcUrl: 'rtmp://127.0.0.1:1935/live',
  stream: 'control',
  param: '?token=abc',
  stream_url: '/live/control',
  stream_id: 'vid-124q9y3',
};
const FORBIDDEN = { status: 403, code: 'forbidden' } as const;
const BAD_FIELD = { status: 400, code: 'invalid-field' } as const;
/** SRS takes any other number than 0 for a refusal. */
export const TURNED_AWAY = { status: 200, body: /^\{"code":1\}$/ } as const;
const IGNORED = { status: 200, body: /^\{"code":0\}$/ } as const;

const KNOWN = `/hooks/${HOOK_SECRET}/on_publish`;

function call(
  name: string,
  path: string,
  expected: Row['expect'],
  headers: Record<string, string> = {},
): Row {
  return { name, send: post(path, json(CALL), headers), expect: expected };
}

function body(name: string, content: Content, expected: Row['expect']): Row {
  return { name, send: post(KNOWN, content), expect: expected };
}

/** By somebody who is not the media server. */
const CALLERS: readonly Row[] = [
  ...['connect', 'close', 'publish', 'unpublish', 'play', 'stop'].flatMap((hook): Row[] => [
    call(`on_${hook} without the secret`, `/hooks/on_${hook}`, FORBIDDEN),
    call(`on_${hook} without the secret, by its other path`, `/api/srs/${hook}`, FORBIDDEN),
  ]),
  call('another secret', `/hooks/another-secret-as-long-as-it/on_publish`, FORBIDDEN),
  call('half of the secret', `/hooks/${HOOK_SECRET.slice(0, 16)}/on_publish`, FORBIDDEN),
  call('the secret and more', `/hooks/${HOOK_SECRET}x/on_publish`, FORBIDDEN),
  call('the secret in capitals', `/hooks/${HOOK_SECRET.toUpperCase()}/on_publish`, FORBIDDEN),
  call('the secret in the query', `/hooks/on_publish?secret=${HOOK_SECRET}`, FORBIDDEN),
  call('the secret as a token', '/hooks/on_publish', FORBIDDEN, { Authorization: `Bearer ${HOOK_SECRET}` }),
  call('the secret, by a proxy', KNOWN, FORBIDDEN, { 'X-Forwarded-For': '203.0.113.9' }),
  call('the secret, by a proxy that says it otherwise', KNOWN, FORBIDDEN, { Forwarded: 'for=203.0.113.9' }),
  call('the secret, by nginx', KNOWN, FORBIDDEN, { 'X-Real-IP': '127.0.0.1' }),
  call('the secret, by a page', KNOWN, FORBIDDEN, { Origin: 'http://localhost' }),
  call('the secret, by a page of the same site', KNOWN, FORBIDDEN, { 'Sec-Fetch-Site': 'same-origin' }),
  {
    name: 'a hook by GET',
    send: get(KNOWN),
    expect: { status: 405, code: 'method-not-allowed', headers: { allow: 'POST' } },
  },
  call('a hook that is none', `/hooks/${HOOK_SECRET}/on_reboot`, { status: 404, code: 'not-found' }),
  {
    ...call('a secret that climbs', '/hooks/..%2f..%2f/on_publish', FORBIDDEN),
    throughNginx: { status: [400, 404] },
  },
];

/** By the media server, or by somebody who knows its secret. */
const BODIES: readonly Row[] = [
  body('no JSON', json('code=0'), { status: 400, code: 'invalid-json' }),
  body('a body of 1 MB', json({ ...CALL, param: 'x'.repeat(1_000_000) }), { status: 413, code: 'too-large' }),
  body('text', json(CALL, 'text/plain'), { status: 415, code: 'unsupported-format' }),
  body('nothing at all', json('{}'), TURNED_AWAY),
  body('a list', json([CALL]), BAD_FIELD),
  body('null', json('null'), BAD_FIELD),
  body('another hook than the path says', json({ ...CALL, action: 'on_play' }), BAD_FIELD),
  body('a stream that is an object', json({ ...CALL, stream: {} }), BAD_FIELD),
  body('a stream of 5 kB', json({ ...CALL, stream: 'x'.repeat(5_000) }), BAD_FIELD),
  body('a client id that is a list', json({ ...CALL, client_id: [1] }), BAD_FIELD),
  body('a publish of a vibe on the air', json(CALL), TURNED_AWAY),
  body('a publish in another vhost', json({ ...CALL, vhost: 'evil' }), TURNED_AWAY),
  body(
    'a publish in a vhost named like a member of every object',
    json({ ...CALL, vhost: '__proto__' }),
    TURNED_AWAY,
  ),
  body('a publish in another app', json({ ...CALL, app: 'admin' }), TURNED_AWAY),
  body('a publish without a name', json({ ...CALL, stream: '' }), TURNED_AWAY),
  body('a publish under a name that climbs', json({ ...CALL, stream: '../../etc/passwd' }), TURNED_AWAY),
  body('a publish under a name with markup', json({ ...CALL, stream: '<script>' }), TURNED_AWAY),
  body('a publish of what is not there', json({ ...CALL, stream: 'nobody' }), TURNED_AWAY),
  {
    name: 'the end of a publish that nobody began',
    send: post(
      `/hooks/${HOOK_SECRET}/on_unpublish`,
      json({ ...CALL, action: 'on_unpublish', client_id: 'stale' }),
    ),
    expect: IGNORED,
  },
  {
    name: 'the end of a connection that nobody knows',
    send: post(`/hooks/${HOOK_SECRET}/on_close`, json({ ...CALL, action: 'on_close', client_id: 'stale' })),
    expect: IGNORED,
  },
];

export const HOOK_ROWS: readonly Row[] = [...CALLERS, ...BODIES];
