import { randomBytes } from 'node:crypto';
import net from 'node:net';
import type { Clock, Timer } from '../../base/clock';
import { type AmfValue, decodeAmf0, encodeAmf0 } from '../rtmp/amf0';
import { MESSAGE, rtmpChunks, RtmpChunkReader, type RtmpMessage } from '../rtmp/chunks';
import { isAac, isAacConfig } from '../flv';

export interface RtmpProbeOptions {
  /** SRS's RTMP listener and the part of the path that all streams share, e.g. `rtmp://127.0.0.1:1935/live`. */
  readonly rtmpUrl: string;
  readonly stream: string;
  /** What stands behind the `?` of the stream, for SRS's hooks. */
  readonly query: string;
  readonly clock: Clock;
  /** The first sound came: what is published can be heard. Once; the probe is over then. */
  readonly onAudio: () => void;
}

/** SRS may be away, or not want a player yet. */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;
/** From the connection to the beginning of play; SRS takes milliseconds. */
const PLAY_WITHIN_MS = 5_000;

const VERSION = 3;
const HANDSHAKE_BYTES = 1536;
const CONTROL_CHUNKS = 2;
const COMMAND_CHUNKS = 3;
const CONNECT = 1;
const CREATE_STREAM = 2;
const PING = 6;
const PONG = 7;
/** Live, or recorded if there is nothing live: what players send. */
const FROM_NOW_ON = -2;

/**
 * Plays a stream over RTMP until its first sound. May come before the publisher, and should: SRS 6.0.130 to 7.0.150 sweep
 * up a stream that nobody plays while its publisher is let in, and then hand on nothing of it. Over RTMP and not as a
 * listener of HTTP-FLV, because such a one who comes first makes SRS 6 and 7 write HLS under another name
 * (`ID.flv.m3u8`): they take the name of its file for the name of the stream.
 */
export class RtmpProbe {
  readonly #options: RtmpProbeOptions;
  #socket: net.Socket | undefined;
  #timer: Timer | undefined;
  #connected = false;
  #retries = 0;
  #closed = false;

  constructor(options: RtmpProbeOptions) {
    this.#options = options;
    this.#play();
  }

  /** Whether SRS plays to it, or will as soon as there is something. */
  get connected(): boolean {
    return this.#connected;
  }

  /** What waits to come back comes back now, and soon again. */
  retryNow(): void {
    this.#retries = 0;
    if (this.#closed || !this.#timer) return;
    this.#timer.cancel();
    this.#play();
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#socket?.destroy();
  }

  #play(): void {
    const { rtmpUrl, clock } = this.#options;
    const { hostname, port } = new URL(rtmpUrl);
    this.#timer = undefined;
    const socket = net.connect({ host: hostname, port: Number(port || 1935), noDelay: true });
    this.#socket = socket;
    const late = clock.after(PLAY_WITHIN_MS, () => socket.destroy(), { background: true });
    const session = new PlaySession(socket, this.#options, {
      onPlaying: () => {
        late.cancel();
        this.#connected = true;
        this.#retries = 0;
      },
      onSound: () => {
        if (this.#closed) return;
        this.close();
        this.#options.onAudio();
      },
    });
    socket.on('connect', () => session.begin());
    socket.on('data', (bytes: Buffer) => {
      try {
        if (!this.#closed) session.receive(bytes);
      } catch {
        socket.destroy();
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      late.cancel();
      this.#connected = false;
      if (this.#closed) return;
      const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries);
      this.#retries += 1;
      this.#timer = clock.after(delayMs, () => this.#play(), { background: true });
    });
  }
}

/** One connection, from the handshake to the first sound. */
class PlaySession {
  readonly #socket: net.Socket;
  readonly #options: RtmpProbeOptions;
  readonly #events: { onPlaying(): void; onSound(): void };
  readonly #chunks = new RtmpChunkReader((message) => this.#message(message));
  #handshake: Buffer | undefined = Buffer.alloc(0);

  constructor(socket: net.Socket, options: RtmpProbeOptions, events: { onPlaying(): void; onSound(): void }) {
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
  }

  begin(): void {
    const hello = Buffer.concat([Buffer.from([VERSION]), Buffer.alloc(8), randomBytes(HANDSHAKE_BYTES - 8)]);
    this.#socket.write(hello);
  }

  /** @throws {Error} where the bytes are no RTMP */
  receive(bytes: Buffer): void {
    if (!this.#handshake) return this.#chunks.push(bytes);
    const all = Buffer.concat([this.#handshake, bytes]);
    const helloBytes = 1 + HANDSHAKE_BYTES;
    if (all.length < helloBytes + HANDSHAKE_BYTES) {
      this.#handshake = all;
      return;
    }
    this.#handshake = undefined;
    this.#socket.write(all.subarray(1, helloBytes));
    const { rtmpUrl } = this.#options;
    const app = new URL(rtmpUrl).pathname.replace(/^\/|\/$/g, '');
    this.#command('connect', CONNECT, { app, tcUrl: rtmpUrl, audioCodecs: 0x0fff });
    const rest = all.subarray(helloBytes + HANDSHAKE_BYTES);
    if (rest.length > 0) this.#chunks.push(rest);
  }

  #message({ type, payload }: RtmpMessage): void {
    if (type === MESSAGE.commandAmf0) return this.#answer(decodeAmf0(payload));
    // SRS sends the AAC header of an earlier publish to whoever comes: only a frame is a sound.
    if (type === MESSAGE.audio && isAac(payload) && !isAacConfig(payload)) return this.#events.onSound();
    if (type !== MESSAGE.userControl || payload.length < 6 || payload.readUInt16BE(0) !== PING) return;
    const pong = Buffer.from([0, PONG, ...payload.subarray(2, 6)]);
    this.#socket.write(rtmpChunks({ chunkStream: CONTROL_CHUNKS, type: MESSAGE.userControl, payload: pong }));
  }

  #answer(values: AmfValue[]): void {
    const [name, transaction, , value] = values;
    if (name === '_result' && transaction === CONNECT)
      return this.#command('createStream', CREATE_STREAM, null);
    if (name === '_result' && transaction === CREATE_STREAM && typeof value === 'number') {
      const { stream, query } = this.#options;
      return this.#command('play', 0, null, [`${stream}?${query}`, FROM_NOW_ON], value);
    }
    if (name === '_error') throw new Error('SRS refuses the player');
    if (name !== 'onStatus' || typeof value !== 'object' || value === null || Array.isArray(value)) return;
    if (value['code'] === 'NetStream.Play.Start') this.#events.onPlaying();
  }

  #command(
    name: string,
    transaction: number,
    object: AmfValue,
    values: readonly AmfValue[] = [],
    streamId = 0,
  ): void {
    const payload = encodeAmf0(name, transaction, object, ...values);
    const type = MESSAGE.commandAmf0;
    this.#socket.write(rtmpChunks({ chunkStream: COMMAND_CHUNKS, type, payload, streamId }));
  }
}
