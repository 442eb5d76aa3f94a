import { performance } from 'node:perf_hooks';

/** Who plays a part: called once a period, in order. */
export type Beat = (index: number) => void;

/** How late beats were: by a machine that is too busy, or by a load that is too much for its process. */
export interface Lateness {
  readonly beats: number;
  /** Beats that came more than `TARDY_MS` after their time. */
  readonly tardy: number;
  readonly worstMs: number;
}

/** Half of the relay's prebuffer: a creator that is this late may be the cause of an underrun. */
export const TARDY_MS = 30;
/** Timers have no finer grain. */
const LOOK_MS = 1;
/** The golden ratio's fraction: phases that lie apart from each other, however many there are. */
const APART = 0.618_033_988_75;

/**
 * Beats for many parts, each at `its start + n × period` on the monotonic clock, their phases spread over the period. A
 * part that is late catches up at once, as a creator does whose network hung.
 */
export class Metronome {
  readonly #periodMs: number;
  readonly #parts: { readonly beat: Beat; dueMs: number; index: number }[] = [];
  #isRunning = false;
  #joined = 0;
  #beats = 0;
  #tardy = 0;
  #worstMs = 0;

  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  /** @returns how to leave; idempotent */
  join(beat: Beat): () => void {
    const phase = (this.#joined * APART) % 1;
    this.#joined += 1;
    const part = { beat, dueMs: performance.now() + phase * this.#periodMs, index: 0 };
    this.#parts.push(part);
    if (!this.#isRunning) this.#runLater();
    return () => {
      const at = this.#parts.indexOf(part);
      if (at >= 0) this.#parts.splice(at, 1);
    };
  }

  /** What happened since the last time that this was asked. */
  takeLateness(): Lateness {
    const lateness = { beats: this.#beats, tardy: this.#tardy, worstMs: this.#worstMs };
    this.#beats = this.#tardy = this.#worstMs = 0;
    return lateness;
  }

  #runLater(): void {
    this.#isRunning = true;
    setTimeout(() => this.#run(), LOOK_MS);
  }

  #run(): void {
    for (const part of [...this.#parts]) {
      for (let lateMs = performance.now() - part.dueMs; lateMs >= 0; lateMs -= this.#periodMs) {
        this.#beats += 1;
        if (lateMs > TARDY_MS) this.#tardy += 1;
        this.#worstMs = Math.max(this.#worstMs, lateMs);
        part.beat(part.index);
        part.index += 1;
        part.dueMs += this.#periodMs;
      }
    }
    this.#isRunning = this.#parts.length > 0;
    if (this.#isRunning) this.#runLater();
  }
}
