import type { Clock, Timer } from '../base/clock';

/** What the watchdog looks at: one process. */
export interface Watched {
  readonly samplesFed: number;
  readonly outTimeUs: number;
  /** Whether the pipe is full. */
  readonly blocked: boolean;
}

const LOOK_MS = 500;
/** Looks in a row at a flowing encoder that owes audio: longer than a machine that is stopped for 3 s, twice over. */
const FLOWING_LOOKS = 12;
/** Connecting takes its time: a TCP connect alone gives up after 5 s. */
const STARTING_LOOKS = 20;
/** FFmpeg keeps three AAC frames and a packet to itself (100 ms). With half a second more it owes progress. */
const OWED_SECONDS = 0.5;

/**
 * Says when an FFmpeg is stuck: it was fed (half a second, or until its pipe was full) since its `out_time_us` last
 * moved, and it has not moved for 6 s, in the beginning 10 s. What is not fed owes nothing.
 *
 * Looks are counted, not milliseconds: after the whole machine stood still, one look passes before the progress that
 * waits in the pipe is read, however long it was.
 */
export class Watchdog {
  readonly #timer: Timer;

  constructor(options: {
    clock: Clock;
    /** Of what is fed. */
    sampleRate: number;
    watched: Watched;
    /** Whether audio came out already. */
    flowing: () => boolean;
    /** Called once. */
    onStall: () => void;
  }) {
    const { clock, sampleRate, watched, flowing, onStall } = options;
    let outTimeUs = watched.outTimeUs;
    let samplesFed = watched.samplesFed;
    let looks = 0;
    this.#timer = clock.every(
      LOOK_MS,
      () => {
        if (watched.outTimeUs !== outTimeUs) {
          ({ outTimeUs, samplesFed } = watched);
          looks = 0;
          return;
        }
        const owes = watched.blocked || watched.samplesFed - samplesFed >= OWED_SECONDS * sampleRate;
        looks = owes ? looks + 1 : 0;
        if (looks < (flowing() ? FLOWING_LOOKS : STARTING_LOOKS)) return;
        this.stop();
        onStall();
      },
      { background: true },
    );
  }

  stop(): void {
    this.#timer.cancel();
  }
}
