import type { Clock } from '../../base/clock';

/** Requests that wait for something to come into being, each for a limited time. */
export class Waiters<T> {
  readonly #waiting = new Set<(value: T | undefined) => void>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves with the value when it comes, with `undefined` after `limitMs` or when all are released. */
  async wait(clock: Clock, limitMs: number): Promise<T | undefined> {
    return new Promise((resolve) => {
      const done = (value: T | undefined): void => {
        timer.cancel();
        this.#waiting.delete(done);
        resolve(value);
      };
      const timer = clock.after(limitMs, () => done(undefined), { background: true });
      this.#waiting.add(done);
    });
  }

  resolve(value: T): void {
    for (const done of [...this.#waiting]) done(value);
  }

  /** Lets all go without a value. */
  release(): void {
    for (const done of [...this.#waiting]) done(undefined);
  }
}
