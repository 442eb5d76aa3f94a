import type { Row } from '../row';
import {
  BINARY,
  binary,
  close,
  CONTINUATION,
  frame,
  get,
  hello,
  PING,
  request,
  type Step,
  text,
  TEXT,
  upgrade,
} from '../wire';

type Door = 'audio' | 'events';

const FORBIDDEN = { status: 403, code: 'forbidden' } as const;

/** What can be refused before the upgrade: as HTTP. */
export function upgradeRows(door: Door): readonly Row[] {
  const at = `/stream/control/${door}`;
  return [
    { name: 'a plain GET', send: get(at), expect: { status: 426, code: 'upgrade-required' } },
    {
      name: 'version 7 of the protocol',
      send: upgrade(at, { 'Sec-WebSocket-Version': '7' }),
      expect: { status: 426, code: 'upgrade-required', headers: { 'sec-websocket-version': '13' } },
    },
    {
      name: 'a key that is none',
      send: upgrade(at, { 'Sec-WebSocket-Key': 'short' }),
      expect: { status: 400, code: 'bad-request' },
    },
    {
      name: 'an upgrade by POST',
      send: request('POST', at, {
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        },
      }),
      expect: { status: 400, code: 'bad-request' },
    },
    {
      name: 'a page of another origin',
      send: upgrade(at, { Origin: 'https://evil.example' }),
      expect: FORBIDDEN,
    },
    {
      name: 'a page of an origin that begins like an allowed one',
      send: upgrade(at, { Origin: 'https://app.example.evil.example' }),
      expect: FORBIDDEN,
    },
    { name: 'a page without an origin', send: upgrade(at, { Origin: 'null' }), expect: FORBIDDEN },
    {
      name: 'a vibe id that climbs',
      send: upgrade(`/stream/..%2f..%2fetc/${door}`),
      expect: { status: 400, code: 'invalid-vibe-id' },
      throughNginx: { status: 400 },
    },
    {
      name: 'a vibe id with a dot',
      send: upgrade(`/stream/a.b/${door}`),
      expect: { status: 400, code: 'invalid-vibe-id' },
    },
    {
      name: 'an escape that is none',
      send: upgrade(`/stream/%zz/${door}`),
      expect: { status: 400, code: 'bad-request' },
      throughNginx: { status: 400 },
    },
    {
      name: 'a WebSocket where there is none',
      send: upgrade('/stream/control/nowhere'),
      expect: { status: 404, code: 'not-found' },
    },
    {
      name: 'a WebSocket to the list',
      send: upgrade('/streams/active'),
      expect: { status: 404, code: 'not-found' },
    },
    { name: 'a slash behind the door', send: upgrade(`${at}/`), expect: { status: 404, code: 'not-found' } },
  ];
}

