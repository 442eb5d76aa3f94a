import type { PacerSink } from './pacer';
import { type PcmFormat, silence } from './pcm';

export interface TailOptions {
  /** Little-endian, as the sink takes it. */
  readonly format: PcmFormat;
  readonly sink: PacerSink;
  readonly tailMs: number;
  readonly nowMs: number;
  /** Silence that was handed over. */
  readonly played: (bytes: Buffer) => void;
  /** Once. */
  readonly finished: () => void;
}

/** One AAC frame at 48 kHz. */
const FRAME_MS = 1024 / 48;

/**
 * Silence behind the last sample of what is played out, in AAC frames at the pace of the clock: what an encoder and a
 * media server still hold back then goes out before they are told that it was the end.
 */
export class Tail {
  readonly #options: TailOptions;
  readonly #frame: number;
  #handedMs = 0;
  #isFinished = false;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#frame = Math.round((options.format.sampleRate * FRAME_MS) / 1000);
  }

  /** Hands over what is due. What the sink does not take now is not owed, and not waited for. */
  tick(nowMs: number): void {
    const { format, sink, tailMs, nowMs: startMs, played, finished } = this.#options;
    if (this.#isFinished) return;
    const dueMs = Math.min(nowMs - startMs, tailMs);
    for (; this.#handedMs < dueMs; this.#handedMs += FRAME_MS) {
      if (!sink.writable) continue;
      const bytes = silence(this.#frame, format);
      sink.write(bytes);
      played(bytes);
    }
    if (nowMs - startMs < tailMs) return;
    this.#isFinished = true;
    finished();
  }
}
