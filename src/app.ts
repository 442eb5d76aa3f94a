import { Ticker } from './audio/ticker';
import { createDoorkeeper } from './auth/doorkeeper';
import { systemClock } from './base/clock';
import { Closer, once } from './base/closer';
import type { Config } from './base/config';
import { prepareDataDir } from './base/data-dir';
import { Headroom } from './base/headroom';
import type { Logger } from './base/logger';
import { Metrics } from './base/metrics';
import { version } from './base/version';
import { prepareEncoders } from './encoder/encoders';
import { endStaleEncoders } from './encoder/stale-encoders';
import { createHttpServer } from './http/server';
import { createMediaServer } from './media-server/create';
import { createRtc } from './media-server/create-rtc';
import { HookDesk } from './media-server/srs/hook-desk';
import { VibeRegistry } from './vibes/registry';
import { VibeJournal } from './vibes/vibe-journal';

/** The running relay. */
export interface App {
  /**
   * Refuses new audio, plays out what is held within `DRAIN_BUDGET_MS`, ends the encoders, then closes everything else
   * in reverse order of its start. Idempotent.
   */
  close(): Promise<void>;
}

export interface AppOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** The process's environment, for what programs that are started need of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Tails may take this long to play out when the daemon stops; the rest is counted as discarded. */
export const DRAIN_BUDGET_MS = 10_000;

/**
 * Builds the house in order: encoder, media server, vibes, doors. All or nothing: when a part cannot start, those that
 * have are closed again.
 * @throws {OperatorError} where an operator has to mend something: a port, a directory, FFmpeg
 */
export async function startApp({ config, logger, env }: AppOptions): Promise<App> {
  const clock = systemClock;
  const metrics = new Metrics();
  const closer = new Closer((name) => logger.debug({ part: name }, 'closing'));
  let journal: VibeJournal | undefined;
  try {
    prepareDataDir(config.dataDir);
    const memory = new VibeJournal({ config, clock, logger, metrics: metrics.journal });
    journal = memory;
    for (const { vibeId, pid } of endStaleEncoders(memory.encoders)) {
      metrics.journal.staleEncoders.inc();
      logger.warn({ vibeId, pid }, 'an FFmpeg of a daemon that died was still there: ended');
    }
    const doorkeeper = await createDoorkeeper({ config, clock, logger });
    const hooks = new HookDesk({ logger, metrics });
    const mediaServer = createMediaServer({ config, hooks, clock, logger, metrics });
    const encoders = await prepareEncoders({
      config,
      env,
      clock,
      logger,
      metrics,
      publishUrl: (vibeId, token) => mediaServer.publishUrl(vibeId, token),
      whenClear: (vibeId, go) => mediaServer.whenClear(vibeId, go),
      mediaServerUp: () => mediaServer.health.up,
    });
    await mediaServer.start();
    closer.add('media server', () => mediaServer.close());
    const webRtc = createRtc({ config, mediaServer, hooks, tools: encoders.tools, clock, logger, metrics });
    if (webRtc) closer.add('webrtc', () => webRtc.close());
    mediaServer.on('health', ({ up }) => {
      if (up) encoders.retryNow();
    });

    metrics.watchVersions(version, () => mediaServer.health);
    metrics.watchProgram('media-server', () => (mediaServer.pid === undefined ? [] : [mediaServer.pid]));

    const ticker = new Ticker(clock, (lateMs) => metrics.pacerLateness.observe(lateMs / 1000));
    const headroom = new Headroom(config, clock, () => [
      process.pid,
      ...(mediaServer.pid === undefined ? [] : [mediaServer.pid]),
      ...registry.encoderPids,
    ]);
    closer.add('headroom', () => headroom.close());
    const registry: VibeRegistry = new VibeRegistry({
      config,
      clock,
      headroom,
      ticker,
      metrics,
      logger,
      mediaServer,
      createEncoder: encoders.create,
      recorder: journal,
    });
    closer.add('journal', () => journal?.close());
    closer.add('vibes', () => registry.close());
    // Before the doors open: the first creator that comes back finds its vibe.
    journal.begin((past) => registry.restore(past));

    const server = createHttpServer({
      config,
      registry,
      doorkeeper,
      mediaServerHealth: () => mediaServer.health,
      journalFault: () => memory.fault,
      hooks,
      webRtc,
      clock,
      logger,
      metrics,
      version,
    });
    await server.listen();
    closer.add('doors', () => server.close());
    // The doors stay open while tails play out, to say so.
    closer.add('audio', () => registry.drain(DRAIN_BUDGET_MS));
  } catch (error) {
    // The next try finds what this one found.
    await journal?.freeze();
    await closer.close();
    throw error;
  }
  return { close: once(() => closer.close()) };
}
