import type { Row } from '../row';
import { get, json, pcm, post, request, upgrade } from '../wire';

/** The one origin besides the relay's own whose pages may call it. */
export const APP = 'https://app.example';

/** Origins of pages that look nearly like it. */
const STRANGERS: readonly string[] = [
  'https://evil.example',
  'https://app.example.evil.example',
  'https://evil-app.example',
  'https://app.example:444',
  'http://app.example',
  'https://APP.example',
  'https://app.example/',
  'https://evil.example, https://app.example',
  'null',
  'file://',
];

const NOT_READABLE = {
  'access-control-allow-origin': undefined,
  'access-control-allow-credentials': undefined,
  vary: /\bOrigin\b/,
} as const;
const READABLE = {
  'access-control-allow-origin': APP,
  'access-control-allow-credentials': undefined,
  'access-control-expose-headers': /X-Request-Id.*Retry-After.*RateLimit/,
  vary: /\bOrigin\b/,
} as const;

/** What stands on every answer, so that no page can be talked into reading it as something else, or framing it. */
const SAFE = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'SAMEORIGIN',
  'x-xss-protection': '0',
  'x-powered-by': undefined,
  server: undefined,
  'strict-transport-security': undefined,
  'content-security-policy': /default-src 'none'.*base-uri 'none'.*frame-ancestors 'none'/,
} as const;

function preflight(path: string, headers: Record<string, string>): Row['send'] {
  return request('OPTIONS', path, { headers: { 'Access-Control-Request-Method': 'POST', ...headers } });
}

const POLICIES: readonly Row[] = [
  {
    name: 'the player’s page may play what it is handed by MSE, load from here, and nothing else',
    send: get('/listen/control'),
    expect: {
      status: 200,
      headers: {
        ...SAFE,
        'content-type': /^text\/html/,
        'content-security-policy':
          /^(?!.*(unsafe|upgrade-insecure|\*)).*script-src 'self';.*connect-src 'self' ws:\/\/\S+ http:\/\/\S+;media-src 'self' blob: .*worker-src 'self' blob:/,
      },
      // No script stands in the page itself: the policy would not run it.
      body: /^(?![^]*<script(?![^>]*\ssrc=))(?![^]*\son\w+=)[^]*<script/,
    },
  },
  { name: 'the dashboard is as safe', send: get('/'), expect: { status: 200, headers: SAFE } },
  {
    name: 'a script is as safe',
    send: get('/assets/listen.js'),
    expect: { status: 200, headers: { ...SAFE, 'content-type': /^text\/javascript/ } },
  },
  {
    name: 'JSON is as safe, and never cached',
    send: get('/stream/control'),
    expect: { status: 200, headers: { ...SAFE, 'cache-control': 'no-store' } },
  },
  {
    name: 'a refusal is as safe',
    send: get('/stream/{id}'),
    expect: { status: 404, code: 'vibe-not-found', headers: { ...SAFE, 'cache-control': 'no-store' } },
  },
  {
    name: 'a refusal at the audio door is as safe',
    send: post('/stream/control/audio', pcm(Buffer.alloc(4))),
    expect: { status: 403, code: 'wrong-creator', headers: { ...SAFE, 'cache-control': 'no-store' } },
  },
];

const READING: readonly Row[] = [
  {
    name: 'a page of an origin that is named',
    send: get('/stream/control', { Origin: APP }),
    expect: { status: 200, headers: READABLE },
  },
  {
    name: 'its audio that is refused',
    send: post('/stream/control/audio', pcm(Buffer.alloc(4)), { Origin: APP }),
    expect: { status: 403, code: 'wrong-creator', headers: READABLE },
  },
  {
    name: 'a program, which has no origin',
    send: get('/stream/control'),
    expect: { status: 200, headers: NOT_READABLE },
  },
  ...STRANGERS.flatMap((origin): Row[] => [
    {
      name: `a page of ${origin} that reads`,
      send: get('/stream/control', { Origin: origin }),
      expect: { status: 200, headers: NOT_READABLE },
    },
    {
      name: `a page of ${origin} that sends audio`,
      send: post('/stream/control/audio', pcm(Buffer.alloc(4)), { Origin: origin }),
      expect: { status: 403, code: 'wrong-creator', headers: NOT_READABLE },
    },
    {
      name: `a page of ${origin} that opens a WebSocket to send`,
      send: upgrade('/stream/control/audio', { Origin: origin }),
      expect: { status: 403, code: 'forbidden' },
    },
    {
      name: `a page of ${origin} that opens a WebSocket to events`,
      send: upgrade('/stream/control/events', { Origin: origin }),
      expect: { status: 403, code: 'forbidden' },
    },
  ]),
  {
    name: 'a page of the named origin that opens a WebSocket',
    send: upgrade('/stream/{id}/events', { Origin: APP }),
    expect: { close: 4404, code: 'vibe-not-found' },
  },
];

const ASKING: readonly Row[] = [
  {
    name: 'the named page that asks first',
    send: preflight('/stream/control/audio', {
      Origin: APP,
      'Access-Control-Request-Headers': 'authorization,x-sequence',
    }),
    expect: {
      status: 204,
      headers: {
        'access-control-allow-origin': APP,
        'access-control-allow-credentials': undefined,
        'access-control-allow-headers': 'authorization,x-sequence',
        'access-control-allow-methods': /\bPOST\b/,
        vary: /\bOrigin\b/,
      },
    },
  },
  {
    name: 'a stranger’s page that asks first',
    send: preflight('/stream/control/end', { Origin: 'https://evil.example' }),
    expect: { status: 204, headers: NOT_READABLE },
  },
  {
    name: 'a public page that asks for a private network',
    send: preflight('/stream/control/end', {
      Origin: 'https://evil.example',
      'Access-Control-Request-Private-Network': 'true',
    }),
    expect: { status: 204, headers: { ...NOT_READABLE, 'access-control-allow-private-network': undefined } },
  },
  {
    name: 'a form of another site, which browsers send without asking',
    send: post('/stream/control/end', json('{"creator":"an-honest-creator"}', 'text/plain'), {
      Origin: 'https://evil.example',
    }),
    expect: { status: 415, code: 'unsupported-format', headers: NOT_READABLE },
  },
  {
    name: 'cookies, which nobody here looks at',
    send: get('/stream/control', { Origin: APP, Cookie: 'token=abc; session=def' }),
    expect: { status: 200, headers: { ...READABLE, 'set-cookie': undefined } },
  },
];

/** What browsers let pages of other sites do, and what pages of the relay’s own may do. */
export const BROWSER_ROWS: readonly Row[] = [...POLICIES, ...READING, ...ASKING];

/** Media is for every page, and never with credentials. */
export const MEDIA_BROWSER_ROWS: readonly Row[] = [
  ...['https://app.example', 'https://evil.example', 'null'].map((origin): Row => ({
    name: `HEAD of FLV by a page of ${origin}`,
    send: request('HEAD', '/live/control.flv', { headers: { Origin: origin } }),
    expect: {
      status: 200,
      headers: {
        'access-control-allow-origin': '*',
        'access-control-allow-credentials': undefined,
        'cross-origin-resource-policy': 'cross-origin',
        'timing-allow-origin': '*',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'set-cookie': undefined,
      },
    },
  })),
  {
    name: 'a page that asks first, with credentials',
    send: request('OPTIONS', '/live/control.m3u8', {
      headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'GET' },
    }),
    expect: {
      status: 204,
      headers: { 'access-control-allow-origin': '*', 'access-control-allow-credentials': undefined },
    },
  },
];
