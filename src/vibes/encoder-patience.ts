import type { Clock, Timer } from '../base/clock';

/**
 * A vibe whose encoder does not come to run within this fails: FFmpeg, or the media server, is broken for good. Long
 * enough for a media server's restart by hand, and for the probes of an encoder that gave up (every 30 s).
 */
const PATIENCE_MS = 120_000;

/** Waits for an encoder that is down, for so long and no longer. */
export class EncoderPatience {
  readonly #clock: Clock;
  readonly #onOver: (why: string) => void;
  #timer: Timer | undefined;

  /** @param onOver told what brought the encoder down, when it did not come back in time */
  constructor(clock: Clock, onOver: (why: string) => void) {
    this.#clock = clock;
    this.#onOver = onOver;
  }

  /** The encoder is in this state now, because of this. */
  encoderMoved(to: string, why: string): void {
    if (to === 'running') this.stop();
    if (to !== 'backoff' && to !== 'failed') return;
    this.#timer ??= this.#clock.after(PATIENCE_MS, () => this.#onOver(why), { background: true });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
