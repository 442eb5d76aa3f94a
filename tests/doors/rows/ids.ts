import type { Row } from '../row';
import { get, json, post, wire } from '../wire';

const BAD_ID = { status: 400, code: 'invalid-vibe-id' } as const;
/** nginx refuses by itself, before there is a path to send anywhere; it says so in HTML. */
const NGINX_400 = { status: 400 } as const;
const NOT_FOUND = { status: 404, code: 'not-found' } as const;

/** Ids as they stand in the path, each with why somebody would send it. */
const BAD_IDS: readonly (readonly [string, string, Row['throughNginx']?])[] = [
  ['climbs', '..%2f..%2fetc', NGINX_400],
  ['climbs in capitals', '..%2F..%2Fetc%2Fpasswd', NGINX_400],
  ['climbs by Windows’ slash', '..%5c..%5cwindows'],
  ['is the directory above', '%2e%2e'],
  ['ends in a zero byte', 'a%00b', NGINX_400],
  ['looks like an option', '-report'],
  ['begins with an underscore', '_x'],
  ['has FFmpeg’s tee separator', 'a%7C%5Bf=adts%5D%2Fvar%2Fx'],
  ['has the tee separator as it is', 'a|[f=adts]'],
  ['smuggles a vhost in a query', 'a%3Fvhost%3Devil'],
  ['smuggles a vhost as SRS reads it', 'a...vhost...b'],
  ['has librtmp’s options', 'a%20live=1'],
  ['breaks the line', 'a%0d%0aSet-Cookie:x'],
  ['has 129 letters', 'x'.repeat(129)],
  ['has 10 kB', 'x'.repeat(10_000)],
  ['is __proto__', '__proto__'],
  ['has a semicolon', 'a;b'],
  ['has an ampersand', 'a&b'],
  ['runs a command', '$(id)'],
  ['runs a command in backticks', '`id`'],
  ['has a suffix', 'song.flv'],
  ['is a format string of printf', '%25n%25s'],
  ['has a colon', 'a:b'],
  ['has a letter beyond ASCII', 'caf%C3%A9'],
  ['has a full-width letter', '%EF%BC%A1'],
  ['turns the direction of text', '%E2%80%AEevil'],
  ['has a tab', 'a%09b'],
  ['is a star', '*'],
  ['is a space', '%20'],
];

/** At the doors that an id leads to; one for each way that ids go into the relay. */
export const ID_ROWS: readonly Row[] = [
  ...BAD_IDS.map(([name, id, throughNginx]): Row => ({
    name: `a vibe whose id ${name}`,
    send: get(`/stream/${id}`),
    expect: BAD_ID,
    ...(throughNginx ? { throughNginx } : {}),
  })),
  ...BAD_IDS.slice(0, 16).map(([name, id, throughNginx]): Row => ({
    name: `the start of one whose id ${name}`,
    send: post(`/stream/${id}/start`, json({ creator: 'mallory' })),
    expect: BAD_ID,
    ...(throughNginx ? { throughNginx } : {}),
  })),
  {
    name: 'a path that climbs out',
    send: get('/stream/a/../../b'),
    expect: NOT_FOUND,
  },
  {
    name: 'a lone percent sign',
    send: get('/stream/%'),
    expect: { status: 400, code: 'bad-request' },
    throughNginx: NGINX_400,
  },
  {
    name: 'an escape that is none',
    send: get('/stream/%zz'),
    expect: { status: 400, code: 'bad-request' },
    throughNginx: NGINX_400,
  },
  {
    name: 'an escape that is no UTF-8',
    send: get('/stream/%ff%fe'),
    expect: { status: 400, code: 'bad-request' },
  },
  {
    name: 'an overlong slash',
    send: get('/stream/..%c0%afetc'),
    expect: { status: 400, code: 'bad-request' },
  },
  {
    name: 'bytes beyond ASCII in the path',
    send: wire('GET /stream/caf\u00e9 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
    expect: { status: 400 },
  },
  {
    name: 'the name of a member of every object',
    send: get('/stream/constructor'),
    expect: { status: 404, code: 'vibe-not-found' },
  },
  {
    name: 'another such name',
    send: get('/stream/toString'),
    expect: { status: 404, code: 'vibe-not-found' },
  },
  {
    name: 'joining the vibe hasOwnProperty',
    send: post('/stream/hasOwnProperty/join', json({})),
    expect: { status: 404, code: 'vibe-not-found' },
  },
  {
    name: 'the id of another system’s player',
    send: get('/vibestream/..%2f..%2fetc'),
    expect: BAD_ID,
    throughNginx: NGINX_400,
  },
  {
    name: 'the control vibe in other letters',
    send: get('/stream/CONTROL'),
    expect: { status: 404, code: 'vibe-not-found' },
  },
  { name: 'a slash behind the id', send: get('/stream/control/'), expect: NOT_FOUND },
  { name: 'a door in capitals', send: get('/Stream/control'), expect: NOT_FOUND },
  { name: 'two slashes', send: get('//stream/control'), expect: NOT_FOUND },
  { name: 'a path of 12 kB', send: get(`/${'x'.repeat(12_000)}`), expect: { status: 404 } },
  {
    name: 'a whole URL for a path',
    send: get('http://evil.example/health'),
    expect: { status: 400, code: 'bad-request' },
    throughNginx: { status: 421, code: 'wrong-host' },
  },
  {
    name: 'a file beside the pages’',
    send: get('/assets/..%2f..%2fpackage.json'),
    expect: NOT_FOUND,
    throughNginx: { status: [400, 404] },
  },
  {
    name: 'a file beside the pages’, by Windows’ slash',
    send: get('/assets/..%5c..%5cpackage.json'),
    expect: NOT_FOUND,
  },
  { name: 'a hidden file', send: get('/assets/.env'), expect: NOT_FOUND },
  { name: 'the settings', send: get('/.env'), expect: NOT_FOUND },
  { name: 'the repository', send: get('/.git/config'), expect: NOT_FOUND },
  { name: 'SRS’s API that kicks clients', send: post('/api/v1/clients/1'), expect: NOT_FOUND },
  { name: 'SRS’s API with a callback', send: get('/api/v1/vhosts?callback=steal'), expect: NOT_FOUND },
  { name: 'SRS’s console', send: get('/console/'), expect: NOT_FOUND },
];
