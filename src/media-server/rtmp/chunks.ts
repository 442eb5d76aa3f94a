/** One RTMP message, put together from its chunks. */
export interface RtmpMessage {
  readonly type: number;
  readonly timestampMs: number;
  readonly streamId: number;
  /** A view while the message came in one piece: copy it to keep it. */
  readonly payload: Buffer;
}

interface ChunkStream {
  type: number;
  length: number;
  streamId: number;
  timestampMs: number;
  /** What a following message without a timestamp adds; absolute after a full header. */
  deltaMs: number;
  extended: boolean;
  /** What has come of the message; `received` counts its bytes. */
  parts: Buffer[];
  received: number;
  begun: boolean;
}

export const MESSAGE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowSize: 5,
  peerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf0: 18,
  commandAmf0: 20,
} as const;

const DEFAULT_CHUNK_BYTES = 128;
const MAX_CHUNK_BYTES = 0xff_ffff;
/** A message longer than this is no audio: 4 MiB lets a publisher's video pass by (it is thrown away). */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** A publisher uses about five; each costs memory. */
const MAX_CHUNK_STREAMS = 64;
const EXTENDED = 0xff_ffff;
/** Bytes of the message header for the chunk formats 0 to 3. */
const HEADER_BYTES = [11, 7, 3, 0] as const;

/** Takes RTMP's chunks apart, as they arrive in pieces of any size, and tells whole messages. */
export class RtmpChunkReader {
  readonly #onMessage: (message: RtmpMessage) => void;
  readonly #streams = new Map<number, ChunkStream>();
  #chunkBytes = DEFAULT_CHUNK_BYTES;
  #rest: Buffer | undefined;
  #stopped = false;

  constructor(onMessage: (message: RtmpMessage) => void) {
    this.#onMessage = onMessage;
  }

  /** Nothing more is told, not even what was pushed already. */
  stop(): void {
    this.#stopped = true;
    this.#rest = undefined;
  }

  /** @throws {Error} where the bytes break the protocol or a bound; the connection is then of no more use */
  push(bytes: Buffer): void {
    const all = this.#rest ? Buffer.concat([this.#rest, bytes]) : bytes;
    let at = 0;
    while (!this.#stopped) {
      const used = this.#chunk(all, at);
      if (used === 0) break;
      at += used;
    }
    this.#rest = at < all.length && !this.#stopped ? all.subarray(at) : undefined;
  }

  /** Reads the chunk that begins at `at`. Returns its length, or 0 where it is not all there yet. */
  #chunk(bytes: Buffer, from: number): number {
    let at = from;
    const first = bytes[at];
    if (first === undefined) return 0;
    const format = (first >> 6) as 0 | 1 | 2 | 3;
    let id = first & 0x3f;
    at += 1;
    if (id < 2) {
      const idBytes = id + 1;
      if (bytes.length - at < idBytes) return 0;
      id = 64 + bytes.readUIntLE(at, idBytes);
      at += idBytes;
    }

    const headerBytes = HEADER_BYTES[format];
    if (bytes.length - at < headerBytes) return 0;
    const known = this.#streams.get(id);
    if (!known && format !== 0 && format !== 1) throw new Error('an RTMP chunk continues what never began');
    const field = format < 3 ? bytes.readUIntBE(at, 3) : 0;
    const extended = format < 3 ? field === EXTENDED : (known as ChunkStream).extended;
    const length = format < 2 ? bytes.readUIntBE(at + 3, 3) : (known as ChunkStream).length;
    if (length > MAX_MESSAGE_BYTES) throw new Error(`an RTMP message of ${length} bytes is too long`);
    const extendedAt = at + headerBytes;
    const dataAt = extendedAt + (extended ? 4 : 0);
    const received = known && format === 3 ? known.received : 0;
    const dataBytes = Math.min(this.#chunkBytes, length - received);
    // Only now is it certain that the chunk is whole, and state may change.
    if (bytes.length - dataAt < dataBytes) return 0;

    const stream = known ?? this.#open(id);
    if (format < 3) {
      stream.extended = extended;
      stream.deltaMs = extended ? bytes.readUInt32BE(extendedAt) : field;
      if (format < 2) {
        stream.length = length;
        stream.type = bytes[at + 6] as number;
      }
      if (format === 0) stream.streamId = bytes.readUInt32LE(at + 7);
    }
    // A chunk of format 3 begins a message where none is under way; a header always does.
    if (format < 3 || !stream.begun) {
      stream.begun = true;
      stream.parts = [];
      stream.received = 0;
      stream.timestampMs = format === 0 ? stream.deltaMs : (stream.timestampMs + stream.deltaMs) >>> 0;
    }
    stream.parts.push(bytes.subarray(dataAt, dataAt + dataBytes));
    stream.received += dataBytes;
    if (stream.received === stream.length) this.#complete(stream);
    return dataAt + dataBytes - from;
  }

  #open(id: number): ChunkStream {
    if (this.#streams.size >= MAX_CHUNK_STREAMS) throw new Error('too many RTMP chunk streams');
    const stream: ChunkStream = {
      type: 0,
      length: 0,
      streamId: 0,
      timestampMs: 0,
      deltaMs: 0,
      extended: false,
      parts: [],
      received: 0,
      begun: false,
    };
    this.#streams.set(id, stream);
    return stream;
  }

  #complete(stream: ChunkStream): void {
    const payload =
      stream.parts.length === 1 ? (stream.parts[0] as Buffer) : Buffer.concat(stream.parts, stream.length);
    stream.parts = [];
    stream.received = 0;
    stream.begun = false;
    const { type, timestampMs, streamId } = stream;
    if (type === MESSAGE.setChunkSize && payload.length >= 4) {
      const size = payload.readUInt32BE(0);
      if (size < 1 || size > 0x7fff_ffff) throw new Error(`an RTMP chunk size of ${size} is not allowed`);
      this.#chunkBytes = Math.min(size, MAX_CHUNK_BYTES);
    } else if (type === MESSAGE.abort && payload.length >= 4) {
      const aborted = this.#streams.get(payload.readUInt32BE(0));
      if (aborted) Object.assign(aborted, { parts: [], received: 0, begun: false });
    } else {
      this.#onMessage({ type, timestampMs, streamId, payload });
    }
  }
}

/** Chunks that carry one message, with full headers only: what a server says is short. Chunk stream ids 2 to 63. */
export function rtmpChunks(
  message: { chunkStream: number; type: number; streamId?: number; payload: Buffer },
  chunkBytes = DEFAULT_CHUNK_BYTES,
): Buffer {
  const { chunkStream, payload } = message;
  const head = Buffer.alloc(12);
  head[0] = chunkStream;
  head.writeUIntBE(payload.length, 4, 3);
  head[7] = message.type;
  head.writeUInt32LE(message.streamId ?? 0, 8);
  const parts: Buffer[] = [head, payload.subarray(0, chunkBytes)];
  for (let at = chunkBytes; at < payload.length; at += chunkBytes) {
    parts.push(Buffer.from([0xc0 | chunkStream]), payload.subarray(at, at + chunkBytes));
  }
  return Buffer.concat(parts);
}
