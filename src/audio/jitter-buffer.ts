import { crc32 } from 'node:zlib';
import { Problem } from '../base/errors';

export interface JitterBufferOptions {
  /** Bytes of one sample of all channels. */
  readonly sampleBytes: number;
  /** Samples a second. */
  readonly sampleRate: number;
  /** Samples held at most, those that wait behind a gap included. */
  readonly maxSamples: number;
  /** How far ahead of its turn a number may be and still be put in order. */
  readonly reorderWindow?: number;
  /** Told how many numbers were given up because their turn had come. */
  readonly onMissing?: (chunks: number) => void;
  /** Where a buffer before this one had got to. */
  readonly resumeAt?: PlayPosition;
}

/** How far a creator's chunks have been played. */
export interface PlayPosition {
  /** The number of the last chunk that was begun; how many were, where chunks carry no numbers. */
  readonly sequence: number;
  readonly numbered: boolean;
}

/** What became of a chunk. `duplicate`: its number was taken before, with the same bytes; it is not played again. */
export type Taken = 'taken' | 'duplicate';

interface Chunk {
  readonly sequence: number | undefined;
  bytes: Buffer;
}

/** Numbers within this distance are put in order: at 20 ms a chunk, 1.3 s. */
const REORDER_WINDOW = 64;
/** Numbers remembered to recognise a retry: at 20 ms a chunk, 10 s; at 2 s a chunk, 17 minutes. */
const REMEMBERED_NUMBERS = 512;
/** After a restart the bytes of what was played are not known any more: so many numbers back may be retries. */
const RESENT_NUMBERS = 16;

/**
 * The frames at rest: takes chunks as the network brings them, gives samples in order and each accepted one once.
 *
 * Chunks may carry a number. In-turn chunks (and those without a number) lie ready; a chunk ahead of its turn waits
 * until the gap before it is filled or given up with `skipGap`. Bytes are kept as views, never copied.
 */
export class JitterBuffer {
  readonly #sampleBytes: number;
  readonly #sampleRate: number;
  readonly #maxSamples: number;
  readonly #reorderWindow: number;
  readonly #onMissing: (chunks: number) => void;

  /** Chunks in turn; those before `#head` are gone already. */
  #ready: Chunk[] = [];
  #head = 0;
  #readyBytes = 0;
  /** Chunks ahead of their turn, by number. */
  readonly #held = new Map<number, Buffer>();
  #heldBytes = 0;

  #nextSequence: number | undefined;
  /** The gaps before this number have been told: one that opens again is not another one. */
  #toldUpTo = -1;
  /** The highest number of which something has been played. */
  #playedSequence = -1;
  #lastSequence = 0;
  /** Whether a part of the first chunk has gone already. */
  #headBegun = false;
  /** The number that `resumeAt` named. */
  #resumedAt = -1;
  /** Numbers taken lately, oldest first, with the checksum of their bytes. */
  readonly #remembered = new Map<number, number>();

  constructor(options: JitterBufferOptions) {
    this.#sampleBytes = options.sampleBytes;
    this.#sampleRate = options.sampleRate;
    this.#maxSamples = options.maxSamples;
    this.#reorderWindow = options.reorderWindow ?? REORDER_WINDOW;
    this.#onMissing = options.onMissing ?? (() => undefined);
    this.#lastSequence = options.resumeAt?.sequence ?? 0;
    if (!options.resumeAt?.numbered) return;
    this.#resumedAt = this.#playedSequence = this.#lastSequence;
    this.#nextSequence = this.#lastSequence + 1;
  }

  /** Samples that can be taken now. */
  get readySamples(): number {
    return this.#readyBytes / this.#sampleBytes;
  }