/** Frames that no client may send, whatever the door. */
export function frameRows(door: Door, on: Step): readonly Row[] {
  return [
    {
      name: 'a frame that is not masked',
      send: [on, frame(TEXT, '{}', { masked: false })],
      expect: { close: 1002 },
    },
    { name: 'a reserved bit', send: [on, frame(TEXT, '{}', { rsv: 1 })], expect: { close: 1002 } },
    {
      name: 'a compressed frame that nobody agreed on',
      send: [on, frame(TEXT, '{}', { rsv: 4 })],
      expect: { close: 1002 },
    },
    { name: 'a kind of frame that is none', send: [on, frame(3, 'x')], expect: { close: 1002 } },
    {
      name: 'a control frame of 126 bytes',
      send: [on, frame(PING, 'x'.repeat(126))],
      expect: { close: 1002 },
    },
    {
      name: 'a control frame in pieces',
      send: [on, frame(PING, 'x', { fin: false })],
      expect: { close: 1002 },
    },
    { name: 'a continuation of nothing', send: [on, frame(CONTINUATION, 'x')], expect: { close: 1002 } },
    {
      name: 'a message within a message',
      send: [on, frame(TEXT, 'a', { fin: false }), frame(TEXT, 'b')],
      expect: { close: 1002 },
    },
    {
      name: 'text that is no UTF-8',
      send: [on, frame(TEXT, Buffer.from([0xc3, 0x28]))],
      expect: { close: 1007 },
    },
    {
      name: 'a length of 2^53',
      send: [on, frame(BINARY, '', { length: Number.MAX_SAFE_INTEGER })],
      expect: { close: 1009 },
    },
    {
      name: 'a message above the most',
      send: [on, frame(BINARY, '', { length: 3_000_000 })],
      expect: { close: 1009 },
    },
    {
      name: 'twenty thousand fragments of a byte',
      send: [
        on,
        Buffer.concat([
          frame(BINARY, 'x', { fin: false }),
          ...Array<Buffer>(20_000).fill(frame(CONTINUATION, 'x', { fin: false })),
        ]),
      ],
      expect: { close: 1008 },
    },
    {
      name: 'twenty thousand fragments of nothing',
      send: [
        on,
        Buffer.concat([
          frame(BINARY, '', { fin: false }),
          ...Array<Buffer>(20_000).fill(frame(CONTINUATION, '', { fin: false })),
        ]),
      ],
      expect: { close: 1008 },
    },
    {
      name: 'a flood of pings',
      send: [on, Buffer.concat(Array<Buffer>(1_200).fill(frame(PING, 'x')))],
      expect: { close: 4429, code: 'buffer-full' },
    },
    { name: 'a close with a code that must not be sent', send: [on, close(1005)], expect: { close: 1002 } },
    { name: 'a close with a code that is none', send: [on, close(999)], expect: { close: 1002 } },
    { name: 'a close of one byte', send: [on, frame(8, 'x')], expect: { close: 1002 } },
    {
      name: 'a close whose reason is no UTF-8',
      send: [on, frame(8, Buffer.from([3, 0xe8, 0xc3, 0x28]))],
      expect: { close: 1007 },
    },
    { name: 'a close in order', send: [on, close(1000, 'bye')], expect: { close: 1000 } },
  ].map((row) => ({ ...row, name: `${door}: ${row.name}` }));
}

const NEW = upgrade('/stream/{id}/audio');
const BAD_REQUEST = { close: 4400, code: 'bad-request' } as const;
const BAD_FIELD = { close: 4400, code: 'invalid-field' } as const;
const UNSUPPORTED = { close: 4415, code: 'unsupported-format' } as const;
const CHUNK = Buffer.alloc(3_840, 1);

