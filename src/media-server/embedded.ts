import { EventEmitter } from 'node:events';
import path from 'node:path';
import type { Clock, Timer } from '../base/clock';
import { systemClock } from '../base/clock';
import { once } from '../base/closer';
import { EXIT_UNAVAILABLE, OperatorError } from '../base/errors';
import type { Logger } from '../base/logger';
import type { Metrics } from '../base/metrics';
import type { FromChild } from './embedded/messages';
import { MediaProcess } from './media-process';
import type { Admissions, MediaServer, MediaServerEvents, MediaServerHealth } from './media-server';
import { StaleMediaProcess } from './stale-media-process';

export interface EmbeddedMediaServerOptions {
  /** Of the RTMP listener, on 127.0.0.1. */
  readonly rtmpPort: number;
  /** Where players come: HTTP-FLV and HLS. */
  readonly httpHost: string;
  readonly httpPort: number;
  /** Base of publish URLs; `rtmp://127.0.0.1:RTMP_PORT/live` unless told. */
  readonly rtmpUrl?: string;
  /** Whether nobody but the relay's encoders may publish, under no name at all; else only not under a vibe's. */
  readonly onlyExpected?: boolean;
  /** Shown in health; the relay's own. */
  readonly version: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  /** The compiled entry of the process; beside this file unless told. */
  readonly childPath?: string;
  /** Where the process is noted down, for a daemon that comes after this one's death; nowhere, where left out. */
  readonly pidFile?: string;
}

const START_WITHIN_MS = 10_000;
const FIRST_RESTART_MS = 100;
const MAX_RESTART_MS = 2_000;
/** Each wait is up to this part longer or shorter. */
const RESTART_JITTER = 0.2;
/** A life as long as this was no failed start: the next restart is quick again. */
const STEADY_AFTER_MS = 10_000;
const NOTHING_PENDING: Timer = { cancel: () => undefined };

/**
 * The media server that needs no installation: a process of its own, so that sending to many listeners never delays
 * what creators send. It is started again whenever it dies, and told anew which vibes there are.
 */
export class EmbeddedMediaServer extends EventEmitter<MediaServerEvents> implements MediaServer {
  readonly #options: EmbeddedMediaServerOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Each vibe, and the tickets to it where it is private. */
  readonly #announced = new Map<string, Set<string> | undefined>();
  readonly #players = new Map<string, number>();
  /** The newest life of each vibe's encoder, and what the process has received of it, as it last said. */
  readonly #publishes = new Map<string, { readonly token: string; aacFrames: number }>();
  readonly #stale: StaleMediaProcess | undefined;
  #process: MediaProcess | undefined;
  #up = false;
  #startedAtMs = 0;
  #failures = 0;
  #restartTimer: Timer | undefined;
  #starting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  /** Why the process could not listen, in words for an operator. */
  #refusal: string | undefined;
  #closing = false;

