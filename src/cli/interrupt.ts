/** How long after the first a signal is still the same wish: under npm, one Ctrl-C arrives twice. */
const SAME_WISH_MS = 300;

/** What the second Ctrl-C does to a command that is still tidying up. */
function leaveAtOnce(): never {
  process.exit(130);
}

/**
 * Turns Ctrl-C and SIGTERM into an abort, so that a command can end in order. A second signal ends it at once.
 * @returns the signal, and what gives the keys back
 */
export function onInterrupt(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  let firstMs = 0;
  const onSignal = (): void => {
    if (!controller.signal.aborted) {
      firstMs = Date.now();
      controller.abort();
    } else if (Date.now() - firstMs > SAME_WISH_MS) {
      leaveAtOnce();
    }
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    release: () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}

/**
 * Waits for a promise, but no longer than until the abort. What becomes of the promise after that is nobody's
 * concern.
 * @returns its value, or `undefined` after an abort
 */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(undefined);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    const done = (): void => signal.removeEventListener('abort', onAbort);
    promise.then(resolve, reject).finally(done);
  });
}
