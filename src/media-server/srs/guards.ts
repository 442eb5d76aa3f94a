import type { Clock, Timer } from '../../base/clock';
import type { Logger } from '../../base/logger';
import { Guard } from './guard';
import { RtmpPlayer } from './rtmp-player';

export interface GuardsOptions {
  /** The RTMP URL of a vibe's stream, with what marks a player as the relay's own. */
  readonly urlOf: (vibeId: string) => string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A vibe's guard has come, or come back. */
  readonly onPlaying: (vibeId: string) => void;
}

interface Waiting {
  readonly vibeId: string;
  readonly timer: Timer;
  readonly resolve: (isPlaying: boolean) => void;
}

const RTMP_PORT = 1935;
/** The guard of a vibe that is over still counts the last of it. */
const RELEASE_AFTER_MS = 1_000;

/** One guard for each vibe that there is. */
export class Guards {
  readonly #options: GuardsOptions;
  readonly #guards = new Map<string, Guard>();
  readonly #releases = new Map<string, Timer>();
  readonly #waiting = new Set<Waiting>();

  constructor(options: GuardsOptions) {
    this.#options = options;
  }

  /** A vibe's guard; none where there is no such vibe. */
  of(vibeId: string): Guard | undefined {
    return this.#guards.get(vibeId);
  }

  isPlaying(vibeId: string): boolean {
    return this.#guards.get(vibeId)?.playingSinceMs !== undefined;
  }

  /** There is such a vibe. */
  keep(vibeId: string): void {
    this.#releases.get(vibeId)?.cancel();
    this.#releases.delete(vibeId);
    if (!this.#guards.has(vibeId)) this.#guards.set(vibeId, this.#create(vibeId));
  }

  /** There is no such vibe any more. */
  release(vibeId: string): void {
    if (!this.#guards.has(vibeId)) return;
    const close = (): void => {
      this.#releases.delete(vibeId);
      this.#guards.get(vibeId)?.close();
      this.#guards.delete(vibeId);
      this.#settle(vibeId, false);
    };
    this.#releases.set(vibeId, this.#options.clock.after(RELEASE_AFTER_MS, close, { background: true }));
  }

  /** SRS has been heard of: guards that wait to come back do so now. @param vibeId all of them, where left out */
  retryNow(vibeId?: string): void {
    const guards = vibeId === undefined ? this.#guards.values() : [this.#guards.get(vibeId)];
    for (const guard of guards) guard?.retryNow();
  }

  /** @returns whether the vibe's guard came within that time */
  whenPlaying(vibeId: string, withinMs: number): Promise<boolean> {
    if (this.isPlaying(vibeId)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#waiting.delete(waiting);
        resolve(false);
      };
      const timer = this.#options.clock.after(withinMs, giveUp, { background: true });
      const waiting: Waiting = { vibeId, timer, resolve };
      this.#waiting.add(waiting);
    });
  }

  /** Idempotent. */
  close(): void {
    for (const timer of this.#releases.values()) timer.cancel();
    for (const guard of this.#guards.values()) guard.close();
    for (const { vibeId } of this.#waiting) this.#settle(vibeId, false);
    this.#releases.clear();
    this.#guards.clear();
  }

  #create(vibeId: string): Guard {
    const { urlOf, clock, logger, onPlaying } = this.#options;
    const url = new URL(urlOf(vibeId));
    const [, app = '', stream = ''] = /^\/(.*)\/([^/]*)$/.exec(url.pathname) ?? [];
    return new Guard({
      ...{ vibeId, clock, logger },
      connect: (events) =>
        new RtmpPlayer({
          ...{ ...events, clock, app },
          host: url.hostname.replace(/^\[|\]$/g, ''),
          port: Number(url.port) || RTMP_PORT,
          stream: `${stream}${url.search}`,
        }),
      onPlaying: () => {
        this.#settle(vibeId, true);
        onPlaying(vibeId);
      },
    });
  }

  #settle(vibeId: string, isPlaying: boolean): void {
    for (const waiting of [...this.#waiting]) {
      if (waiting.vibeId !== vibeId) continue;
      this.#waiting.delete(waiting);
      waiting.timer.cancel();
      waiting.resolve(isPlaying);
    }
  }
}
