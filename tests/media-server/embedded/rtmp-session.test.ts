import net from 'node:net';
import { Channels } from '../../../src/media-server/embedded/channels';
import { type AmfValue, decodeAmf0, encodeAmf0 } from '../../../src/media-server/rtmp/amf0';
import { rtmpChunks, RtmpChunkReader, type RtmpMessage } from '../../../src/media-server/rtmp/chunks';
import { RtmpServer } from '../../../src/media-server/embedded/rtmp-server';
import { FakeClock } from '../../helpers/fake-clock';
import { eventually } from '../../helpers/eventually';
import { freePort } from '../../helpers/free-port';

const COMMAND = 20;
const AUDIO = 8;
const CONFIG = Buffer.from('af00119056e500', 'hex');
const FRAME = Buffer.from('af01214f00', 'hex');

/** A publisher by hand: says what a test wants, and remembers the answers. */
class Client {
  readonly messages: RtmpMessage[] = [];
  /** Everything as it came, after the handshake. */
  readonly received: Buffer[] = [];
  readonly closed: Promise<void>;
  readonly #socket: net.Socket;
  readonly #reader = new RtmpChunkReader((message) => this.messages.push(message));
  #handshakeBytes = 1 + 2 * 1536;

  constructor(port: number) {
    this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.on('data', (bytes: Buffer) => {
      const skipped = Math.min(this.#handshakeBytes, bytes.length);
      this.#handshakeBytes -= skipped;
      this.received.push(bytes.subarray(skipped));
      this.#reader.push(bytes.subarray(skipped));
    });
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  shakeHands(): void {
    this.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(2 * 1536)]));
  }

  command(...values: AmfValue[]): void {
    this.send(COMMAND, encodeAmf0(...values));
  }

  send(type: number, payload: Buffer): void {
    this.write(rtmpChunks({ chunkStream: 3, type, payload }));
  }

  /** As far as `publish`; what follows need not wait for any answer. */
  publish(name: string, app = 'live'): void {
    this.shakeHands();
    this.command('connect', 1, { app });
    this.command('createStream', 2, null);
    this.command('publish', 3, null, name, 'live');
  }

  /** The answer whose information object has this code. */
  async status(code: string): Promise<AmfValue[]> {
    return eventually(code, () =>
      this.messages
        .filter(({ type }) => type === COMMAND)
        .map(({ payload }) => decodeAmf0(payload))
        .find((values) => (values[3] as { code?: string } | undefined)?.code === code),
    );
  }
}

