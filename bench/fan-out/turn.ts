import { delay } from '../../tests/helpers/eventually';
import { CoreMeter } from '../lib/core-usage';
import { cpuSeconds, pssBytes } from '../lib/usage';
import type { Crowd } from './crowd';
import { Feed } from './feed';
import type { FanOutServer } from './server';

/** What is still under way when the listeners' counts are taken: two AAC frames of each second are neither here nor there. */
const UNDER_WAY = 2 / 47;
const SETTLE_MS = 1_000;
const IN_FULL = 0.99;

export interface TurnOptions {
  readonly server: FanOutServer;
  readonly crowd: Crowd;
  readonly count: number;
  readonly seconds: number;
  /** The server's. */
  readonly core: number;
}

/** How one server did with so many listeners. */
export interface Turn {
  /** Got at least 99 % of what was sent, and are still connected. */
  readonly servedInFull: number;
  /** Of each listener. */
  readonly worstGapsMs: readonly number[];
  /** Of the server's process, each second. */
  readonly cpuMicroseconds: number;
  /** Of its core: the process, and what the kernel did there besides. */
  readonly coreBusy: number;
  /** Of the other core. */
  readonly loadCoreBusy: number;
  /** The worse of both cores. */
  readonly stolen: number;
  /** PSS of the server's process. */
  readonly memoryBytes: number;
}

/** Lets an encoder publish and so many listen, for so long. */
export async function measureTurn({ server, crowd, count, seconds, core }: TurnOptions): Promise<Turn> {
  const feed = new Feed(server.feedUrl, server.feedMuxer);
  try {
    await delay(SETTLE_MS);
    await crowd.join(server.door, count);
    await delay(SETTLE_MS);

    await crowd.reset({ awake: true });
    const before = feed.sent;
    const meters = [new CoreMeter(core), new CoreMeter(1 - core)] as const;
    const [startMs, startSeconds] = [performance.now(), cpuSeconds(server.pid)];
    await delay(seconds * 1_000);
    const heard = await crowd.look();
    const took = (performance.now() - startMs) / 1_000;
    const used = cpuSeconds(server.pid) - startSeconds;
    const [own, other] = [meters[0].read(), meters[1].read()];

    const tags = feed.sent.tags - before.tags;
    const bytes = feed.sent.bytes - before.bytes;
    const best = Math.max(...heard.bytes);
    const expected =
      server.framingBytesPerTag === undefined ? best : bytes + tags * server.framingBytesPerTag;
    const least = expected * (IN_FULL - UNDER_WAY / seconds);
    return {
      servedInFull: Math.min(heard.connected, heard.bytes.filter((got) => got >= least).length),
      worstGapsMs: heard.worstGapsMs,
      cpuMicroseconds: (used / took) * 1e6,
      coreBusy: own.busy,
      loadCoreBusy: other.busy,
      stolen: Math.max(own.stolen, other.stolen),
      memoryBytes: pssBytes(server.pid),
    };
  } finally {
    await crowd.leave();
    await feed.stop();
  }
}
