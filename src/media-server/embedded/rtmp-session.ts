import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../base/clock';
import { type AmfObject, type AmfValue, decodeAmf0, encodeAmf0 } from '../rtmp/amf0';
import { isStreamName } from './names';
import { MESSAGE, rtmpChunks, RtmpChunkReader, type RtmpMessage } from '../rtmp/chunks';

/** What a session asks and tells its server. */
export interface RtmpSessionHandlers {
  /** A publisher names its stream. Returns why it may not, or nothing where it may. */
  onPublish(session: RtmpSession): string | undefined;
  /** The body of an audio tag; a view. */
  onAudio(session: RtmpSession, body: Buffer): void;
  /** What the publisher says about its stream. */
  onMetadata(session: RtmpSession, members: AmfObject): void;
  /** The end of what was published, once; all audio received was told before. */
  onUnpublish(session: RtmpSession): void;
  /** The connection was given up because of what the publisher did. */
  onFault(session: RtmpSession, fault: string): void;
}

const VERSION = 3;
const HANDSHAKE_BYTES = 1536;
/** From the connection to `publish`; FFmpeg takes milliseconds. */
const PUBLISH_WITHIN_MS = 10_000;
const APP = 'live';
const STREAM_ID = 1;
/** What a peer may send before it wants to hear of it. Nothing waits for that here: TCP has a window of its own. */
const WINDOW_BYTES = 2_500_000;
/**
 * How long the chunks of either side may be from `connect` on. FFmpeg takes over what it is told (as SRS tells it, too):
 * left with RTMP's 128 bytes, it sends a frame of 128 kbit/s in seven pieces, each with a system call of its own and a
 * packet that wakes this process.
 */
const CHUNK_BYTES = 60_000;
const CONTROL_CHUNKS = 2;
const COMMAND_CHUNKS = 3;
const STREAM_CHUNKS = 5;
const LIMIT_DYNAMIC = 2;
const PING = 6;
const PONG = 7;

/** One RTMP connection. It can publish one AAC stream to the app `live`, and nothing else. */
export class RtmpSession {
  readonly #socket: Socket;
  readonly #handlers: RtmpSessionHandlers;
  readonly #chunks: RtmpChunkReader;
  readonly #deadline: Timer;
  #handshake: Buffer | undefined = Buffer.alloc(0);
  #handshakeAnswered = false;
  #state: 'open' | 'publishing' | 'over' = 'open';
  #vibeId = '';
  #token = '';
  #receivedBytes = 0;
  #acknowledgedBytes = 0;
  #peerWindowBytes = Infinity;
  /** Of what is sent. */
  #chunkBytes: number | undefined;

  constructor(socket: Socket, clock: Clock, handlers: RtmpSessionHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#chunks = new RtmpChunkReader((message) => this.#message(message));
    this.#deadline = clock.after(PUBLISH_WITHIN_MS, () => this.#fault('nothing was published in time'));
    // Without it each of the handshake's answers would wait for an acknowledgement that is delayed by 40 ms.
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('end', () => this.close());
    socket.on('error', () => undefined);
    socket.on('close', () => this.close());
  }

  /** The name that is published; empty before. */
  get vibeId(): string {
    return this.#vibeId;
  }

  /** The query's `token`; empty where there was none. */
  get token(): string {
    return this.#token;
  }

  /** Whether its connection still stands, both ways. */
  get isAlive(): boolean {
    return this.#state !== 'over' && this.#socket.readyState === 'open';
  }

  /** Ends it at once. What was received counts. Idempotent. */
  close(): void {
    this.#finish();
    this.#socket.destroy();
  }

