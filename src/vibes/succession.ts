import type { Clock } from '../base/clock';
import type { EncoderExit } from '../encoder/encoder';
import type { PublishEnd } from '../media-server/media-server';
import { LossLedger, publishedSamples } from './loss-ledger';
import { Replay } from './replay';

export interface SuccessionOptions {
  /** Bytes of one sample of all channels, as it is fed. */
  readonly sampleBytes: number;
  /** Of what is fed. */
  readonly sampleRate: number;
  readonly clock: Clock;
  /** Told the samples that an encoder was fed, that were never published, and that no successor gets. */
  readonly onLost: (samples: number, exit: EncoderExit) => void;
}

/**
 * From one encoder's life to the next: what was fed to it and not published when it died is owed to listeners, and its
 * successor is fed that first. What nobody can be fed any more is told as lost.
 */
export class Succession {
  readonly #options: SuccessionOptions;
  readonly #replay: Replay;
  readonly #ledger: LossLedger;
  #token: string | undefined;
  #owed: { readonly bytes: Buffer; readonly exit: EncoderExit } | undefined;
  #isClosing = false;

  constructor(options: SuccessionOptions) {
    const { clock, sampleBytes, sampleRate } = options;
    this.#options = options;
    this.#replay = new Replay(sampleBytes, sampleRate);
    this.#ledger = new LossLedger(clock, sampleRate, (samples, exit) => this.#onUnpublished(samples, exit));
  }

  /** Whether a dead encoder left something that its successor has to be fed, or may have. */
  get isOpen(): boolean {
    return this.#owed !== undefined || this.#ledger.isOpen;
  }

  /** A process begins, with this token. The one before is settled by what is known now. @returns samples owed to it */
  begins(token: string): number {
    this.#ledger.begins(token);
    this.#token = token;
    this.#replay.clear();
    return (this.#owed?.bytes.length ?? 0) / this.#options.sampleBytes;
  }

  /** What the present process has to be fed before anything else; once, and counted as fed. */
  take(): Buffer | undefined {
    const bytes = this.#owed?.bytes;
    this.#owed = undefined;
    if (bytes) this.#replay.fed(bytes);
    return bytes;
  }

  /** The present process was fed this: whole samples, not changed afterwards. */
  fed(bytes: Buffer): void {
    this.#replay.fed(bytes);
  }

  /** The media server has received so much of a life. */
  received({ token, aacFrames }: PublishEnd): void {
    if (token !== this.#token || aacFrames === undefined) return;
    this.#ledger.received(token, aacFrames);
    this.#replay.published(publishedSamples(aacFrames, this.#options.sampleRate));
  }

  /** The media server saw the end of a life. */
  unpublished(end: PublishEnd): void {
    this.#ledger.unpublished(end);
  }

  /** A process ended. */
  exited(exit: EncoderExit): void {
    this.#ledger.exited(exit);
  }

  /** No successor will come: what is owed is lost, and what will be. */
  stop(): void {
    this.#isClosing = true;
    const owed = this.#owed;
    this.#owed = undefined;
    if (owed) this.#options.onLost(owed.bytes.length / this.#options.sampleBytes, owed.exit);
  }

  /** After the last process has ended: resolves when the media server's word on it is there, or waited for in vain. */
  async close(): Promise<void> {
    this.stop();
    await this.#ledger.close();
  }

  #onUnpublished(samples: number, exit: EncoderExit): void {
    const bytes = this.#isClosing ? Buffer.alloc(0) : this.#replay.takeLast(samples);
    if (bytes.length > 0) this.#owed = { bytes, exit };
    const lost = samples - bytes.length / this.#options.sampleBytes;
    if (lost > 0) this.#options.onLost(lost, exit);
  }
}
