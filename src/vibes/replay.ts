/** What the kernel holds for a process that does not read its standard input: some 200 kB. */
const PIPE_BYTES = 256 * 1024;
/** What FFmpeg holds besides (100 ms), and what it published since its last progress (half a second). */
const UNTOLD_SECONDS = 0.7;
/** Kept at most where somebody says what is published: as long as a media server may hang before it is ended (6 s), and more. */
const TOLD_SECONDS = 8;
/** However much that is, no more bytes: the whole of it at 48 kHz stereo s32, a second at the largest format. */
const MAX_BYTES = 6 * 1024 * 1024;

/**
 * What the present encoder was fed and has not published, for its successor. Kept as views of what the jitter buffer
 * handed out, not as copies: some 100 ms while all is well, where the media server says what it has received.
 */
export class Replay {
  readonly #sampleBytes: number;
  readonly #untoldBytes: number;
  readonly #toldBytes: number;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** What this encoder was fed and is kept no longer. */
  #goneBytes = 0;
  #isTold = false;

  /**
   * @param sampleBytes of one sample of all channels
   * @param sampleRate of what is fed
   */
  constructor(sampleBytes: number, sampleRate: number) {
    const secondBytes = sampleRate * sampleBytes;
    this.#sampleBytes = sampleBytes;
    this.#untoldBytes = PIPE_BYTES + UNTOLD_SECONDS * secondBytes;
    this.#toldBytes = Math.min(MAX_BYTES, TOLD_SECONDS * secondBytes);
  }

  /** Remembers what was handed to the encoder: whole samples, not changed afterwards. */
  fed(bytes: Buffer): void {
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    this.#keep(this.#isTold ? this.#toldBytes : this.#untoldBytes);
  }

  /** So many samples of what this encoder was fed are published: they are not needed any more. */
  published(samples: number): void {
    this.#isTold = true;
    this.#keep(this.#goneBytes + this.#keptBytes - samples * this.#sampleBytes);
  }

  /** Takes out the last so many samples, or as many as are remembered, in one piece. Nothing is remembered then. */
  takeLast(samples: number): Buffer {
    const bytes = Math.min(samples * this.#sampleBytes, this.#keptBytes);
    const all = Buffer.concat(this.#kept, this.#keptBytes);
    this.clear();
    return all.subarray(all.length - bytes);
  }

  /** Another encoder begins. */
  clear(): void {
    this.#kept = [];
    this.#keptBytes = 0;
    this.#goneBytes = 0;
  }

  /** Lets go of the oldest, whole pieces only, as long as so many bytes are left. */
  #keep(bytes: number): void {
    let gone = 0;
    for (const { length } of this.#kept) {
      if (this.#keptBytes - length < bytes) break;
      this.#keptBytes -= length;
      this.#goneBytes += length;
      gone += 1;
    }
    if (gone > 0) this.#kept.splice(0, gone);
  }
}
