import { type PcmFormat, sampleBytes, silence, valueAccess, valueBytes } from './pcm';

/** Length of a fade at the edge of silence: long enough not to click, too short to be heard as an echo. */
const FADE_MS = 5;

/**
 * Makes the frames at the edges of silence. A fade is the neighbouring sound mirrored in time, under a raised cosine:
 * the signal goes on where it was and falls to zero, and the creator's own samples stay untouched.
 */
export class Fader {
  /** Samples of a fade. */
  readonly samples: number;
  readonly #format: PcmFormat;
  readonly #frameSamples: number;
  readonly #sampleBytes: number;
  readonly #valueBytes: number;
  readonly #values: ReturnType<typeof valueAccess>;
  /** The end of what went out last, at its own end: a copy, or a few bytes would keep a whole chunk in memory. */
  readonly #tail: Buffer;
  #tailBytes = 0;

  /**
   * @param format little-endian
   * @param frameSamples length of the frames of silence
   */
  constructor(format: PcmFormat, frameSamples: number) {
    this.samples = Math.round((format.sampleRate * FADE_MS) / 1000);
    this.#format = format;
    this.#frameSamples = frameSamples;
    this.#sampleBytes = sampleBytes(format);
    this.#valueBytes = valueBytes(format);
    this.#values = valueAccess(format);
    this.#tail = Buffer.alloc(this.samples * this.#sampleBytes);
  }

  /** Remembers the end of what goes out, whatever the size of the pieces. */
  heard(bytes: Buffer): void {
    const tail = this.#tail;
    if (bytes.length < tail.length) tail.copyWithin(0, bytes.length);
    bytes.copy(tail, Math.max(0, tail.length - bytes.length), Math.max(0, bytes.length - tail.length));
    this.#tailBytes = Math.min(tail.length, this.#tailBytes + bytes.length);
  }

  /** A frame of silence that begins with what was heard last, mirrored and falling. */
  out(): Buffer {
    const frame = silence(this.#frameSamples, this.#format);
    const samples = this.#tailBytes / this.#sampleBytes;
    for (let i = 0; i < samples; i += 1) this.#mix(frame, i, this.#tail, this.samples - 1 - i, i / samples);
    return frame;
  }

  /** A frame of silence that ends with `next`, mirrored and rising. @param next the sound that follows; its beginning counts */
  into(next: Buffer): Buffer {
    const frame = silence(this.#frameSamples, this.#format);
    const samples = Math.min(this.samples, next.length / this.#sampleBytes);
    for (let i = 0; i < samples; i += 1) this.#mix(frame, this.#frameSamples - 1 - i, next, i, i / samples);
    return frame;
  }

  /** Puts sample `from` of `source` at sample `to` of `target`, `distance` (0 to 1) away from the sound. */
  #mix(target: Buffer, to: number, source: Buffer, from: number, distance: number): void {
    const gain = 0.5 + 0.5 * Math.cos(Math.PI * distance);
    const { read, write } = this.#values;
    for (let at = 0; at < this.#sampleBytes; at += this.#valueBytes) {
      write(target, to * this.#sampleBytes + at, read(source, from * this.#sampleBytes + at) * gain);
    }
  }
}
