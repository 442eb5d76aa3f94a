import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { seededRandom } from '../../helpers/music';

/** What is wrong with one direction of a connection. */
export interface LaneFaults {
  /** Everything comes so much later. */
  readonly latencyMs?: number;
  /** And up to so much later than that, by chance; order stays, as TCP keeps it. */
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
  /** Handed on in pieces of so many bytes, each in a packet of its own. */
  readonly sliceBytes?: number;
  /** Nothing is read and nothing comes, and nobody is told: packets that are dropped. */
  readonly blackHole?: boolean;
}

interface Piece {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

/** What lies on the way at most; then the sender has to wait, as with a full socket. */
const HOLDS_BYTES = 64 * 1024;
/** With a rate, what goes on at once. */
const STEP_MS = 10;

/** One direction of a connection: reads one socket and writes the other, with what is wrong in between. */
export class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #count: (bytes: number) => void;
  readonly #random = seededRandom(1);
  #faults: LaneFaults = {};
  #pieces: Piece[] = [];
  #heldBytes = 0;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;
  #lastDueMs = 0;
  /** Before it nothing more may go, where there is a rate. */
  #freeAtMs = 0;

  /** @param count told of bytes that were handed on */
  constructor(from: Socket, to: Socket, count: (bytes: number) => void) {
    this.#from = from;
    this.#to = to;
    this.#count = count;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.once('end', () => this.#takeEnd());
    to.on('drain', () => this.#pump());
  }

  set(faults: LaneFaults): void {
    this.#faults = faults;
    this.#freeAtMs = 0;
    this.#regulate();
    this.#pump();
  }

  /** Nothing more comes this way: what lies on it is thrown away, and the far end is told. */
  end(): void {
    this.#pieces = [];
    this.#ended = true;
    this.#to.end();
  }

  /** Its connection is gone. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#pieces = [];
  }

  #take(bytes: Buffer): void {
    if (this.#ended) return;
    const { latencyMs = 0, jitterMs = 0, sliceBytes = bytes.length } = this.#faults;
    const nowMs = performance.now();
    for (let at = 0; at < bytes.length; at += sliceBytes) {
      const dueMs = Math.max(this.#lastDueMs, nowMs + latencyMs + this.#random() * jitterMs);
      this.#lastDueMs = dueMs;
      this.#pieces.push({ bytes: bytes.subarray(at, at + sliceBytes), dueMs });
    }
    this.#heldBytes += bytes.length;
    this.#regulate();
    this.#pump();
  }

  #takeEnd(): void {
    this.#ended = true;
    this.#pump();
  }

  #regulate(): void {
    if (this.#faults.blackHole === true || this.#heldBytes > HOLDS_BYTES) this.#from.pause();
    else this.#from.resume();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#faults.blackHole === true) return;
    for (;;) {
      const piece = this.#pieces[0];
      if (!piece) break;
      const waitMs = Math.max(piece.dueMs, this.#freeAtMs) - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), waitMs);
        return;
      }
      if (this.#to.writableNeedDrain || this.#to.destroyed) return;
      this.#hand(piece);
    }
    if (this.#ended && !this.#to.writableEnded) this.#to.end();
  }

  #hand(piece: Piece): void {
    const { bytesPerSecond } = this.#faults;
    const most =
      bytesPerSecond === undefined ? Infinity : Math.max(1, Math.round((bytesPerSecond * STEP_MS) / 1000));
    const bytes = piece.bytes.subarray(0, most);
    if (bytes.length < piece.bytes.length)
      this.#pieces[0] = { ...piece, bytes: piece.bytes.subarray(bytes.length) };
    else this.#pieces.shift();
    if (bytesPerSecond !== undefined)
      this.#freeAtMs = Math.max(this.#freeAtMs, performance.now()) + (bytes.length * 1000) / bytesPerSecond;
    this.#heldBytes -= bytes.length;
    this.#count(bytes.length);
    this.#to.write(bytes);
    this.#regulate();
  }
}
