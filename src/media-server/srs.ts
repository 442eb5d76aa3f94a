import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { settlesWithin, type Clock, type Timer } from '../base/clock';
import { once } from '../base/closer';
import type { Logger } from '../base/logger';
import type { Metrics } from '../base/metrics';
import type { MediaServer, MediaServerEvents, MediaServerHealth } from './media-server';
import { SrsApi, type StreamEntry } from './srs/api';
import { Clearance } from './srs/clearance';
import { Guards } from './srs/guards';
import { DEFAULT_VHOST } from './srs/hook';
import type { HookDesk } from './srs/hook-desk';
import type { HlsFiles } from './srs/hls-files';
import { ListenerCheck } from './srs/listener-check';
import { Players } from './srs/players';
import { Publishers, RESTARTED } from './srs/publishers';
import { StreamHooks } from './srs/stream-hooks';
import { SrsWatch } from './srs/watch';

export interface SrsMediaServerOptions {
  /** Where encoders publish, e.g. `rtmp://127.0.0.1:1935/live`: names SRS's host and the app. */
  readonly rtmpUrl: string;
  /** SRS's API, on that host. */
  readonly apiPort: number;
  /** Where SRS's hooks come in. */
  readonly hooks: HookDesk;
  /** Whether SRS is a program of this machine, so that its process id is one of ours. */
  readonly isLocal: boolean;
  /** What SRS writes for HLS, where it writes on this machine. */
  readonly hlsFiles?: HlsFiles | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The first look is waited for, so that the relay knows from its first answer on whether SRS is there. */
const FIRST_LOOK_MS = 2_000;
/** A vibe's last publish takes its players with it; who only waited for one is sent away then. */
const LEFTOVERS_AFTER_MS = 1_000;
/** What is left publishing when the relay ends is sent away within this. */
const CLOSE_WITHIN_MS = 2_000;
/** SRS would wait for 30 s. Who waits in vain comes again. */
const PLAYERS_WAIT_MS = 10_000;
const KICK_REASONS = ['stale', 'superseded', 'stray', 'unheard', 'vibe-over', 'closing'];
/**
 * SRS cuts players of HTTP-FLV when the publisher goes, up to 20 ms (`mw_latency`) after it last looked for what they
 * have not got yet. FFmpeg holds two AAC frames back until more comes, and audio may be two ahead of the clock.
 */
const TAIL_MS = 160;
const NONCE_BYTES = 12;
/** Marks a player as one of the relay's own. */
const INTERNAL = 'relay';

/**
 * SRS as the media server. It runs by itself and may come and go; its hooks are decided here at once and from memory,
 * and its API is asked every two seconds, because hooks get lost. What the API does not answer is not known, and
 * nothing is concluded from it.
 */
export class SrsMediaServer extends EventEmitter<MediaServerEvents> implements MediaServer {
  readonly #options: SrsMediaServerOptions;
  readonly #logger: Logger;
  readonly #app: string;
  readonly #nonce = randomBytes(NONCE_BYTES).toString('base64url');
  readonly #announced = new Set<string>();
  readonly #api: SrsApi;
  readonly #watch: SrsWatch;
  readonly #publishers: Publishers;
  readonly #players: Players;
  readonly #guards: Guards;
  readonly #listenerCheck: ListenerCheck;
  readonly #clearance: Clearance;
  readonly #leftovers = new Map<string, Timer>();
  #browsersOf: (vibeId: string) => number = () => 0;

