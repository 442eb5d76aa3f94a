import { performance } from 'node:perf_hooks';

/** A pending call. `cancel()` may be called any number of times, also after it fired. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time and timers. Everything that waits or measures takes a `Clock`, so that tests can
 * move time by hand.
 */
export interface Clock {
  /** Monotonic milliseconds with a fraction. Never jumps, says nothing about the date. */
  nowMs(): number;
  /** Epoch milliseconds, whole. For what people read; never for measuring. */
  epochMs(): number;
  /** Calls `fn` once, `delayMs` from now. The timer keeps the process alive unless `background` is set. */
  after(delayMs: number, fn: () => void, options?: { background?: boolean }): Timer;
  /** Calls `fn` every `periodMs`. Drift is allowed: use it for housekeeping, never for pacing. */
  every(periodMs: number, fn: () => void, options?: { background?: boolean }): Timer;
}

/** The clock of the running machine. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  after(delayMs, fn, options) {
    const handle = setTimeout(fn, delayMs);
    if (options?.background) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, fn, options) {
    const handle = setInterval(fn, periodMs);
    if (options?.background) handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
};

/** Resolves with `true` when `promise` settles within `limitMs`, with `false` when the limit comes first. */
export async function settlesWithin(
  clock: Clock,
  limitMs: number,
  promise: Promise<unknown>,
): Promise<boolean> {
  let timer: Timer | undefined;
  const limit = new Promise<boolean>((resolve) => {
    timer = clock.after(limitMs, () => resolve(false));
  });
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, limit]);
  } finally {
    timer?.cancel();
  }
}
