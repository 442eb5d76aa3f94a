import { performance } from 'node:perf_hooks';

/**
 * How far ahead of the listener's ear we are: what the relay said it holds, plus what we sent since, less the time
 * that has passed. The relay's clock governs: every receipt corrects the estimate.
 */
export class Pace {
  readonly #now: () => number;
  #saidMs = 0;
  #saidAtMs: number;
  #underwayMs = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#saidAtMs = now();
  }

  /** Milliseconds of audio that the relay is believed to hold, or is about to. */
  get aheadMs(): number {
    return Math.max(0, this.#saidMs + this.#underwayMs - (this.#now() - this.#saidAtMs));
  }

  /** Milliseconds of audio sent and not acknowledged. */
  get underwayMs(): number {
    return this.#underwayMs;
  }

  sent(ms: number): void {
    this.#underwayMs += ms;
  }

  /** A receipt came: the relay took `ms` of what was under way, and holds `bufferedMs` in all. */
  acknowledged(ms: number, bufferedMs: number): void {
    this.#underwayMs = Math.max(0, this.#underwayMs - ms);
    this.#saidMs = bufferedMs;
    this.#saidAtMs = this.#now();
  }

  /** The connection is gone, and what was under way on it is not any more. */
  lost(): void {
    this.#underwayMs = 0;
  }
}
