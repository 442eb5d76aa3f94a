import { type AmfValue, encodeAmf0 } from '../../../src/media-server/rtmp/amf0';
import { MESSAGE, rtmpChunks } from '../../../src/media-server/rtmp/chunks';
import { seededRandom } from '../../helpers/music';
import type { Row } from '../row';
import { get, wire } from '../wire';

/** Version 3, our time, and bytes of no meaning; then what the other side is told of its own, which nobody compares. */
const HANDSHAKE = Buffer.concat([Buffer.from([3]), Buffer.alloc(1_536), Buffer.alloc(1_536)]);
/** The server's side of it comes first, whatever is refused then. */
const REFUSED = /NetStream\.Publish\.BadName/;
const CLOSED = /^(?![^]*(Publish\.Start|Play\.Start))/;

function message(type: number, payload: Buffer, chunkStream = 3): Buffer {
  return rtmpChunks({ chunkStream, type, payload, streamId: 1 });
}

function command(...values: AmfValue[]): Buffer {
  return message(MESSAGE.commandAmf0, encodeAmf0(...values));
}

function connect(app = 'live', more: Record<string, string> = {}): Buffer {
  return command('connect', 1, { app, tcUrl: `rtmp://127.0.0.1/${app}`, ...more });
}

/** A whole conversation up to the wish to publish, said in one go. */
export function publish(stream: string, app = 'live'): Buffer {
  return Buffer.concat([
    HANDSHAKE,
    connect(app),
    command('createStream', 2, null),
    command('publish', 3, null, stream, 'live'),
  ]);
}

function afterConnect(...said: Buffer[]): Buffer {
  return Buffer.concat([HANDSHAKE, connect(), ...said]);
}

function noise(bytes: number, seed: number): Buffer {
  const random = seededRandom(seed);
  return Buffer.from(Array.from({ length: bytes }, () => Math.floor(random() * 256)));
}

const refuse = (name: string, stream: string, app?: string): Row => ({
  name,
  send: publish(stream, app),
  expect: { body: REFUSED },
});
const hangsUp = (name: string, send: Row['send']): Row => ({ name, send, expect: { body: CLOSED } });

