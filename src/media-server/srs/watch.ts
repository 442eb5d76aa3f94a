import type { Clock, Timer } from '../../base/clock';
import type { Logger } from '../../base/logger';
import type { Metrics } from '../../base/metrics';
import { type SrsApi, SrsApiError, type StreamEntry } from './api';

export interface WatchEvents {
  /** SRS answers again, or not any more. */
  up(up: boolean): void;
  /** It is another process than before: whoever published to the old one does not any more. */
  restarted(service: string): void;
  /** What SRS said of its streams, and when it was asked (monotonic milliseconds). */
  streams(streams: readonly StreamEntry[], askedMs: number): void;
}

export interface WatchOptions {
  readonly api: Pick<SrsApi, 'streams' | 'version'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether something is waited for that the next look may tell. */
  readonly hurry: () => boolean;
  readonly events: WatchEvents;
}

/** How often SRS is asked while it answers, and while it does not: what waits for it should not wait long. */
const LOOK_EVERY_MS = 2_000;
const LOOK_EVERY_WHILE_DOWN_MS = 250;
const LOOK_EVERY_IN_A_HURRY_MS = 500;
/** No answer means nothing by itself. After this long nobody can be served. */
const SILENCE_MS = 5_000;

/**
 * Asks SRS's API how it is, for as long as the daemon runs. That it listens no more is certain; that it does not answer
 * means "unknown", until that has lasted 5 s.
 */
export class SrsWatch {
  readonly #options: WatchOptions;
  #up = false;
  #version = 'unknown';
  #service: string | undefined;
  #pid: number | undefined;
  #answeredMs: number | undefined;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #lastFailure: string | undefined;
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  get up(): boolean {
    return this.#up;
  }

  /** What SRS calls itself; `unknown` before it was heard of. */
  get version(): string {
    return this.#version;
  }

  /** SRS's process id where it runs; none while it does not answer. */
  get pid(): number | undefined {
    return this.#up ? this.#pid : undefined;
  }

  /** Asks now. One look at a time: who asks during a look gets its end. */
  look(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#timer?.cancel();
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      if (!this.#closed) this.#lookIn(this.#untilNextMs());
    });
    return this.#looking;
  }

  /** Something is waited for that a look may tell: the next one does not wait its full time. */
  lookSoon(): void {
    if (!this.#looking && !this.#closed) this.#lookIn(this.#untilNextMs());
  }

  /** A hook came from this start of SRS: where it is a new one, the API is asked at once. */
  heardFrom(service: string): void {
    if (service !== '' && service !== this.#service) void this.look();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #lookIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(delayMs, () => void this.look(), { background: true });
  }

  #untilNextMs(): number {
    if (!this.#up || this.#lastFailure !== undefined) return LOOK_EVERY_WHILE_DOWN_MS;
    return this.#options.hurry() ? LOOK_EVERY_IN_A_HURRY_MS : LOOK_EVERY_MS;
  }

  async #look(): Promise<void> {
    const { api, clock, metrics } = this.#options;
    const askedMs = clock.nowMs();
    try {
      const { service, pid, streams } = await api.streams();
      if (this.#service !== service) await this.#meet(service, pid);
      metrics.srsPolls.inc({ result: 'answered' });
      metrics.mediaServerAnswer.observe((clock.nowMs() - askedMs) / 1000);
      this.#answeredMs = clock.nowMs();
      this.#lastFailure = undefined;
      if (this.#closed) return;
      this.#options.events.streams(streams, askedMs);
      this.#setUp(true);
    } catch (error) {
      if (!(error instanceof SrsApiError)) throw error;
      this.#missed(error);
    }
  }

  async #meet(service: string, pid: string): Promise<void> {
    const { api, logger, metrics, events } = this.#options;
    const version = await api.version();
    const isAnother = this.#service !== undefined;
    this.#service = service;
    this.#pid = Number(pid) || undefined;
    this.#version = version;
    logger.info({ version, service, pid }, isAnother ? 'SRS was restarted' : 'SRS found');
    if (!isAnother) return;
    metrics.mediaServerRestarts.inc();
    events.restarted(service);
  }

  #missed({ failure, message }: SrsApiError): void {
    const { clock, logger, metrics } = this.#options;
    metrics.srsPolls.inc({ result: failure });
    if (this.#lastFailure !== failure) logger.warn({ failure, up: this.#up }, `SRS's API: ${message}`);
    this.#lastFailure = failure;
    const silentMs = clock.nowMs() - (this.#answeredMs ?? -Infinity);
    if (failure === 'refused' || silentMs >= SILENCE_MS) this.#setUp(false);
  }

  #setUp(up: boolean): void {
    if (this.#up === up || this.#closed) return;
    this.#up = up;
    this.#options.metrics.mediaServerUp.set(up ? 1 : 0);
    this.#options.logger.info({ version: this.#version }, up ? 'SRS is up' : 'SRS is down');
    this.#options.events.up(up);
  }
}
