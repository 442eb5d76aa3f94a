import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { Row } from '../row';
import { get, hello, json, pcm, post, type Step, upgrade } from '../wire';

export const AUTH_SECRET = 'the-secret-that-signs-tokens-of-this-suite';
const OTHER_SECRET = 'another-secret-that-is-as-long-as-the-right';
const NOW_S = Math.floor(Date.now() / 1000);
const HOUR_S = 3_600;

type Claims = Readonly<Record<string, unknown>>;

const CLAIMS: Claims = {
  sub: 'an-honest-creator',
  aud: 'vibesflow',
  role: 'creator',
  vibe: 'control',
  iat: NOW_S - 10,
  // Short enough for a URL, too.
  exp: NOW_S + HOUR_S - 60,
};

function encoded(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** A token by hand, however wrong; `undefined` leaves a claim out. */
function token(
  claims: Claims = {},
  { header = {}, secret = AUTH_SECRET }: { header?: Claims; secret?: string } = {},
): string {
  const text = `${encoded({ alg: 'HS256', typ: 'JWT', ...header })}.${encoded({ ...CLAIMS, ...claims })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

export const CREATOR = token();
export const ADMIN = token({ role: 'admin', vibe: undefined, sub: 'an-operator' });
const PARTICIPANT = token({ role: 'participant', sub: 'a-listener' });

/** Signed with the private part of a key, and shown as if the public part were a secret. */
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PUBLIC_PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const SIGNED_BY_ES256 = ((): string => {
  const text = `${encoded({ alg: 'ES256', typ: 'JWT' })}.${encoded(CLAIMS)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
})();
const UNSIGNED = `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(CLAIMS)}.`;

const INVALID = { status: 401, code: 'invalid-token', headers: { 'www-authenticate': /^Bearer/ } } as const;
const NONE = { status: 401, code: 'unauthorized', headers: { 'www-authenticate': /^Bearer/ } } as const;
const FORBIDDEN = { status: 403, code: 'forbidden' } as const;

/** Tokens that are none, each with what is wrong. */
const WRONG: readonly (readonly [string, string])[] = [
  ['without a signature', UNSIGNED],
  ['without a signature, and with one', `${UNSIGNED}AAAA`],
  ['of alg NONE in capitals', token({}, { header: { alg: 'NONE' } })],
  ['signed with another secret', token({}, { secret: OTHER_SECRET })],
  ['signed with an empty secret', token({}, { secret: '' })],
  ['signed with a public key for a secret', token({}, { secret: PUBLIC_PEM })],
  ['signed with a key of its own', SIGNED_BY_ES256],
  ['that says HS512', token({}, { header: { alg: 'HS512' } })],
  ['whose key is a file', token({}, { header: { kid: '../../../../dev/null' }, secret: '' })],
  ['whose key is a query', token({}, { header: { kid: "' UNION SELECT 'x" }, secret: 'x' })],
  ['that tells where its keys are', token({}, { header: { jku: 'http://127.0.0.1:9/keys' } })],
  ['that tells where its certificate is', token({}, { header: { x5u: 'http://127.0.0.1:9/cert' } })],
  ['that brings its key along', token({}, { header: { jwk: { kty: 'oct', k: 'AAAA' } } })],
  ['that says what is critical', token({}, { header: { crit: ['exp'] } })],
  ['of another type', token({}, { header: { typ: 'secevent+jwt' } })],
  ['that has expired', token({ exp: NOW_S - HOUR_S })],
  ['that begins tomorrow', token({ nbf: NOW_S + 24 * HOUR_S })],
  ['that was issued tomorrow', token({ iat: NOW_S + 24 * HOUR_S, exp: NOW_S + 25 * HOUR_S })],
  ['that never expires', token({ exp: undefined })],
  ['that expires in a thousand years', token({ exp: NOW_S + 1_000 * 365 * 24 * HOUR_S })],
  ['that expires at a word', token({ exp: 'never' })],
  ['for another service', token({ aud: 'somebody-else' })],
  ['for nobody', token({ aud: undefined })],
  ['of nobody', token({ sub: undefined })],
  ['of a name with a line break', token({ sub: 'a\r\nb' })],
  ['of a role that is none', token({ role: 'root' })],
  ['of two roles', token({ role: ['creator', 'admin'] })],
  ['for a vibe that climbs', token({ vibe: '../control' })],
  ['for no vibe', token({ vibe: undefined })],
  [
    'in which a letter is changed',
    CREATOR.replace(/\.(.)/, (_all, first: string) => `.${first === 'e' ? 'f' : 'e'}`),
  ],
  ['that is cut off', CREATOR.slice(0, -10)],
  ['in two parts', CREATOR.split('.').slice(0, 2).join('.')],
  ['in five parts', `${CREATOR}.a.b`],
  ['that is no JSON', `${encoded('{')}.${encoded('{')}.AAAA`],
  ['that is empty in each part', '..'],
  ['of 9 kB', `${CREATOR}${'A'.repeat(9_000)}`],
];

const START: Step = post('/stream/{id}/start', json({ creator: 'mallory' }));

function audio(bearer: string, vibe = 'control'): Step {
  return post(`/stream/${vibe}/audio`, pcm(Buffer.alloc(3_840)), { Authorization: `Bearer ${bearer}` });
}

/** Where tokens are asked for. They come from this machine, which may show as many wrong ones as it likes. */
export const TOKEN_ROWS: readonly Row[] = [
  { name: 'a start without a token', send: START, expect: NONE },
  {
    name: 'audio without a token',
    send: post('/stream/control/audio', pcm(Buffer.alloc(3_840))),
    expect: NONE,
  },
  {
    name: 'audio without a token, under the creator’s name',
    send: post('/stream/control/audio?creator=an-honest-creator', pcm(Buffer.alloc(3_840))),
    expect: NONE,
  },
  {
    name: 'an end without a token',
    send: post('/stream/control/end', json({ creator: 'an-honest-creator' })),
    expect: NONE,
  },
  { name: 'a join without a token', send: post('/stream/control/join', json({})), expect: NONE },
  { name: 'the list without a token', send: get('/streams/active'), expect: NONE },
  { name: 'the metrics without a token', send: get('/metrics'), expect: NONE },
  { name: 'a WebSocket to send without a token', send: upgrade('/stream/control/audio'), expect: NONE },
  { name: 'a WebSocket to events without a token', send: upgrade('/stream/control/events'), expect: NONE },
  {
    name: 'a token by another scheme',
    send: get('/streams/active', { Authorization: `Basic ${ADMIN}` }),
    expect: NONE,
  },
  { name: 'a token in a cookie', send: get('/streams/active', { Cookie: `token=${ADMIN}` }), expect: NONE },
  {
    name: 'a token in the URL of a door that takes headers',
    send: get(`/streams/active?token=${ADMIN}`),
    expect: { status: 400, code: 'bad-request' },
  },
  ...WRONG.flatMap(([what, wrong]): Row[] => [
    { name: `audio with a token ${what}`, send: audio(wrong), expect: INVALID },
    {
      name: `a WebSocket with a token ${what}`,
      send: upgrade(`/stream/control/audio?token=${encodeURIComponent(wrong)}`),
      expect: INVALID,
    },
  ]),
  {
    name: 'a token of 20 kB',
    send: audio('A'.repeat(20_000)),
    expect: { status: 431, code: 'headers-too-large' },
  },
  { name: 'a creator’s token at another vibe', send: audio(CREATOR, '{id}'), expect: FORBIDDEN },
  {
    name: 'a creator’s token at a vibe whose name begins alike',
    send: audio(CREATOR, 'control2'),
    expect: FORBIDDEN,
  },
  {
    name: 'a creator’s token at the list',
    send: get('/streams/active', { Authorization: `Bearer ${CREATOR}` }),
    expect: FORBIDDEN,
  },
  {
    name: 'a creator’s token at the metrics',
    send: get('/metrics', { Authorization: `Bearer ${CREATOR}` }),
    expect: FORBIDDEN,
  },
  { name: 'a listener’s token at the audio door', send: audio(PARTICIPANT), expect: FORBIDDEN },
  {
    name: 'a listener’s token at the audio door, as a WebSocket',
    send: [upgrade(`/stream/control/audio?token=${PARTICIPANT}`), hello()],
    expect: FORBIDDEN,
  },
  {
    name: 'a listener’s token at the end',
    send: post('/stream/control/end', json({}), { Authorization: `Bearer ${PARTICIPANT}` }),
    expect: FORBIDDEN,
  },
  {
    name: 'a token of another subject at a vibe that is somebody’s',
    send: audio(token({ sub: 'mallory' })),
    expect: { status: 403 },
  },
  {
    name: 'a token in a WebSocket’s URL that lives for a year',
    send: upgrade(`/stream/control/events?token=${token({ exp: NOW_S + 365 * 24 * HOUR_S })}`),
    expect: INVALID,
  },
];