  constructor(options: EmbeddedMediaServerOptions) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger.child({ part: 'media-server' });
    const { pidFile: file } = options;
    if (file !== undefined)
      this.#stale = new StaleMediaProcess({ file, clock: this.#clock, logger: this.#logger });
  }

  get health(): MediaServerHealth {
    return { kind: 'embedded', up: this.#up, version: this.#options.version };
  }

  /** Players are sent all that was received before they get the end. */
  readonly tailMs = 0;

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /**
   * Resolves when both ports listen. Idempotent.
   * @throws {OperatorError} 69 where a port cannot be had or the process does not start
   */
  readonly start = once(async () => {
    await this.#stale?.end();
    let limit: Timer | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#starting = { resolve, reject };
        limit = this.#clock.after(START_WITHIN_MS, () => {
          reject(new OperatorError(`The media server did not start within 10 s.`, EXIT_UNAVAILABLE));
        });
        this.#spawn();
      });
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      limit?.cancel();
      this.#starting = undefined;
    }
  });

  readonly close = once(async () => {
    this.#closing = true;
    this.#restartTimer?.cancel();
    await this.#process?.close();
    this.#stale?.forget();
  });

  announce(vibeId: string, isPrivate = false): void {
    this.#announced.set(vibeId, isPrivate ? new Set() : undefined);
    this.#process?.send({ type: 'announce', vibeId, isPrivate });
  }

  readonly admissions: Admissions = {
    admit: (vibeId, ticket) => {
      this.#announced.get(vibeId)?.add(ticket);
      this.#process?.send({ type: 'admit', vibeId, ticket });
    },
    expel: (vibeId, ticket) => {
      this.#announced.get(vibeId)?.delete(ticket);
      this.#process?.send({ type: 'expel', vibeId, ticket });
    },
  };

  retire(vibeId: string): void {
    this.#publishes.delete(vibeId);
    if (this.#announced.delete(vibeId)) this.#process?.send({ type: 'retire', vibeId });
  }

  playersOf(vibeId: string): number {
    return this.#players.get(vibeId) ?? 0;
  }

  publishUrl(vibeId: string, token: string): string {
    this.#publishes.set(vibeId, { token, aacFrames: 0 });
    this.#process?.send({ type: 'expect', vibeId, token });
    const base = this.#options.rtmpUrl ?? `rtmp://127.0.0.1:${this.#options.rtmpPort}/live`;
    return `${base}/${vibeId}?token=${encodeURIComponent(token)}`;
  }

  /** At once, always: a newer publish takes over from an older one. */
  whenClear(_vibeId: string, go: () => void): Timer {
    go();
    return NOTHING_PENDING;
  }

  #spawn(): void {
    const { rtmpPort, httpHost, httpPort, onlyExpected, childPath } = this.#options;
    this.#startedAtMs = this.#clock.nowMs();
    this.#refusal = undefined;
    const process = new MediaProcess({
      childPath: childPath ?? path.join(__dirname, 'embedded', 'child.js'),
      clock: this.#clock,
      logger: this.#logger,
      onMessage: (message) => this.#receive(message),
      onAnswer: (tookMs) => this.#options.metrics.mediaServerAnswer.observe(tookMs / 1000),
      onExit: (cause) => this.#exited(cause),
    });
    this.#process = process;
    if (process.pid !== undefined) this.#stale?.note(process.pid);
    // Before the ports open: the first player that comes back finds its vibe.
    for (const [vibeId, tickets] of this.#announced) {
      process.send({ type: 'announce', vibeId, isPrivate: tickets !== undefined });
      for (const ticket of tickets ?? []) process.send({ type: 'admit', vibeId, ticket });
    }
    for (const [vibeId, { token }] of this.#publishes) process.send({ type: 'expect', vibeId, token });
    process.send({ type: 'listen', rtmpPort, httpHost, httpPort, onlyExpected });
  }

  #receive(message: FromChild): void {
    switch (message.type) {
      case 'listening':
        this.#setUp(true);
        this.#starting?.resolve();
        return;
      case 'refused':
        this.#refusal = this.#whyRefused(message);
        return;
      case 'published':
        this.#received(message.vibeId, message.token, 1);
        this.emit('published', { vibeId: message.vibeId, token: message.token });
        return;
      case 'received':
        for (const { vibeId, token, aacFrames } of message.counts) this.#received(vibeId, token, aacFrames);
        return;
      case 'unpublished':
        if (this.#publishes.get(message.vibeId)?.token === message.token)
          this.#publishes.delete(message.vibeId);
        this.emit('unpublished', {
          vibeId: message.vibeId,
          token: message.token,
          aacFrames: message.aacFrames,
        });
        return;
      case 'listeners':
        for (const { vibeId, listeners } of message.counts) this.#count(vibeId, listeners);
        return;
      case 'cut':
        this.#options.metrics.listenersCut.inc({ reason: message.reason });
        this.emit('cut', { vibeId: message.vibeId, reason: message.reason });
        return;
      case 'log':
        this.#logger[message.level]({ vibeId: message.vibeId }, message.message);
        return;
      case 'pong':
    }
  }

  #exited(cause: string): void {
    this.#process = undefined;
    this.#setUp(false);
    for (const vibeId of [...this.#players.keys()]) this.#count(vibeId, 0);
    // It can say no more: what it said last counts, and lives that it said nothing of have published nothing.
    for (const [vibeId, publish] of this.#publishes) {
      this.emit('unpublished', { vibeId, ...publish });
      publish.aacFrames = 0;
    }
    const why = this.#refusal ?? `The media server process ended (${cause}).`;
    this.#starting?.reject(new OperatorError(why, EXIT_UNAVAILABLE));
    if (this.#closing || this.#starting) return;

    if (this.#clock.nowMs() - this.#startedAtMs >= STEADY_AFTER_MS) this.#failures = 0;
    const waitMs = Math.min(MAX_RESTART_MS, FIRST_RESTART_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#logger.error({ cause, waitMs }, `${why} It is started again.`);
    const jitter = 1 + RESTART_JITTER * (Math.random() * 2 - 1);
    this.#restartTimer = this.#clock.after(waitMs * jitter, () => {
      this.#options.metrics.mediaServerRestarts.inc();
      this.#spawn();
    });
  }

  #received(vibeId: string, token: string, aacFrames: number): void {
    const publish = this.#publishes.get(vibeId);
    if (publish?.token === token) publish.aacFrames = aacFrames;
    this.emit('received', { vibeId, token, aacFrames });
  }

  #setUp(up: boolean): void {
    if (this.#up === up) return;
    this.#up = up;
    this.#options.metrics.mediaServerUp.set(up ? 1 : 0);
    this.emit('health', this.health);
  }

  #count(vibeId: string, listeners: number): void {
    if (this.playersOf(vibeId) === listeners) return;
    if (listeners > 0) this.#players.set(vibeId, listeners);
    else this.#players.delete(vibeId);
    const total = [...this.#players.values()].reduce((sum, count) => sum + count, 0);
    this.#options.metrics.listeners.set(total);
    this.emit('listeners', { vibeId, listeners });
  }

  #whyRefused(refused: Extract<FromChild, { type: 'refused' }>): string {
    const isRtmp = refused.what === 'RTMP';
    const port = isRtmp ? this.#options.rtmpPort : this.#options.httpPort;
    const setting = isRtmp ? 'RTMP_PORT' : 'MEDIA_HTTP_PORT';
    const name = isRtmp ? `RTMP port ${port}` : `Media HTTP port ${port}`;
    if (refused.code === 'EADDRINUSE')
      return `${name} is in use: stop what uses it, or set ${setting} to another port.`;
    if (refused.code === 'EACCES')
      return `${name} may not be opened by this user: set ${setting} to another port.`;
    return `${name} cannot be opened: ${refused.detail}.`;
  }
}
