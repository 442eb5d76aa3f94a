import type { Clock, Timer } from '../../src/base/clock';

interface Pending {
  dueMs: number;
  order: number;
  fn: () => void;
  periodMs?: number;
}

/** A clock that stands still until `advance` moves it, running what falls due in order. */
export class FakeClock implements Clock {
  #nowMs = 1_000;
  #order = 0;
  readonly #pending = new Set<Pending>();

  nowMs(): number {
    return this.#nowMs;
  }

  epochMs(): number {
    return 1_700_000_000_000 + Math.round(this.#nowMs);
  }

  after(delayMs: number, fn: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, fn });
  }

  every(periodMs: number, fn: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + periodMs, order: this.#order++, fn, periodMs });
  }

  /** Timers that would still fire: a test that ends with some has a leak. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Moves time on, stopping at each timer on the way. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#next(untilMs); next; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      if (next.periodMs === undefined) this.#pending.delete(next);
      else next.dueMs += next.periodMs;
      next.fn();
    }
    this.#nowMs = untilMs;
  }

  /** Like `advance`, but lets promises settle between steps of `stepMs`. */
  async advanceAsync(ms: number, stepMs = 10): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.advance(Math.min(stepMs, left));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  #next(untilMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueMs > untilMs) continue;
      if (
        !first ||
        pending.dueMs < first.dueMs ||
        (pending.dueMs === first.dueMs && pending.order < first.order)
      ) {
        first = pending;
      }
    }
    return first;
  }
}
