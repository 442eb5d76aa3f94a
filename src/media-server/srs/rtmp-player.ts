import net from 'node:net';
import type { Clock, Timer } from '../../base/clock';
import { type AmfObject, type AmfValue, decodeAmf0, encodeAmf0 } from '../rtmp/amf0';
import { MESSAGE, rtmpChunks, RtmpChunkReader, type RtmpMessage } from '../rtmp/chunks';

export interface RtmpPlayerOptions {
  readonly host: string;
  readonly port: number;
  readonly app: string;
  /** The stream's name, with a query where there is one. */
  readonly stream: string;
  readonly clock: Clock;
  /** SRS has it among the stream's players: it will get all that is published from now on. */
  readonly onPlaying: () => void;
  /** The body of an audio tag; a view. */
  readonly onAudio: (body: Buffer) => void;
  /** It ended without being closed, once. */
  readonly onEnd: (why: string) => void;
}

const VERSION = 3;
const HANDSHAKE_BYTES = 1536;
/** From the connection to playing; SRS takes some milliseconds, and asks the relay meanwhile. */
const PLAY_WITHIN_MS = 5_000;
/** For an SRS on another machine that is gone without a word. */
const KEEP_ALIVE_MS = 10_000;
const CONTROL_CHUNKS = 2;
const COMMAND_CHUNKS = 3;
const PLAY_CHUNKS = 8;
const PING = 6;
const PONG = 7;

/**
 * One RTMP connection that plays a stream from SRS. It stays while publishers come and go: SRS sends HTTP-FLV players
 * away when a publish ends, RTMP players never.
 */
export class RtmpPlayer {
  readonly #options: RtmpPlayerOptions;
  readonly #socket: net.Socket;
  readonly #chunks: RtmpChunkReader;
  readonly #deadline: Timer;
  /** What is done with the answers that are owed, by transaction. */
  readonly #answers = new Map<number, (result: AmfValue) => void>();
  #transactions = 0;
  #handshake: Buffer | undefined = Buffer.alloc(0);
  #isOver = false;
  #receivedBytes = 0;
  #acknowledgedBytes = 0;
  #windowBytes = Infinity;
  /** While SRS lets it in, each packet is acknowledged by a message of its own. */
  #isEager = true;

