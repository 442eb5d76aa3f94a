import type { ClientEntry } from './api';

interface Player {
  readonly vibeId: string;
  /** One of the relay's own: a guard, or a relay to another vhost. Nobody listens there. */
  readonly internal: boolean;
  /** When it was heard of, monotonic milliseconds. */
  readonly sinceMs: number;
}

/** Players that left are remembered so long: an answer of the API may be older than the hook that told of it. */
const REMEMBER_LEFT_MS = 10_000;

/** Who plays what, as the hooks tell it; corrected by the API, because hooks get lost. */
export class Players {
  readonly #players = new Map<string, Player>();
  /** Client ids of those that left, oldest first, with when they did. */
  readonly #left = new Map<string, number>();
  readonly #byVibe = new Map<string, Set<string>>();
  /** When a vibe's last listener left. */
  readonly #emptiedMs = new Map<string, number>();
  readonly #onChange: (vibeId: string, listeners: number) => void;

  /** @param onChange told the new count of listeners whenever it changes */
  constructor(onChange: (vibeId: string, listeners: number) => void) {
    this.#onChange = onChange;
  }

  /** Listeners of a vibe; the relay's own players are none. */
  listeners(vibeId: string): number {
    let count = 0;
    for (const id of this.#byVibe.get(vibeId) ?? []) if (!this.#players.get(id)?.internal) count += 1;
    return count;
  }

  /** Everybody who is connected to a vibe's stream, the relay's own included. */
  connections(vibeId: string): number {
    return this.#byVibe.get(vibeId)?.size ?? 0;
  }

  /** Whether anybody listened to a vibe at that time or since. */
  wasHeardSince(vibeId: string, sinceMs: number): boolean {
    return this.listeners(vibeId) > 0 || (this.#emptiedMs.get(vibeId) ?? -Infinity) >= sinceMs;
  }

  /** Lets go what is remembered of a vibe that is over. */
  forget(vibeId: string): void {
    this.#emptiedMs.delete(vibeId);
  }

  /** The vibes that anybody is connected to. */
  vibeIds(): string[] {
    return [...this.#byVibe.keys()];
  }

  /** The client ids of a vibe's listeners. */
  idsOf(vibeId: string): string[] {
    return [...(this.#byVibe.get(vibeId) ?? [])].filter((id) => !this.#players.get(id)?.internal);
  }

  /** A player came. Told twice is told once; one without an id is left for the API to tell of. */
  came(clientId: string, vibeId: string, internal: boolean, nowMs: number): void {
    if (clientId === '' || this.#players.has(clientId)) return;
    this.#left.delete(clientId);
    this.#players.set(clientId, { vibeId, internal, sinceMs: nowMs });
    let ids = this.#byVibe.get(vibeId);
    if (!ids) this.#byVibe.set(vibeId, (ids = new Set()));
    ids.add(clientId);
    if (!internal) this.#onChange(vibeId, this.listeners(vibeId));
  }

  /** @returns the vibe that it played, where it was known */
  left(clientId: string, nowMs: number): string | undefined {
    for (const [id, atMs] of this.#left) {
      if (nowMs - atMs < REMEMBER_LEFT_MS) break;
      this.#left.delete(id);
    }
    if (clientId === '') return undefined;
    this.#left.delete(clientId);
    this.#left.set(clientId, nowMs);
    const player = this.#players.get(clientId);
    if (!player) return undefined;
    const { vibeId, internal } = player;
    this.#players.delete(clientId);
    const ids = this.#byVibe.get(vibeId);
    ids?.delete(clientId);
    if (ids?.size === 0) this.#byVibe.delete(vibeId);
    if (internal) return vibeId;
    if (this.listeners(vibeId) === 0) this.#emptiedMs.set(vibeId, nowMs);
    this.#onChange(vibeId, this.listeners(vibeId));
    return vibeId;
  }

  /** Nobody plays any more: SRS is another process now. */
  clear(nowMs: number): void {
    for (const id of [...this.#players.keys()]) this.left(id, nowMs);
  }

  /**
   * Makes the list what SRS says it is; who came or left after SRS was asked stays as the hooks had it.
   * @param vibeIdOf the vibe that a client's URL stands for; none where it is not ours
   * @returns how many were wrong
   */
  correct(
    clients: readonly ClientEntry[],
    askedMs: number,
    nowMs: number,
    vibeIdOf: (url: string) => string | undefined,
  ): number {
    let wrong = 0;
    const there = new Set<string>();
    for (const { id, url, publishing } of clients) {
      const vibeId = vibeIdOf(url);
      if (publishing || vibeId === undefined) continue;
      there.add(id);
      if (this.#players.has(id) || (this.#left.get(id) ?? -Infinity) >= askedMs) continue;
      this.came(id, vibeId, false, nowMs);
      wrong += 1;
    }
    for (const [id, { sinceMs }] of [...this.#players]) {
      if (there.has(id) || sinceMs >= askedMs) continue;
      this.left(id, nowMs);
      wrong += 1;
    }
    return wrong;
  }
}
