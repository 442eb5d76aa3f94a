import type { Clock, Timer } from '../base/clock';
import { once } from '../base/closer';
import type { EncoderExit } from '../encoder/encoder';
import type { PublishEnd } from '../media-server/media-server';

/** The AAC encoder's first frame carries no audio of ours: it primes the decoder. */
const PRIMING_SAMPLES = 1024;
const AAC_FRAME_SAMPLES = 1024;
const AAC_RATE = 48_000;
/** The media server tells the end of a publish at once; when it died itself it never will. */
const WITNESS_WAIT_MS = 5_000;

interface Life {
  exit?: EncoderExit;
  end?: PublishEnd;
  timer?: Timer;
}

/**
 * Settles what each encoder's life has cost: what was fed to it less what the media server received of it. The two
 * witnesses report in either order. Where the media server cannot say, or says nothing,
 * FFmpeg's own last progress counts. It comes every half second, so that what is called lost is then the most that can
 * have been lost: up to half a second of it was published after all.
 */
export class LossLedger {
  readonly #clock: Clock;
  readonly #sampleRate: number;
  readonly #onLoss: (samples: number, exit: EncoderExit) => void;
  readonly #lives = new Map<string, Life>();
  /** Set while it closes: called when no life is open any more. */
  #onSettled: (() => void) | undefined;

  /**
   * @param sampleRate of what is fed
   * @param onLoss told the samples that were fed and never published, when there are any
   */
  constructor(clock: Clock, sampleRate: number, onLoss: (samples: number, exit: EncoderExit) => void) {
    this.#clock = clock;
    this.#sampleRate = sampleRate;
    this.#onLoss = onLoss;
  }

  exited(exit: EncoderExit): void {
    const life = this.#life(exit.token);
    life.exit = exit;
    // One that ended as it was asked to has published everything, and its last progress says so.
    if (life.end || exit.samplesFed === 0 || exit.reason === 'ended') return this.#settle(exit.token, life);
    life.timer = this.#clock.after(WITNESS_WAIT_MS, () => this.#settle(exit.token, life), {
      background: true,
    });
  }

  unpublished(end: PublishEnd): void {
    if (this.#onSettled && !this.#lives.has(end.token)) return;
    const life = this.#life(end.token);
    life.end = end;
    if (life.exit) this.#settle(end.token, life);
  }

  /**
   * No life will follow: resolves when the media server's word on the last ones is there, or waited for in vain.
   * Idempotent.
   */
  readonly close = once(async () => {
    for (const [token, life] of this.#lives) if (!life.exit) this.#lives.delete(token);
    const settled = new Promise<void>((resolve) => (this.#onSettled = resolve));
    if (this.#lives.size > 0) await settled;
  });

  #life(token: string): Life {
    let life = this.#lives.get(token);
    if (!life) this.#lives.set(token, (life = {}));
    return life;
  }

  #settle(token: string, life: Life): void {
    life.timer?.cancel();
    this.#lives.delete(token);
    this.#account(life);
    if (this.#lives.size === 0) this.#onSettled?.();
  }

  #account(life: Life): void {
    if (!life.exit) return;
    const frames = life.end?.aacFrames;
    const published =
      frames === undefined
        ? (life.exit.outTimeUs * AAC_RATE) / 1e6
        : Math.max(0, frames * AAC_FRAME_SAMPLES - PRIMING_SAMPLES);
    const lost = life.exit.samplesFed - Math.floor((published * this.#sampleRate) / AAC_RATE);
    if (lost > 0) this.#onLoss(lost, life.exit);
  }
}