describe('an RTMP connection', () => {
  const clock = new FakeClock();
  const ends: unknown[] = [];
  const faults: string[] = [];
  const channels = new Channels(clock, {
    published: () => undefined,
    unpublished: (end) => ends.push(end),
    received: () => undefined,
    listeners: () => undefined,
    cut: () => undefined,
  });
  const server = new RtmpServer(channels, clock, (fault) => faults.push(fault));
  let port = 0;

  beforeAll(async () => server.listen((port = await freePort())));
  beforeEach(() => {
    ends.length = 0;
    faults.length = 0;
  });
  afterAll(async () => {
    await server.close();
    channels.close();
    clock.advance(60_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('publishes, and counts every frame up to the last byte before its end', async () => {
    const client = new Client(port);
    client.publish('demo?token=t1&x=y');
    client.send(AUDIO, CONFIG);
    for (let frame = 0; frame < 500; frame += 1) client.send(AUDIO, FRAME);
    client.end();
    await client.closed;
    await eventually('the end', () => ends.length > 0);
    expect(ends).toEqual([{ vibeId: 'demo', token: 't1', aacFrames: 500 }]);
    expect(faults).toEqual([]);
  });

  it('ends its publish when it says so, with the connection', async () => {
    const client = new Client(port);
    client.publish('demo');
    client.send(AUDIO, CONFIG);
    client.send(AUDIO, FRAME);
    client.command('deleteStream', 4, null, 1);
    await client.closed;
    expect(ends).toEqual([{ vibeId: 'demo', token: '', aacFrames: 1 }]);
  });

  it('is told that it may, with the level and the code that publishers look for', async () => {
    const client = new Client(port);
    client.publish('told');
    const connected = await client.status('NetConnection.Connect.Success');
    expect(connected.slice(0, 2)).toEqual(['_result', 1]);
    expect(await client.status('NetStream.Publish.Start')).toMatchObject([
      'onStatus',
      0,
      null,
      { level: 'status' },
    ]);
    client.end();
    await client.closed;
  });

  it('is told to send long chunks, and is sent such: an AAC frame is then one piece and not several', async () => {
    const client = new Client(port);
    client.publish('long-chunks');
    await client.status('NetStream.Publish.Start');
    const received = Buffer.concat(client.received);
    // Chunk stream 2, time 0, four bytes, type 1, stream 0, and the size: 60,000.
    const order = Buffer.from('02 000000 000004 01 00000000 0000ea60'.replaceAll(' ', ''), 'hex');
    expect(received.includes(order)).toBe(true);
    // What comes after it has no chunk headers in it, although it is longer than RTMP's 128 bytes.
    const { payload } = client.messages.find(({ type }) => type === COMMAND) as RtmpMessage;
    expect(payload.length).toBeGreaterThan(128);
    expect(received.indexOf(payload)).toBeGreaterThan(received.indexOf(order));
    client.end();
    await client.closed;
  });

  it('is told that the name is busy', async () => {
    const [first, second] = [new Client(port), new Client(port)];
    first.publish('busy');
    await first.status('NetStream.Publish.Start');
    second.publish('busy');
    expect(await second.status('NetStream.Publish.BadName')).toMatchObject([
      'onStatus',
      0,
      null,
      { level: 'error', description: 'busy is published already.' },
    ]);
    await second.closed;
    first.end();
    await first.closed;
  });

  it.each([
    ['another app', 'demo', 'other', 'NetConnection.Connect.Rejected'],
    ['a name that is no vibe id', 'a.b', 'live', 'NetStream.Publish.BadName'],
    ['no name', '?token=x', 'live', 'NetStream.Publish.BadName'],
  ])('is refused for %s', async (_, name, app, code) => {
    const client = new Client(port);
    client.publish(name, app);
    await client.status(code);
    await client.closed;
    expect(ends).toEqual([]);
  });

  it('cannot play', async () => {
    const client = new Client(port);
    client.shakeHands();
    client.command('connect', 1, { app: 'live' });
    client.command('play', 2, null, 'demo');
    await client.status('NetStream.Play.Failed');
    await client.closed;
  });

  it('gets a pong for a ping, and acknowledgements as often as it asked', async () => {
    const client = new Client(port);
    client.publish('acknowledged');
    await client.status('NetStream.Publish.Start');
    client.send(5, Buffer.from([0, 1, 0, 0]));
    client.send(4, Buffer.from([0, 6, 1, 2, 3, 4]));
    client.send(AUDIO, CONFIG);
    const body = Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(7_000)]);
    for (let frame = 0; frame < 10; frame += 1) client.send(AUDIO, body);
    await eventually('an acknowledgement', () => client.messages.find(({ type }) => type === 3));
    const pong = client.messages.find(({ type }) => type === 4);
    expect(pong?.payload.toString('hex')).toBe('000701020304');
    client.end();
    await client.closed;
  });

  it.each([
    ['HTTP', 'this is not RTMP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['broken chunks', 'continues what never began', afterHandshake(Buffer.from([0xc4]))],
    [
      'broken AMF0',
      'AMF0',
      afterHandshake(rtmpChunks({ chunkStream: 3, type: COMMAND, payload: Buffer.from([99]) })),
    ],
  ])('is given up over %s', async (_, fault, bytes) => {
    const client = new Client(port);
    client.write(bytes);
    await client.closed;
    expect(faults).toEqual([expect.stringContaining(fault)]);
  });

  it.each([
    ['audio that is not AAC', [Buffer.from([0x2f, 1, 2])]],
    ['AAC before its configuration', [FRAME]],
    [
      'a frame that ADTS cannot carry',
      [CONFIG, Buffer.concat([Buffer.from([0xaf, 1]), Buffer.alloc(8_185)])],
    ],
  ])('is given up over %s', async (_, bodies) => {
    const client = new Client(port);
    client.publish('wrong');
    for (const body of bodies) client.send(AUDIO, body);
    await client.closed;
    expect(faults).toHaveLength(1);
    expect(ends).toEqual([{ vibeId: 'wrong', token: '', aacFrames: 0 }]);
  });

  it('is given up when it publishes nothing for 10 s', async () => {
    const client = new Client(port);
    client.shakeHands();
    client.command('connect', 1, { app: 'live' });
    await client.status('NetConnection.Connect.Success');
    clock.advance(10_000);
    await client.closed;
    expect(faults).toEqual(['nothing was published in time']);
  });

  it('takes no video, and does not mind it', async () => {
    const client = new Client(port);
    client.publish('video');
    client.send(AUDIO, CONFIG);
    client.send(9, Buffer.alloc(100_000, 1));
    client.send(AUDIO, FRAME);
    client.end();
    await client.closed;
    await eventually('the end', () => ends.length > 0);
    expect(ends).toEqual([{ vibeId: 'video', token: '', aacFrames: 1 }]);
  });
});

function afterHandshake(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([3]), Buffer.alloc(2 * 1536), bytes]);
}