  constructor(options: SrsMediaServerOptions) {
    super();
    this.#options = options;
    const { clock, metrics, hooks } = options;
    metrics.expect(metrics.srsProbes, 'result', ['heard', 'unheard']);
    metrics.expect(metrics.srsPolls, 'result', ['answered', 'refused', 'silent', 'wrong']);
    metrics.expect(metrics.srsKicks, 'reason', KICK_REASONS);
    const logger = (this.#logger = options.logger.child({ part: 'media-server' }));
    const rtmp = new URL(options.rtmpUrl);
    this.#app = rtmp.pathname.replace(/^\/|\/$/g, '');
    this.#api = new SrsApi({ baseUrl: `http://${rtmp.hostname}:${options.apiPort}`, clock });
    const vibeIdOf = (url: string): string | undefined => this.#vibeIdOf(url);
    const kick = (clientId: string, reason: string): void => this.kick(clientId, reason);
    this.#players = new Players((vibeId) =>
      this.emit('listeners', { vibeId, listeners: this.playersOf(vibeId) }),
    );
    this.#guards = new Guards({
      ...{ clock, logger },
      urlOf: (vibeId) => `${options.rtmpUrl}/${vibeId}?${this.ownPlayerQuery}`,
      onPlaying: () => this.#clearance.guarded(),
    });
    this.#publishers = new Publishers({
      ...{ clock, logger, kick, vibeIdOf },
      lookSoon: () => this.#watch.lookSoon(),
      urlOf: (vibeId) => `/${this.#app}/${vibeId}`,
      guardOf: (vibeId) => this.#guards.of(vibeId),
      events: {
        published: (publish) => {
          metrics.srsProbes.inc({ result: 'heard' });
          this.emit('published', publish);
        },
        freed: (vibeId, cause) => {
          const tearDown = this.#players.wasHeardSince(vibeId, clock.nowMs() - LEFTOVERS_AFTER_MS);
          this.#clearance.freed(vibeId, tearDown && cause !== RESTARTED);
        },
        unpublished: (end) => this.emit('unpublished', end),
        ghost: (vibeId) => this.#onGhost(vibeId),
      },
    });
    this.#clearance = new Clearance({
      ...{ clock, kick },
      holderOf: (vibeId) => this.#publishers.holderOf(vibeId),
      giveUp: (vibeId) => this.#publishers.giveUp(vibeId),
      look: () => void this.#watch.look(),
      isGuarded: (vibeId) => this.#guards.isPlaying(vibeId),
    });
    this.#listenerCheck = new ListenerCheck({
      api: this.#api,
      players: this.#players,
      clock,
      logger,
      vibeIdOf,
    });
    this.#watch = new SrsWatch({
      ...{ api: this.#api, clock, logger, metrics },
      hurry: () => this.#publishers.someUnheard || this.#clearance.someWait,
      events: {
        up: (up) => this.#onUp(up),
        restarted: (service) => this.#onRestart(service),
        streams: (streams, askedMs) => this.#onStreams(streams, askedMs),
      },
    });
    hooks.watch(({ serviceId }) => this.#watch.heardFrom(serviceId));
    hooks.serve(
      DEFAULT_VHOST,
      new StreamHooks({
        ...{ clock, app: this.#app, publishers: this.#publishers, players: this.#players },
        mayPlay: (vibeId) => this.#mayPlay(vibeId),
        knows: (vibeId) => this.#announced.has(vibeId),
        isInternal: (query) => query.get(INTERNAL) === this.#nonce,
      }),
    );
  }

  get health(): MediaServerHealth {
    return { kind: 'srs', up: this.#watch.up, version: this.#watch.version };
  }

  readonly tailMs = TAIL_MS;

  /** None while it does not answer, and for one in a container or on another machine. */
  get pid(): number | undefined {
    return this.#options.isLocal ? this.#watch.pid : undefined;
  }

  /** Begins to look for SRS. That there is none yet is no reason not to start. */
  readonly start = once(async () => {
    await settlesWithin(this.#options.clock, FIRST_LOOK_MS, this.#watch.look());
    if (!this.#watch.up)
      this.#logger.warn('SRS does not answer yet: vibes are taken, and encoders wait for it');
  });

  /** Sends away what is left publishing. SRS itself goes on: it is not ours. */
  readonly close = once(async () => {
    const { clock } = this.#options;
    this.#watch.close();
    this.#clearance.close();
    this.#guards.close();
    for (const timer of this.#leftovers.values()) timer.cancel();
    const left = this.#publishers.clientIds.map((clientId) => this.#kick(clientId, 'closing'));
    await settlesWithin(clock, CLOSE_WITHIN_MS, Promise.all(left));
    await this.#options.hlsFiles?.close();
    this.#api.close();
  });

  announce(vibeId: string): void {
    this.#announced.add(vibeId);
    this.#leftovers.get(vibeId)?.cancel();
    this.#leftovers.delete(vibeId);
    this.#options.hlsFiles?.keep(vibeId);
    this.#guards.keep(vibeId);
  }

  /** Players get the end from SRS, when the encoder stops publishing. */
  retire(vibeId: string): void {
    if (!this.#announced.delete(vibeId)) return;
    this.#publishers.forget(vibeId);
    this.#clearance.forget(vibeId);
    this.#options.hlsFiles?.forget(vibeId);
    this.#guards.release(vibeId);
    const sendAway = (): void => {
      this.#leftovers.delete(vibeId);
      for (const clientId of this.#players.idsOf(vibeId)) this.kick(clientId, 'vibe-over');
      this.#players.forget(vibeId);
    };
    this.#leftovers.set(
      vibeId,
      this.#options.clock.after(LEFTOVERS_AFTER_MS, sendAway, { background: true }),
    );
  }

  playersOf(vibeId: string): number {
    return this.#players.listeners(vibeId) + this.#browsersOf(vibeId);
  }

  /** Counts browsers that hear a vibe by WebRTC among its players. @param browsersOf asked whenever players are counted */
  countBrowsers(browsersOf: (vibeId: string) => number): void {
    this.#browsersOf = browsersOf;
  }

  /** A browser came or went. */
  browsersChanged(vibeId: string): void {
    this.emit('listeners', { vibeId, listeners: this.playersOf(vibeId) });
  }

  publishUrl(vibeId: string, token: string): string {
    this.#publishers.expect(vibeId, token);
    return `${this.#options.rtmpUrl}/${vibeId}?token=${encodeURIComponent(token)}`;
  }

  whenClear(vibeId: string, go: () => void): Timer {
    return this.#clearance.request(vibeId, go);
  }

  /** What stands behind the `?` of URLs that the relay itself plays. */
  get ownPlayerQuery(): string {
    return `${INTERNAL}=${this.#nonce}`;
  }

  /** Ends a connection at SRS, in its own time. @param reason a word for the metrics */
  kick(clientId: string, reason: string): void {
    void this.#kick(clientId, reason);
  }

  async #kick(clientId: string, reason: string): Promise<void> {
    if (clientId === '') return;
    const { metrics } = this.#options;
    metrics.srsKicks.inc({ reason });
    if (reason === 'unheard') metrics.srsProbes.inc({ result: 'unheard' });
    try {
      const wasThere = await this.#api.kick(clientId);
      this.#logger.info({ clientId, reason, wasThere }, 'SRS was told to end a connection');
    } catch (error) {
      this.#logger.warn({ clientId, reason, err: error }, 'SRS could not be told to end a connection');
    }
  }

  /**
   * SRS 6 and 7 make the stream of an HTTP-FLV player under the name of its file, and then call HLS by that. A player
   * that is there first is kept waiting until the guard, or at last a publisher, has it made under its own name.
   */
  #mayPlay(vibeId: string): boolean | Promise<boolean> {
    if (this.#guards.isPlaying(vibeId)) return true;
    this.#guards.retryNow(vibeId);
    // Right after SRS was restarted the publisher that is known is one of the SRS before.
    return this.#guards
      .whenPlaying(vibeId, PLAYERS_WAIT_MS)
      .then((isPlaying) => isPlaying || this.#publishers.holderOf(vibeId) !== undefined);
  }

  #onUp(up: boolean): void {
    if (up) this.#guards.retryNow();
    this.emit('health', this.health);
  }

  #onStreams(streams: readonly StreamEntry[], askedMs: number): void {
    this.#publishers.correct(streams, askedMs);
    this.#listenerCheck.compare(streams);
  }

  #onRestart(service: string): void {
    this.#players.clear(this.#options.clock.nowMs());
    this.#publishers.restarted(service);
    this.#clearance.reset();
    this.#guards.retryNow();
    // It was away for so short that nobody saw it down; the encoders did.
    if (this.#watch.up) this.emit('health', this.health);
  }

  #onGhost(vibeId: string): void {
    this.#options.metrics.srsGhosts.inc();
    this.#logger.error(
      { vibeId },
      'SRS allows a publish and then turns it away, though nobody publishes: it holds the name busy for nobody, and frees it only when it is restarted',
    );
  }

  /** SRS writes `/live/ID`, and puts the name of any other vhost in front. */
  #vibeIdOf(url: string): string | undefined {
    const prefix = `/${this.#app}/`;
    return url.startsWith(prefix) ? url.slice(prefix.length) : undefined;
  }
}