/** What a creator may not say. */
export const CREATOR_ROWS: readonly Row[] = [
  {
    name: 'text that is no JSON',
    send: [NEW, text('garbage')],
    expect: { close: 4400, code: 'invalid-json' },
  },
  {
    name: 'a hundred thousand brackets',
    send: [NEW, text('['.repeat(100_000))],
    expect: { close: 4400, code: 'invalid-json' },
  },
  { name: 'a message of another type', send: [NEW, text('{"type":"start"}')], expect: BAD_FIELD },
  { name: 'a list', send: [NEW, text('[]')], expect: BAD_FIELD },
  {
    name: 'a hello with a format that nobody knows',
    send: [NEW, hello({ format: 'mp3' })],
    expect: UNSUPPORTED,
  },
  { name: 'a hello with 0 channels', send: [NEW, hello({ channels: 0 })], expect: UNSUPPORTED },
  { name: 'a hello with a rate of 7999', send: [NEW, hello({ sampleRate: 7_999 })], expect: UNSUPPORTED },
  {
    name: 'a hello with a creator of 257 letters',
    send: [NEW, hello({ creator: 'x'.repeat(257) })],
    expect: BAD_FIELD,
  },
  {
    name: 'a hello with a line break in its name',
    send: [NEW, hello({ creator: 'a\nb' })],
    expect: BAD_FIELD,
  },
  {
    name: 'a format in the query that nobody knows',
    send: upgrade('/stream/{id}/audio?format=mp3'),
    expect: UNSUPPORTED,
  },
  {
    name: 'the same parameter twice',
    send: upgrade('/stream/{id}/audio?creator=a&creator=b'),
    expect: { status: 400, code: 'invalid-field' },
  },
  {
    name: 'a name with a line break in the query',
    send: upgrade('/stream/{id}/audio?creator=a%0ab'),
    expect: { status: 400, code: 'invalid-field' },
  },
  {
    name: 'a torn sample',
    send: [NEW, binary(Buffer.alloc(5))],
    expect: { close: 4400, code: 'torn-sample' },
  },
  {
    name: 'a message without audio',
    send: [NEW, binary(Buffer.alloc(0))],
    expect: { close: 4400, code: 'empty-audio' },
  },
  {
    name: 'a second hello',
    send: [NEW, hello({ creator: 'ann' }), hello({ creator: 'ann' })],
    expect: { ...BAD_REQUEST, changes: true },
  },
  {
    name: 'text after audio',
    send: [NEW, binary(CHUNK), text('{}')],
    expect: { ...BAD_REQUEST, changes: true },
  },
  {
    name: 'more than the buffer holds',
    send: [
      upgrade('/stream/{id}/audio?sampleRate=8000&channels=1'),
      ...Array.from({ length: 17 }, () => binary(Buffer.alloc(32_000))),
    ],
    expect: { close: 4429, code: 'buffer-full', changes: true },
  },
  {
    name: 'a message longer than the buffer',
    send: [upgrade('/stream/{id}/audio?sampleRate=8000&channels=1'), binary(Buffer.alloc(600_000))],
    expect: { close: 1009, code: 'too-large' },
  },
  {
    name: 'another creator’s vibe, in the query',
    send: upgrade('/stream/control/audio?creator=mallory&sampleRate=48000'),
    expect: { close: 4403, code: 'wrong-creator' },
  },
  {
    name: 'another creator’s vibe, in the hello',
    send: [upgrade('/stream/control/audio'), hello({ creator: 'mallory' })],
    expect: { close: 4403, code: 'wrong-creator' },
  },
  {
    name: 'audio for it under no name',
    send: [upgrade('/stream/control/audio'), binary(CHUNK)],
    expect: { close: 4403, code: 'wrong-creator' },
  },
  {
    name: 'its creator in another format',
    send: [upgrade('/stream/control/audio'), hello({ creator: 'an-honest-creator', sampleRate: 44_100 })],
    expect: { close: 4415, code: 'format-changed' },
  },
  {
    name: 'a claimed vibe without its key',
    given: [
      request('POST', '/stream/{id}/start', {
        content: { type: 'application/json', body: '{"creator":"ann","claim":true}' },
      }),
    ],
    send: [NEW, hello({ creator: 'ann' })],
    expect: { close: 4401, code: 'unauthorized' },
  },
  {
    name: 'a claimed vibe with another key',
    given: [
      request('POST', '/stream/{id}/start', {
        content: { type: 'application/json', body: '{"creator":"ann","claim":true}' },
      }),
    ],
    send: [upgrade('/stream/{id}/audio?token=AAAAAAAAAAAA'), hello({ creator: 'ann' })],
    expect: { close: 4403, code: 'wrong-owner-key' },
  },
  {
    name: 'a peer that never reads nor answers a ping',
    send: [NEW, { pauseMs: 21_000 }],
    expect: { close: [1006, 1005], betweenMs: [18_000, 24_500] },
    slow: true,
  },
];

/** What a listener to events may not do: it has nothing to say. */
export const EVENTS_ROWS: readonly Row[] = [
  {
    name: 'events of what is not there',
    send: upgrade('/stream/{id}/events'),
    expect: { close: 4404, code: 'vibe-not-found' },
  },
  {
    name: 'a message of 5 kB',
    send: [upgrade('/stream/control/events'), text('x'.repeat(5_000))],
    expect: { close: 1009 },
  },
];
