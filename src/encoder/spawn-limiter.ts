import type { Clock, Timer } from '../base/clock';

/** `first` starts of an encoder go before `again`, and may use the whole burst. */
export type SpawnKind = 'first' | 'again';

interface Waiting {
  readonly kind: SpawnKind;
  readonly spawn: () => void;
}

/**
 * How many FFmpegs may be started a second, by all encoders of a daemon together.
 *
 * A spawn blocks the event loop for a millisecond or more (1 ms at 50 MB of daemon, 18 ms at 600 MB; 21 ms were seen
 * on a machine with both cores busy), so there is one a turn. And a starting FFmpeg takes 20 to 90 ms of a core. Ten a second are at most half a core of two, and bring
 * 90 encoders, as many as two cores can encode, back within the ten seconds that listeners are kept for after the media
 * server died. A fleet of creators that starts at once is not slowed: 24 first starts need not wait. Restarts leave
 * 16 of these alone, so that a broken server cannot starve those who just begin.
 */
const PER_SECOND = 10;
const BURST = 24;
const KEPT_FOR_FIRST = 16;
/** How often the queue is looked at while somebody waits: twice a token. */
const LOOK_MS = 50;

/** A token bucket with a queue. */
export class SpawnLimiter {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #tokens = BURST;
  #filledMs: number;
  #timer: Timer | undefined;
  /** A spawn was served in this turn. */
  #isResting = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledMs = clock.nowMs();
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Calls `spawn` now, if one more may be started now, else later, in turn.
   * @returns what takes the wish back; no effect after the call
   */
  request(kind: SpawnKind, spawn: () => void): Timer {
    const entry: Waiting = { kind, spawn };
    this.#waiting.push(entry);
    this.#serve();
    return {
      cancel: () => {
        const at = this.#waiting.indexOf(entry);
        if (at !== -1) this.#waiting.splice(at, 1);
        if (this.#waiting.length === 0) this.#stopTimer();
      },
    };
  }

  /** One spawn a turn of the event loop: the audio of those who come at the same time is looked at in between. */
  #serve(): void {
    this.#stopTimer();
    if (this.#isResting) return;
    const nowMs = this.#clock.nowMs();
    this.#tokens = Math.min(BURST, this.#tokens + ((nowMs - this.#filledMs) * PER_SECOND) / 1_000);
    this.#filledMs = nowMs;
    const next = this.#next();
    if (next) {
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#tokens -= 1;
      this.#isResting = true;
      this.#clock.after(0, () => this.#goOn(), { background: true });
      next.spawn();
    } else if (this.#waiting.length > 0) {
      this.#timer = this.#clock.after(LOOK_MS, () => this.#serve(), { background: true });
    }
  }

  #goOn(): void {
    this.#isResting = false;
    this.#serve();
  }

  #next(): Waiting | undefined {
    const first = this.#waiting.find(({ kind }) => kind === 'first');
    if (first) return this.#tokens >= 1 ? first : undefined;
    return this.#tokens >= 1 + KEPT_FOR_FIRST ? this.#waiting[0] : undefined;
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