  constructor(options: RtmpPlayerOptions) {
    this.#options = options;
    const { host, port, clock } = options;
    this.#chunks = new RtmpChunkReader((message) => this.#message(message));
    this.#deadline = clock.after(PLAY_WITHIN_MS, () => this.#end('SRS did not let it play in time'), {
      background: true,
    });
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    const socket = (this.#socket = net.connect({ host, port, noDelay: true, ...keepAlive }));
    // A time and a version of zero say "no digests", and SRS then looks for none.
    socket.once('connect', () =>
      socket.write(Buffer.concat([Buffer.from([VERSION]), Buffer.alloc(HANDSHAKE_BYTES)])),
    );
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('end', () => this.#end('SRS ended the connection'));
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', () => this.#end('the connection broke'));
  }

  /**
   * Calls `onAnswer` when SRS has sent what there was to send: it answers commands that it does not know, and does so in
   * the loop that hands on the audio, woken up by them. At once, but one after another only after 350 ms. Where the
   * connection ends there is no answer.
   */
  echo(onAnswer: () => void): void {
    this.#call('relayEcho', onAnswer, null);
  }

  /** Hangs up. Idempotent. */
  close(): void {
    this.#isOver = true;
    this.#deadline.cancel();
    this.#chunks.stop();
    this.#answers.clear();
    this.#socket.destroy();
  }

  #end(why: string): void {
    if (this.#isOver) return;
    this.close();
    this.#options.onEnd(why);
  }

  #receive(bytes: Buffer): void {
    if (this.#isOver) return;
    try {
      const rest = this.#handshake ? this.#shakeHands(Buffer.concat([this.#handshake, bytes])) : bytes;
      if (!this.#handshake) this.#acknowledge(bytes.length);
      if (rest.length > 0) this.#chunks.push(rest);
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  /** Returns what follows the handshake; while it lasts, nothing. */
  #shakeHands(bytes: Buffer): Buffer {
    this.#handshake = bytes;
    const helloBytes = 1 + HANDSHAKE_BYTES;
    if (bytes[0] !== VERSION) throw new Error('this is not RTMP');
    if (bytes.length < helloBytes + HANDSHAKE_BYTES) return Buffer.alloc(0);
    this.#handshake = undefined;
    this.#socket.cork();
    this.#socket.write(bytes.subarray(1, helloBytes));
    this.#connect();
    this.#socket.uncork();
    return bytes.subarray(helloBytes + HANDSHAKE_BYTES);
  }

  #connect(): void {
    const { host, port, app } = this.#options;
    const tcUrl = `rtmp://${net.isIPv6(host) ? `[${host}]` : host}:${port}/${app}`;
    this.#call('connect', () => this.#call('createStream', (stream) => this.#play(stream), null), {
      app,
      tcUrl,
      flashVer: 'LNX 9,0,124,2',
      fpad: false,
      objectEncoding: 0,
    });
  }

  #play(stream: AmfValue): void {
    if (typeof stream !== 'number') throw new Error('SRS made no stream');
    this.#isEager = false;
    const payload = encodeAmf0('play', 0, null, this.#options.stream);
    this.#write(PLAY_CHUNKS, MESSAGE.commandAmf0, payload, stream);
    // It says that playing starts before it has made up its mind; it answers when it has.
    this.echo(() => {
      this.#deadline.cancel();
      this.#options.onPlaying();
    });
  }

  /**
   * SRS only turns Nagle's algorithm off once it plays: before that the second half of an answer waits for TCP's
   * acknowledgement of the first, which comes 40 ms late unless something is sent along with it.
   */
  #acknowledge(bytes: number): void {
    this.#receivedBytes += bytes;
    if (!this.#isEager && this.#receivedBytes - this.#acknowledgedBytes < this.#windowBytes) return;
    this.#acknowledgedBytes = this.#receivedBytes;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(this.#receivedBytes % 2 ** 32);
    this.#write(CONTROL_CHUNKS, MESSAGE.acknowledgement, count);
  }

  #message({ type, payload }: RtmpMessage): void {
    if (type === MESSAGE.audio) this.#options.onAudio(payload);
    else if (type === MESSAGE.commandAmf0) this.#command(decodeAmf0(payload));
    else if (type === MESSAGE.windowSize && payload.length >= 4)
      this.#windowBytes = Math.max(payload.readUInt32BE(0), 0x1_0000);
    else if (type === MESSAGE.userControl && payload.length >= 6 && payload.readUInt16BE(0) === PING)
      this.#write(CONTROL_CHUNKS, MESSAGE.userControl, Buffer.from([0, PONG, ...payload.subarray(2, 6)]));
    // Metadata, and what SRS says of its buffers: nobody needs it here.
  }

  #command([name, transaction, , result]: AmfValue[]): void {
    if (name === '_error') throw new Error(`SRS refuses: ${described(result)}`);
    if (name === 'onStatus' && isObject(result) && result['level'] === 'error')
      throw new Error(`SRS refuses: ${described(result)}`);
    if (name !== '_result' || typeof transaction !== 'number') return;
    const onAnswer = this.#answers.get(transaction);
    this.#answers.delete(transaction);
    onAnswer?.(result);
  }

  #call(name: string, onAnswer: (result: AmfValue) => void, argument: AmfValue): void {
    if (this.#isOver) return;
    this.#transactions += 1;
    this.#answers.set(this.#transactions, onAnswer);
    this.#write(COMMAND_CHUNKS, MESSAGE.commandAmf0, encodeAmf0(name, this.#transactions, argument));
  }

  #write(chunkStream: number, type: number, payload: Buffer, streamId = 0): void {
    this.#socket.write(rtmpChunks({ chunkStream, type, payload, streamId }));
  }
}

function isObject(value: AmfValue): value is AmfObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function described(result: AmfValue): string {
  const text = isObject(result) ? (result['description'] ?? result['code']) : undefined;
  return typeof text === 'string' ? text : 'no reason given';
}
