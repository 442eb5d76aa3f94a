/**
 * The wait before the n-th try (from 0): doubling from a quarter of a second to one, a fifth of it by chance. No longer:
 * a relay that was restarted is back after a second or two, and until the next try its listeners hear nothing.
 */
export function backoffMs(tries: number, random: () => number = Math.random): number {
  return Math.min(1_000, 250 * 2 ** tries) * (0.8 + 0.2 * random());
}

/** A wait that can be cut short. Resolves early when `signal` is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
