import type { Clock } from '../../base/clock';
import type { Logger } from '../../base/logger';
import { SrsApiError, type SrsApi, type StreamEntry } from './api';
import type { Players } from './players';

export interface ListenerCheckOptions {
  readonly api: Pick<SrsApi, 'clients'>;
  readonly players: Pick<Players, 'connections' | 'correct' | 'vibeIds'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly vibeIdOf: (url: string) => string | undefined;
}

/** One look may be older than the last hook; two are not. */
const LOOKS_THAT_AGREE = 2;
/** The list of all clients is long where there are many, and SRS has one thread to write it. */
const LIST_EVERY_MS = 5_000;

/**
 * Compares how many clients SRS counts at each stream with who is known from the hooks. Where they differ twice in a
 * row, hooks were lost, and the whole list is fetched, which is right.
 */
export class ListenerCheck {
  readonly #options: ListenerCheckOptions;
  /** How many looks in a row found the same wrong count, by vibe. */
  #wrong = new Map<string, { clients: number; looks: number }>();
  #listedMs = -Infinity;
  #listing = false;

  constructor(options: ListenerCheckOptions) {
    this.#options = options;
  }

  /** Takes what a look saw. */
  compare(streams: readonly StreamEntry[]): void {
    const { players, clock, vibeIdOf } = this.#options;
    const seen = new Map<string, number>();
    for (const { url, clients, publishing } of streams) {
      const vibeId = vibeIdOf(url);
      if (vibeId !== undefined) seen.set(vibeId, clients - (publishing ? 1 : 0));
    }
    const wrong = new Map<string, { clients: number; looks: number }>();
    for (const vibeId of new Set([...seen.keys(), ...players.vibeIds()])) {
      const clients = seen.get(vibeId) ?? 0;
      if (clients === players.connections(vibeId)) continue;
      const before = this.#wrong.get(vibeId);
      wrong.set(vibeId, { clients, looks: before?.clients === clients ? before.looks + 1 : 1 });
    }
    this.#wrong = wrong;
    const isSure = [...wrong.values()].some(({ looks }) => looks >= LOOKS_THAT_AGREE);
    if (isSure && !this.#listing && clock.nowMs() - this.#listedMs >= LIST_EVERY_MS) void this.#list();
  }

  async #list(): Promise<void> {
    const { api, players, clock, logger, vibeIdOf } = this.#options;
    const askedMs = (this.#listedMs = clock.nowMs());
    this.#listing = true;
    try {
      const corrected = players.correct(await api.clients(), askedMs, clock.nowMs(), vibeIdOf);
      if (corrected > 0) logger.info({ corrected }, 'listeners counted anew: hooks of SRS were lost');
    } catch (error) {
      if (!(error instanceof SrsApiError)) throw error;
    } finally {
      this.#listing = false;
    }
  }
}
