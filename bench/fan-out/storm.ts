import { delay } from '../../tests/helpers/eventually';
import type { Crowd } from './crowd';
import { Feed } from './feed';
import type { FanOutServer } from './server';

const SETTLE_MS = 1_000;
/** Less than the 511 connections that Node asks the kernel to hold for it: those beyond would come back a second later. */
const AT_ONCE = 500;

export interface StormOptions {
  readonly server: FanOutServer;
  /** Those who listen, and those who all come at once: processes of their own. */
  readonly listening: Crowd;
  readonly joining: Crowd;
  readonly listeners: number;
  readonly joiners: number;
}

/** What those who listened heard of a storm. */
export interface Storm {
  /** Of each who listened, while the others came. */
  readonly worstGapsMs: readonly number[];
  /** From the first knock until all were in. */
  readonly tookMs: number;
  readonly joined: number;
}

/** Lets many come at once while some listen. */
export async function measureStorm(options: StormOptions): Promise<Storm> {
  const { server, listening, joining, listeners, joiners } = options;
  const feed = new Feed(server.feedUrl, server.feedMuxer);
  try {
    await delay(SETTLE_MS);
    await listening.join(server.door, listeners);
    await delay(SETTLE_MS);
    await listening.reset({ awake: false });
    const startMs = performance.now();
    const joined = await joining.join(server.door, joiners, AT_ONCE);
    const tookMs = performance.now() - startMs;
    const { worstGapsMs } = await listening.look();
    return { worstGapsMs, tookMs, joined };
  } finally {
    await Promise.all([listening.leave(), joining.leave()]);
    await feed.stop();
  }
}
