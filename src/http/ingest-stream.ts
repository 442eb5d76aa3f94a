import { type PcmFormat, sampleBytes } from '../audio/pcm';
import { WavReader } from '../audio/wav';
import { Problem } from '../base/errors';
import type { Vibe } from '../vibes/vibe';
import { tornSample } from './audio-json';
import type { AudioPost, Taken } from './audio-post';
import { BodyAborted } from './body-reader';
import type { HttpContext } from './context';

/** Audio is handed over in pieces of at most this: small against the smallest buffer, one second. */
const PIECE_MS = 250;
/** Where another door took the room that we were promised, it is tried again after this. */
const RETRY_MS = 20;

/**
 * A body of any length, hours included: plays it as it arrives, and reads no faster than the buffer has room, so that
 * TCP holds the sender back.
 * @param begun what was read of the body already
 * @returns what was taken once all of it is buffered; nothing where the client went away
 * @throws {Problem} `torn-sample`, `empty-audio` (422) at the end of the body; `superseded`, `vibe-ending` (409)
 */
export async function ingestStream(
  post: AudioPost,
  context: HttpContext,
  begun?: Buffer,
): Promise<Taken | undefined> {
  const ingest = new StreamIngest(post, context);
  const { reader } = post;
  try {
    if (begun) await reader.unlessRefused(Promise.resolve(ingest.take(begun)));
    else await reader.each((bytes) => ingest.take(bytes));
    return ingest.finish();
  } catch (error) {
    ingest.countTruncated(reader.missingBytes);
    if (error instanceof BodyAborted) return undefined;
    throw error;
  } finally {
    ingest.close();
  }
}

class StreamIngest {
  readonly #post: AudioPost;
  readonly #context: HttpContext;
  readonly #wav: WavReader | undefined;
  /** Read, and not handed over: less than a sample, or what was underway when the stream was cut off. */
  #carry: Buffer = Buffer.alloc(0);
  #vibe: Vibe | undefined;
  #letGo: () => void = () => undefined;
  #accepted = 0;
  #sequence = 0;
  #isClosed = false;

  constructor(post: AudioPost, context: HttpContext) {
    this.#post = post;
    this.#context = context;
    this.#wav = post.wrapping === 'wav' ? new WavReader() : undefined;
  }

  /** Hands over whole samples. @returns nothing where they found room at once; otherwise, when they have */
  take(bytes: Buffer): Promise<void> | void {
    const audio = this.#wav ? this.#wav.push(bytes) : bytes;
    if (audio.length === 0) return;
    this.#carry = this.#carry.length > 0 ? Buffer.concat([this.#carry, audio]) : audio;
    const format = (this.#wav ? this.#wav.format : this.#post.format) as PcmFormat;
    const vibe = this.#vibe ?? (this.#carry.length < sampleBytes(format) ? undefined : this.#attach(format));
    if (!vibe) return;
    for (let piece = this.#piece(format); piece; piece = this.#piece(format)) {
      if (!vibe.pipeline.hasRoom(piece.length / sampleBytes(format)))
        return this.#takeWithWaits(vibe, format);
      this.#push(vibe, piece);
    }
  }

  /** @throws {Problem} `empty-audio`, `torn-sample` (422) */
  finish(): Taken {
    const format = this.#wav ? this.#wav.format : this.#post.format;
    if (!format) throw new Problem('invalid-audio-data', 'This WAV ends within its header.');
    if (this.#carry.length > 0) throw tornSample(this.#carry.length, format);
    if (!this.#vibe) throw new Problem('empty-audio', 'There is no audio in this body.');
    return { vibe: this.#vibe, accepted: this.#accepted, duplicate: false, sequence: this.#sequence };
  }

  /** Counts what was read and not played, and what was announced and never came. */
  countTruncated(missingBytes: number): void {
    const bytes = this.#carry.length + missingBytes;
    if (bytes === 0) return;
    if (this.#vibe) this.#vibe.countTruncated(bytes, 'stream');
    else this.#context.metrics.ingestTruncatedBytes.inc(bytes);
  }

  close(): void {
    this.#isClosed = true;
    if (!this.#vibe) return;
    this.#letGo();
    this.#context.metrics.ingestConnections.dec({ door: 'stream' });
  }

  /** The next whole samples; nothing where there are none. */
  #piece(format: PcmFormat): Buffer | undefined {
    const carry = this.#carry;
    const width = sampleBytes(format);
    if (carry.length < width) return undefined;
    const pieceBytes = Math.ceil((format.sampleRate * PIECE_MS) / 1000) * width;
    return carry.subarray(0, Math.min(pieceBytes, carry.length - (carry.length % width)));
  }

  #push(vibe: Vibe, piece: Buffer): void {
    const receipt = vibe.push(piece, { door: 'stream' });
    this.#accepted += receipt.accepted;
    this.#sequence = receipt.sequence;
    this.#carry = this.#carry.subarray(piece.length);
  }

  async #takeWithWaits(vibe: Vibe, format: PcmFormat): Promise<void> {
    for (let piece = this.#piece(format); piece; piece = this.#piece(format)) {
      await vibe.whenRoom(piece.length / sampleBytes(format));
      // A newer connection may have taken over meanwhile: what is underway was counted as cut off.
      if (this.#isClosed) return;
      try {
        this.#push(vibe, piece);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'buffer-full') throw error;
        await this.#pause();
      }
    }
  }

  /** The first audio: finds the vibe or starts it, and takes over from an older connection. */
  #attach(format: PcmFormat): Vibe {
    const { registry, metrics } = this.#context;
    const vibe = registry.accept(this.#post.vibeId, this.#post.claim, format);
    this.#letGo = vibe.takeOver({ supersede: (problem) => this.#post.reader.refuse(problem) });
    this.#vibe = vibe;
    metrics.ingestConnections.inc({ door: 'stream' });
    return vibe;
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#context.clock.after(RETRY_MS, resolve, { background: true }));
  }
}