/** At the port where encoders publish. */
export const RTMP_ROWS: readonly Row[] = [
  { name: 'a request of HTTP', send: get('/'), expect: { silence: true } },
  {
    name: 'the hello of TLS',
    send: wire('', Buffer.from('16030100050100000103', 'hex')),
    expect: { silence: true },
  },
  { name: 'noise', send: noise(4_096, 1), expect: { silence: true } },
  { name: 'RTMPE', send: Buffer.concat([Buffer.from([6]), Buffer.alloc(1_536)]), expect: { silence: true } },
  hangsUp('noise after a handshake', Buffer.concat([HANDSHAKE, noise(8_192, 2)])),
  refuse('a publish of a vibe on the air, without a token', 'control'),
  refuse('a publish of it with an empty token', 'control?token='),
  refuse(
    'a publish of it with a token that somebody made up',
    'control?token=0123456789abcdef0123456789abcdef',
  ),
  refuse('a publish of it with two tokens', 'control?token=a&token=b'),
  refuse('a publish without a name', ''),
  refuse('a name that climbs', '../control'),
  refuse('a name with a vhost as SRS reads it', 'control...vhost...evil'),
  refuse('a vhost in the query', 'control?vhost=evil'),
  refuse('a name like an option', '-report'),
  refuse('a name with a dot', 'control.flv'),
  refuse('a name with a zero byte', 'control\0x'),
  refuse('a name of 129 letters', 'x'.repeat(129)),
  refuse('a vhost in the app', 'control', 'live?vhost=evil'),
  refuse('an app with more of a path', 'control', 'live/../admin'),
  {
    name: 'another app',
    send: Buffer.concat([HANDSHAKE, connect('admin')]),
    expect: { body: /NetConnection\.Connect\.Rejected/ },
  },
  {
    name: 'an app that is empty',
    send: Buffer.concat([HANDSHAKE, connect('')]),
    expect: { body: /NetConnection\.Connect\.Rejected/ },
  },
  {
    name: 'an app that is no text',
    send: Buffer.concat([HANDSHAKE, command('connect', 1, { app: 7 })]),
    expect: { body: /NetConnection\.Connect\.Rejected/ },
  },
  {
    name: 'a connect without an object',
    send: Buffer.concat([HANDSHAKE, command('connect', 1)]),
    expect: { body: /NetConnection\.Connect\.Rejected/ },
  },
  {
    name: 'a player',
    send: afterConnect(command('createStream', 2, null), command('play', 3, null, 'control')),
    expect: { body: /NetStream\.Play\.Failed/ },
  },
  {
    name: 'a publish of a number',
    send: afterConnect(command('publish', 3, null, 7)),
    expect: { body: REFUSED },
  },
  {
    name: 'a publish before the connect',
    send: Buffer.concat([HANDSHAKE, command('publish', 3, null, 'control')]),
    expect: { body: REFUSED },
  },
  hangsUp('a message of 16 MB', afterConnect(Buffer.from([3, 0, 0, 0, 0xff, 0xff, 0xff, 8, 0, 0, 0, 0]))),
  hangsUp('a chunk that continues what never began', afterConnect(Buffer.from([0xc0 | 9, 0, 0, 0]))),
  hangsUp('chunks of 0 bytes', afterConnect(message(MESSAGE.setChunkSize, Buffer.alloc(4), 2))),
  hangsUp('chunks of 4 GB', afterConnect(message(MESSAGE.setChunkSize, Buffer.alloc(4, 0xff), 2))),
  hangsUp(
    'hundreds of chunk streams',
    afterConnect(
      ...Array.from({ length: 60 }, (_, n) =>
        message(MESSAGE.audio, Buffer.alloc(200), n + 4).subarray(0, 140),
      ),
      ...Array.from({ length: 20 }, (_, n) =>
        Buffer.concat([Buffer.from([0, n, 0, 0, 0, 0, 0, 200, 8, 1, 0, 0, 0]), Buffer.alloc(128)]),
      ),
    ),
  ),
  hangsUp(
    'objects a thousand deep',
    afterConnect(
      message(
        MESSAGE.commandAmf0,
        Buffer.concat([
          encodeAmf0('connect', 1),
          Buffer.from('030001 61'.replace(/ /g, '').repeat(1_000), 'hex'),
        ]),
      ),
    ),
  ),
  hangsUp(
    'a list of four thousand million',
    afterConnect(message(MESSAGE.commandAmf0, Buffer.from('0affffffff', 'hex'))),
  ),
  hangsUp(
    'a text that ends early',
    afterConnect(message(MESSAGE.commandAmf0, Buffer.from('02ffff61', 'hex'))),
  ),
  hangsUp(
    'a kind of value that is none',
    afterConnect(message(MESSAGE.commandAmf0, Buffer.from('7f', 'hex'))),
  ),
  {
    name: 'a connection that says nothing',
    send: wire(''),
    expect: { silence: true, betweenMs: [9_000, 14_000] },
    slow: true,
  },
  {
    name: 'a handshake and no more',
    send: HANDSHAKE,
    expect: { body: CLOSED, betweenMs: [9_000, 14_000] },
    slow: true,
  },
  {
    name: 'commands without end, and never a publish',
    send: [HANDSHAKE, { bytes: command('_checkbw', 4, null), times: 120, everyMs: 100 }],
    expect: { body: CLOSED, betweenMs: [9_000, 14_000] },
    slow: true,
  },
  {
    name: 'audio that nobody may publish',
    send: [afterConnect(), { bytes: message(MESSAGE.audio, noise(400, 3)), times: 120, everyMs: 100 }],
    expect: { body: CLOSED, betweenMs: [9_000, 14_000] },
    slow: true,
  },
];
