import { performance } from 'node:perf_hooks';
import { delay } from './eventually';
import { FlvListener } from './flv-listener';

/** Lets a listener's request reach the server: nothing tells a client that a player is waiting. */
const LISTENER_MS = 150;

export interface FirstTag {
  /** When sending began. */
  readonly fromMs: number;
  /** From then on. */
  readonly tookMs: number;
}

/**
 * How long it takes until a listener who is waiting already hears the first audio tag.
 * @param flvUrl where it listens
 * @param send sends audio there
 */
export async function firstTag(flvUrl: string, send: () => Promise<unknown>): Promise<FirstTag> {
  const listening = FlvListener.connect(flvUrl);
  await delay(LISTENER_MS);
  const fromMs = performance.now();
  const sent = send();
  const listener = await listening;
  await listener.until('the first audio tag', () => listener.frames.length > 0);
  const tookMs = (listener.frames[0]?.atMs ?? NaN) - fromMs;
  await sent;
  listener.leave();
  return { fromMs, tookMs };
}
