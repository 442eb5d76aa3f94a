import net from 'node:net';
import { once } from 'node:events';
import { music } from '../../tests/helpers/music';

/** The doors by which audio comes in, as the benchmark names them. */
export const INGEST_DOORS = ['json', 'post', 'stream', 'websocket'] as const;
export type IngestDoor = (typeof INGEST_DOORS)[number];

const MASK = Buffer.from([0x9d, 0x1c, 0x53, 0xe8]);

/**
 * A creator with 48 kHz stereo s16le audio at one door, over a bare socket: what it writes is made beforehand, so that the
 * load costs as little as it can, and is the same for relay and sink.
 */
export class IngestFeed {
  /** Chunks written, and chunks that are known to have been taken: a POST's answer; for the other doors, all written. */
  sent = 0;
  answered = 0;
  /** What went wrong, if anything. */
  fault: string | undefined;
  readonly #socket: net.Socket;
  readonly #door: IngestDoor;
  readonly #writes: readonly Buffer[];
  #owed = 0;
  #received = '';
  #wake: (() => void) | undefined;

  private constructor(socket: net.Socket, door: IngestDoor, writes: readonly Buffer[]) {
    this.#socket = socket;
    this.#door = door;
    this.#writes = writes;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      this.#onData(bytes);
      this.#wake?.();
    });
    socket.on('error', (error) => (this.fault ??= error.message));
    socket.on('drain', () => this.#wake?.());
    socket.on('close', () => {
      this.fault ??= 'the connection was closed';
      this.#wake?.();
    });
  }

  /** @param options.seed makes its music; of chunks, as many are made as a second has */
  static async open(options: {
    door: IngestDoor;
    port: number;
    vibeId: string;
    chunkMs: number;
    seed: number;
  }): Promise<IngestFeed> {
    const { door, port } = options;
    const socket = net.connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    const feed = new IngestFeed(socket, door, prepare(options));
    if (door === 'stream') socket.write(head(options, 'Transfer-Encoding: chunked'));
    if (door !== 'websocket') return feed;
    socket.write(upgradeHead(options));
    while (!feed.#received.includes('\r\n\r\n')) {
      if (feed.fault) throw new Error(feed.fault);
      await feed.#change();
    }
    if (!feed.#received.startsWith('HTTP/1.1 101')) throw new Error(feed.#received);
    feed.#received = '';
    return feed;
  }

  /** Sends the next chunk; where the answer to the one before is still out, as soon as that is there. */
  send(): void {
    this.#owed += 1;
    if (this.#awaitsAnswer && this.sent > this.answered) return;
    this.#write();
  }

  /** Sends so many as fast as they are taken. */
  async burst(chunks: number): Promise<void> {
    this.#owed += chunks;
    const goal = this.sent + this.#owed;
    if (this.#awaitsAnswer && this.sent === this.answered) this.#write();
    while (this.#isOpen && (this.#awaitsAnswer ? this.answered : this.sent) < goal) {
      if (this.#awaitsAnswer || !this.#write()) await this.#change();
    }
  }

  /** Ends in order. @throws {Error} where anything but receipts came back */
  async close(): Promise<void> {
    const { fault } = this;
    this.fault ??= 'closed';
    if (this.#isOpen && this.#door === 'stream') {
      this.#socket.write('0\r\n\r\n');
      while (this.answered === 0 && this.#isOpen) await this.#change();
    }
    this.#socket.destroy();
    if (fault) throw new Error(`${this.#door}: ${fault}`);
  }

  get #isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  get #awaitsAnswer(): boolean {
    return this.#door === 'json' || this.#door === 'post';
  }

  /** Resolves when something came, everything has gone out, or the connection is over. */
  async #change(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #write(): boolean {
    const bytes = this.#writes[this.sent % this.#writes.length] as Buffer;
    this.sent += 1;
    this.#owed -= 1;
    if (this.#door === 'websocket') this.answered += 1;
    return this.#socket.write(bytes);
  }

  #onData(bytes: Buffer): void {
    if (this.#door === 'websocket') {
      // Receipts are read and not looked at; a close frame is a refusal.
      if (bytes[0] === 0x88) this.fault ??= `closed: ${bytes.toString('latin1')}`;
      if (this.answered === 0) this.#received += bytes.toString('latin1');
      return;
    }
    const text = bytes.toString('latin1');
    if (!text.startsWith('HTTP/1.1 202 ')) {
      this.fault ??= text;
      this.#socket.destroy();
      return;
    }
    this.answered += 1;
    if (this.#awaitsAnswer && this.#owed > 0) this.#write();
  }
}

function head({ vibeId, door }: { vibeId: string; door: IngestDoor }, length: string): Buffer {
  const type = door === 'json' ? 'application/json' : 'audio/pcm;rate=48000;channels=2';
  return Buffer.from(
    [
      `POST /stream/${vibeId}/audio HTTP/1.1`,
      'Host: 127.0.0.1',
      'User-Agent: creator/1.0',
      'Accept: */*',
      'Accept-Encoding: gzip, deflate',
      'Connection: keep-alive',
      `Content-Type: ${type}`,
      ...(door === 'json' ? [] : ['X-Creator: bench']),
      length,
      '\r\n',
    ].join('\r\n'),
  );
}

function upgradeHead({ vibeId }: { vibeId: string }): string {
  return [
    `GET /stream/${vibeId}/audio?creator=bench HTTP/1.1`,
    'Host: 127.0.0.1',
    'User-Agent: creator/1.0',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n');
}

/** What is written for each chunk of a second of music, over and over. */
function prepare(options: { door: IngestDoor; vibeId: string; chunkMs: number; seed: number }): Buffer[] {
  const { door, chunkMs, seed } = options;
  const bytes = chunkMs * 192;
  const count = Math.max(2, Math.round(1_000 / chunkMs));
  const pcm = music((count * chunkMs) / 1_000, seed);
  return Array.from({ length: count }, (_, index) => {
    const chunk = pcm.subarray(index * bytes, (index + 1) * bytes);
    if (door === 'websocket') return frame(chunk);
    if (door === 'stream')
      return Buffer.concat([Buffer.from(`${bytes.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
    const body = door === 'json' ? json(chunk) : chunk;
    return Buffer.concat([head(options, `Content-Length: ${body.length}`), body]);
  });
}

function json(chunk: Buffer): Buffer {
  const audioData = chunk.toString('base64');
  return Buffer.from(JSON.stringify({ audioData, creator: 'bench', sampleRate: 48_000, channels: 2 }));
}

/** A masked binary frame, as every client must mask. */
function frame(chunk: Buffer): Buffer {
  const isLong = chunk.length > 0xffff;
  const header = Buffer.alloc(isLong ? 10 : 4);
  header[0] = 0x82;
  header[1] = 0x80 | (isLong ? 127 : 126);
  if (isLong) header.writeBigUInt64BE(BigInt(chunk.length), 2);
  else header.writeUInt16BE(chunk.length, 2);
  const masked = chunk.map((byte, index) => byte ^ (MASK[index % 4] as number));
  return Buffer.concat([header, MASK, masked]);
}