  #finish(): void {
    this.#deadline.cancel();
    this.#chunks.stop();
    const published = this.#state === 'publishing';
    this.#state = 'over';
    if (published) this.#handlers.onUnpublish(this);
  }

  #fault(fault: string): void {
    if (this.#state === 'over') return;
    this.#handlers.onFault(this, fault);
    this.close();
  }

  #receive(bytes: Buffer): void {
    if (this.#state === 'over') return;
    try {
      const rest = this.#handshake ? this.#shakeHands(Buffer.concat([this.#handshake, bytes])) : bytes;
      this.#acknowledge(bytes.length);
      if (rest.length > 0) this.#chunks.push(rest);
    } catch (error) {
      this.#fault(error instanceof Error ? error.message : String(error));
    }
  }

  /** The plain handshake. Returns what follows it; while it lasts, nothing. */
  #shakeHands(bytes: Buffer): Buffer {
    this.#handshake = bytes;
    if (bytes.length > 0 && bytes[0] !== VERSION) throw new Error('this is not RTMP');
    const helloBytes = 1 + HANDSHAKE_BYTES;
    if (!this.#handshakeAnswered && bytes.length >= helloBytes) {
      this.#handshakeAnswered = true;
      // Our time and version are zero: that says "no digests", and the peer does not look for any.
      const hello = Buffer.concat([
        Buffer.from([VERSION]),
        Buffer.alloc(8),
        randomBytes(HANDSHAKE_BYTES - 8),
      ]);
      this.#socket.write(Buffer.concat([hello, bytes.subarray(1, helloBytes)]));
    }
    if (bytes.length < helloBytes + HANDSHAKE_BYTES) return Buffer.alloc(0);
    this.#handshake = undefined;
    return bytes.subarray(helloBytes + HANDSHAKE_BYTES);
  }

  #acknowledge(bytes: number): void {
    this.#receivedBytes += bytes;
    if (this.#receivedBytes - this.#acknowledgedBytes < this.#peerWindowBytes) return;
    this.#acknowledgedBytes = this.#receivedBytes;
    this.#write(CONTROL_CHUNKS, MESSAGE.acknowledgement, uint32(this.#receivedBytes));
  }

  #message({ type, payload }: RtmpMessage): void {
    switch (type) {
      case MESSAGE.audio:
        if (this.#state === 'publishing') this.#handlers.onAudio(this, payload);
        return;
      case MESSAGE.dataAmf0:
        if (this.#state === 'publishing') this.#data(decodeAmf0(payload));
        return;
      case MESSAGE.commandAmf0:
        return this.#command(decodeAmf0(payload));
      case MESSAGE.windowSize:
        if (payload.length >= 4) this.#peerWindowBytes = Math.max(payload.readUInt32BE(0), 0x1_0000);
        return;
      case MESSAGE.userControl:
        if (payload.length >= 6 && payload.readUInt16BE(0) === PING)
          this.#write(CONTROL_CHUNKS, MESSAGE.userControl, Buffer.from([0, PONG, ...payload.subarray(2, 6)]));
        return;
      default:
      // Video, acknowledgements, and what nobody needs for audio: thrown away.
    }
  }

  #data(values: AmfValue[]): void {
    const [name, members] = values[0] === '@setDataFrame' ? values.slice(1) : values;
    if (name === 'onMetaData' && isObject(members)) this.#handlers.onMetadata(this, members);
  }

  #command(values: AmfValue[]): void {
    const [name, transaction, argument, target] = values;
    switch (typeof name === 'string' ? name : '') {
      case 'connect':
        return this.#connect(transaction, argument);
      case 'createStream':
        return this.#reply('_result', transaction, null, STREAM_ID);
      case 'publish':
        return this.#publish(target);
      case 'play':
      case 'play2':
        return this.#refuse('NetStream.Play.Failed', 'Streams are played over HTTP.');
      case 'closeStream':
      case 'deleteStream':
        this.#finish();
        this.#socket.end();
        return;
      default:
      // releaseStream, FCPublish, FCUnpublish, _checkbw: publishers send them and wait for no answer.
    }
  }

  #connect(transaction: AmfValue, argument: AmfValue): void {
    const app = isObject(argument) ? argument['app'] : undefined;
    if (typeof app !== 'string' || app.replace(/[/?].*$/, '') !== APP) {
      const code = 'NetConnection.Connect.Rejected';
      this.#reply('_error', transaction, null, { level: 'error', code, description: `The app is ${APP}.` });
      this.#finish();
      this.#socket.end();
      return;
    }
    this.#socket.cork();
    this.#write(CONTROL_CHUNKS, MESSAGE.windowSize, uint32(WINDOW_BYTES));
    const bandwidth = Buffer.concat([uint32(WINDOW_BYTES), Buffer.from([LIMIT_DYNAMIC])]);
    this.#write(CONTROL_CHUNKS, MESSAGE.peerBandwidth, bandwidth);
    this.#write(CONTROL_CHUNKS, MESSAGE.setChunkSize, uint32(CHUNK_BYTES));
    this.#chunkBytes = CHUNK_BYTES;
    this.#reply(
      '_result',
      transaction,
      { fmsVer: 'FMS/3,0,1,123', capabilities: 31 },
      {
        level: 'status',
        code: 'NetConnection.Connect.Success',
        description: 'Connection succeeded.',
        objectEncoding: 0,
      },
    );
    this.#socket.uncork();
  }

  #publish(target: AmfValue): void {
    if (this.#state !== 'open') return this.#fault('a second publish on one connection');
    const [name = '', query = ''] = typeof target === 'string' ? splitOnce(target, '?') : [];
    if (!isStreamName(name))
      return this.#refuse('NetStream.Publish.BadName', 'The stream name is not valid.');
    this.#vibeId = name;
    this.#token = new URLSearchParams(query).get('token') ?? '';
    const refusal = this.#handlers.onPublish(this);
    if (refusal !== undefined) return this.#refuse('NetStream.Publish.BadName', refusal);
    this.#state = 'publishing';
    this.#deadline.cancel();
    this.#status('status', 'NetStream.Publish.Start', `${name} is published.`);
  }

  #refuse(code: string, description: string): void {
    this.#handlers.onFault(this, description);
    this.#status('error', code, description);
    this.#finish();
    this.#socket.end();
  }

  #status(level: string, code: string, description: string): void {
    const payload = encodeAmf0('onStatus', 0, null, { level, code, description });
    this.#write(STREAM_CHUNKS, MESSAGE.commandAmf0, payload, STREAM_ID);
  }

  #reply(name: string, transaction: AmfValue, ...values: AmfValue[]): void {
    this.#write(COMMAND_CHUNKS, MESSAGE.commandAmf0, encodeAmf0(name, transaction, ...values));
  }

  #write(chunkStream: number, type: number, payload: Buffer, streamId = 0): void {
    this.#socket.write(rtmpChunks({ chunkStream, type, payload, streamId }, this.#chunkBytes));
  }
}

function isObject(value: AmfValue): value is AmfObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value % 2 ** 32);
  return bytes;
}
