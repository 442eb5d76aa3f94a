import type { Clock, Timer } from '../base/clock';
import { once } from '../base/closer';
import type { EncoderExit } from '../encoder/encoder';
import type { PublishEnd } from '../media-server/media-server';

/** The AAC encoder's first frame carries no audio of ours: it primes the decoder. */
const PRIMING_SAMPLES = 1024;
const AAC_FRAME_SAMPLES = 1024;
const AAC_RATE = 48_000;
/** FFmpeg's progress has the time of the FLV that it wrote: whole milliseconds. */
const PROGRESS_STEP_SECONDS = 0.001;
/** The media server tells the end of a publish at once; when it died itself it never will. */
const WITNESS_WAIT_MS = 5_000;

interface Life {
  /** AAC frames that the media server has received so far, where it says so. */
  received: number;
  exit?: EncoderExit;
  end?: PublishEnd;
  timer?: Timer;
}

/** How much of what an encoder was fed lies in the AAC frames that it published, in samples at `sampleRate`. */
export function publishedSamples(aacFrames: number, sampleRate: number): number {
  const samples = Math.max(0, aacFrames * AAC_FRAME_SAMPLES - PRIMING_SAMPLES);
  return Math.floor((samples * sampleRate) / AAC_RATE);
}

/**
 * Settles what each encoder's life has cost: what was fed to it less what the media server received of it. The two
 * witnesses report in either order. Where the media server has not said by then what it received in the end, the most
 * counts that is known: what it said before, or FFmpeg's own last progress. That comes every half second, so up to half
 * a second may have been published besides; and it knows what went into a socket, not what was read from it.
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

  /** Whether what a life has cost is not known yet, though it is over. */
  get isOpen(): boolean {
    return [...this.#lives.values()].some(({ exit }) => exit !== undefined);
  }

  /** Another life begins: those that are over are settled by what is known of them now. */
  begins(token: string): void {
    for (const [before, life] of this.#lives) if (life.exit) this.#settle(before, life);
    this.#lives.set(token, { received: 0 });
  }

  /** The media server has received so many AAC frames of a life. */
  received(token: string, aacFrames: number): void {
    const life = this.#lives.get(token);
    if (life) life.received = aacFrames;
  }

  exited(exit: EncoderExit): void {
    const life = this.#lives.get(exit.token) ?? { received: 0 };
    this.#lives.set(exit.token, life);
    life.exit = exit;
    // One that ended as it was asked to has published everything, and its last progress says so.
    if (life.end || exit.samplesFed === 0 || exit.reason === 'ended') return this.#settle(exit.token, life);
    life.timer = this.#clock.after(WITNESS_WAIT_MS, () => this.#settle(exit.token, life), {
      background: true,
    });
  }

  /** The media server saw the end of a life. Of one that is settled, or that never began here, it is no news. */
  unpublished(end: PublishEnd): void {
    const life = this.#lives.get(end.token);
    if (!life) return;
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

  #settle(token: string, life: Life): void {
    life.timer?.cancel();
    this.#lives.delete(token);
    this.#account(life);
    if (this.#lives.size === 0) this.#onSettled?.();
  }

  #account({ exit, end, received }: Life): void {
    if (!exit) return;
    const rate = this.#sampleRate;
    const frames = end?.aacFrames;
    const published =
      frames === undefined
        ? Math.max(Math.floor((exit.outTimeUs * rate) / 1e6), publishedSamples(received, rate))
        : publishedSamples(frames, rate);
    const lost = exit.samplesFed - published;
    const isProgressExact = frames === undefined && exit.reason === 'ended';
    const isRounding = isProgressExact && lost <= rate * PROGRESS_STEP_SECONDS;
    if (lost > 0 && !isRounding) this.#onLoss(lost, exit);
  }
}
