import { performance } from 'node:perf_hooks';
import { HANGS_AFTER_MS } from './patience';

/**
 * Asks `check` again and again until it gives a value other than `undefined`, `null` or `false`, and returns that.
 * For conditions that nobody announces, such as the end of a process that is not one's own child.
 * @throws {Error} after `withinMs`, saying what was waited for and the last error of `check`, if any
 */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  { withinMs = HANGS_AFTER_MS, everyMs = 20 }: { withinMs?: number; everyMs?: number } = {},
): Promise<Exclude<T, undefined | null | false>> {
  const untilMs = performance.now() + withinMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== null && value !== false)
        return value as Exclude<T, undefined | null | false>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= untilMs) break;
    await delay(everyMs);
  }
  const why =
    lastError === undefined
      ? ''
      : `; last error: ${lastError instanceof Error ? lastError.message : JSON.stringify(lastError)}`;
  throw new Error(`not within ${withinMs} ms: ${what}${why}`);
}

/** For pacing and for phases of a scenario that are lengths of time themselves (a creator away for 20 s). */
export async function delay(ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