  /** Samples held in all. */
  get samples(): number {
    return (this.#readyBytes + this.#heldBytes) / this.#sampleBytes;
  }

  /** Samples that still find room. */
  get roomSamples(): number {
    return this.#maxSamples - this.samples;
  }

  /** Milliseconds of audio held in all. */
  get bufferedMs(): number {
    return (this.samples * 1000) / this.#sampleRate;
  }

  /** Whether chunks wait behind a gap. */
  get hasGap(): boolean {
    return this.#held.size > 0;
  }

  /** The highest number taken in turn, or the count of chunks where they carry none. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** How far it is played: what a successor goes on from. */
  get position(): PlayPosition {
    if (this.#nextSequence !== undefined && this.#playedSequence >= 0)
      return { sequence: this.#playedSequence, numbered: true };
    const unplayed = this.#ready.length - this.#head - (this.#headBegun ? 1 : 0);
    return { sequence: this.#lastSequence - unplayed, numbered: false };
  }

  /**
   * Takes a chunk, whole or not at all. The bytes must not change afterwards.
   * @param bytes whole samples, at least one
   * @throws {Problem} `buffer-full` (429), `too-late` (410), `sequence-conflict` (409); nothing has changed then
   */
  push(bytes: Buffer, sequence?: number): Taken {
    const checksum = sequence === undefined ? 0 : crc32(bytes);
    if (sequence !== undefined && this.#isKnown(sequence, checksum)) return 'duplicate';
    this.#checkRoom(bytes);
    if (sequence === undefined) {
      this.#append({ sequence, bytes });
      this.#lastSequence += 1;
      return 'taken';
    }
    this.#remember(sequence, checksum);
    const next = this.#nextSequence;
    if (next === undefined || sequence < next) this.#goBackTo(sequence);
    else while (sequence - (this.#nextSequence as number) >= this.#reorderWindow) this.#skipTowards(sequence);
    this.#held.set(sequence, bytes);
    this.#heldBytes += bytes.length;
    this.#release();
    return 'taken';
  }

  /**
   * Removes the next samples, in order, as views of what was pushed.
   * @param samples at most this many; fewer come when fewer are ready
   */
  take(samples: number): Buffer[] {
    const taken: Buffer[] = [];
    for (let left = samples * this.#sampleBytes; left > 0 && this.#readyBytes > 0;) {
      const chunk = this.#ready[this.#head] as Chunk;
      const bytes = left < chunk.bytes.length ? chunk.bytes.subarray(0, left) : chunk.bytes;
      taken.push(bytes);
      left -= bytes.length;
      this.#readyBytes -= bytes.length;
      if (chunk.sequence !== undefined) this.#playedSequence = Math.max(this.#playedSequence, chunk.sequence);
      this.#headBegun = bytes.length < chunk.bytes.length;
      if (this.#headBegun) chunk.bytes = chunk.bytes.subarray(bytes.length);
      else this.#dropHead();
    }
    return taken;
  }

  /** The next samples without removing them: at most `samples`, and at most what the first chunk has. */
  peek(samples: number): Buffer {
    const chunk = this.#ready[this.#head];
    return chunk ? chunk.bytes.subarray(0, samples * this.#sampleBytes) : Buffer.alloc(0);
  }

  /** Gives up the numbers before the first chunk that waits, so that it can be played. */
  skipGap(): void {
    if (this.hasGap) this.#skipTowards(Math.min(...this.#held.keys()));
  }

  /**
   * A creator begins to count anew: what is held stays in its place, gaps before it are given up, and any number may
   * come next.
   */
  restartNumbering(): void {
    while (this.hasGap) this.skipGap();
    this.#remembered.clear();
    this.#nextSequence = undefined;
    this.#toldUpTo = -1;
    this.#playedSequence = -1;
    this.#resumedAt = -1;
    this.#ready = this.#ready.slice(this.#head).map(({ bytes }) => ({ sequence: undefined, bytes }));
    this.#head = 0;
  }

  /** Throws everything away. @returns the samples thrown away */
  clear(): number {
    const samples = this.samples;
    this.#ready = [];
    this.#head = 0;
    this.#headBegun = false;
    this.#readyBytes = 0;
    this.#held.clear();
    this.#heldBytes = 0;
    return samples;
  }

  #isKnown(sequence: number, checksum: number): boolean {
    const known = this.#remembered.get(sequence);
    if (known === checksum) return true;
    if (known !== undefined) {
      throw new Problem(
        'sequence-conflict',
        `Number ${sequence} was taken by other audio; the next number is ${this.#nextSequence}.`,
        { expectedSequence: this.#nextSequence },
      );
    }
    if (sequence <= this.#resumedAt && sequence > this.#resumedAt - RESENT_NUMBERS) return true;
    if (this.#nextSequence !== undefined && sequence <= this.#playedSequence) {
      throw new Problem(
        'too-late',
        `The turn of number ${sequence} is over; the next number is ${this.#nextSequence}.`,
        { expectedSequence: this.#nextSequence },
      );
    }
    return false;
  }

  #checkRoom(bytes: Buffer): void {
    const samples = bytes.length / this.#sampleBytes;
    if (samples <= this.roomSamples) return;
    const waitMs = Math.max(0, ((samples - this.roomSamples) * 1000) / this.#sampleRate);
    const bufferedMs = Math.round(this.bufferedMs);
    throw new Problem('buffer-full', `${bufferedMs} ms are buffered; this chunk finds no room.`, {
      bufferedMs,
      retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
    });
  }

  #append(chunk: Chunk): void {
    this.#ready.push(chunk);
    this.#readyBytes += chunk.bytes.length;
  }

  #remember(sequence: number, checksum: number): void {
    this.#remembered.set(sequence, checksum);
    if (this.#remembered.size > REMEMBERED_NUMBERS) {
      const [oldest] = this.#remembered.keys();
      this.#remembered.delete(oldest as number);
    }
  }

  /** A number before the ones that lie ready: those not begun yet wait again until the turn comes to them. */
  #goBackTo(sequence: number): void {
    const stay: Chunk[] = [];
    for (const chunk of this.#ready.slice(this.#head)) {
      if (chunk.sequence === undefined || chunk.sequence < sequence) {
        stay.push(chunk);
        continue;
      }
      this.#held.set(chunk.sequence, chunk.bytes);
      this.#heldBytes += chunk.bytes.length;
      this.#readyBytes -= chunk.bytes.length;
    }
    this.#ready = stay;
    this.#head = 0;
    this.#nextSequence = sequence;
  }

  /** Moves the turn to the first chunk that waits, or to `sequence` where that comes before. */
  #skipTowards(sequence: number): void {
    const first = Math.min(sequence, ...this.#held.keys());
    const missing = first - Math.max(this.#nextSequence as number, this.#toldUpTo);
    this.#nextSequence = first;
    this.#release();
    if (missing <= 0) return;
    this.#toldUpTo = first;
    this.#onMissing(missing);
  }

  #release(): void {
    for (;;) {
      const sequence = this.#nextSequence as number;
      const bytes = this.#held.get(sequence);
      if (!bytes) return;
      this.#held.delete(sequence);
      this.#heldBytes -= bytes.length;
      this.#append({ sequence, bytes });
      this.#nextSequence = sequence + 1;
      this.#lastSequence = sequence;
    }
  }

  #dropHead(): void {
    this.#head += 1;
    if (this.#head < 64 && this.#head < this.#ready.length) return;
    this.#ready.splice(0, this.#head);
    this.#head = 0;
  }
}
