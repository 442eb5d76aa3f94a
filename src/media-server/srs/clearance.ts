import type { Clock, Timer } from '../../base/clock';

export interface ClearanceOptions {
  readonly clock: Clock;
  /** The client id of who publishes a vibe's stream, which may be empty; none where nobody does. */
  readonly holderOf: (vibeId: string) => string | undefined;
  readonly kick: (clientId: string, reason: string) => void;
  /** Who does not go is forgotten. */
  readonly giveUp: (vibeId: string) => void;
  /** Has SRS asked who publishes, soon. */
  readonly look: () => void;
  /** Whether a vibe's guard plays its stream, as it should before that is published. */
  readonly isGuarded: (vibeId: string) => boolean;
}

interface Waiting {
  readonly vibeId: string;
  readonly go: () => void;
  readonly sinceMs: number;
  kicked: boolean;
  /** Since when only the guard is waited for. */
  unguardedMs: number | undefined;
}

/** How often SRS is asked whether the old publisher is gone; its hook mostly says so before. */
const LOOK_EVERY_MS = 100;
/** Who is not gone by then is sent away. */
const KICK_AFTER_MS = 1_000;
/** And by then the name is tried, whatever is known. */
const TRY_AFTER_MS = 2_000;
/**
 * SRS 6 and 7 take a stream's HTTP-FLV down one after the other, looking every 100 ms whether its players are gone,
 * and turn away who publishes it meanwhile; 7.0.18 then holds the name busy until it is restarted.
 */
const TEAR_DOWN_MS = 100;
const TEAR_DOWN_MARGIN_MS = 150;

/** A guard is there within milliseconds. Where none comes, publishing is tried without. */
const GUARD_WITHIN_MS = 1_000;

/**
 * Says when the next life of an encoder may publish: not before the old one is gone from SRS, and SRS has tidied up
 * after it.
 */
export class Clearance {
  readonly #options: ClearanceOptions;
  readonly #waiting = new Set<Waiting>();
  /** When SRS will be done with what it takes down. */
  #tornDownMs = -Infinity;
  readonly #freeMs = new Map<string, number>();
  #timer: Timer | undefined;

  constructor(options: ClearanceOptions) {
    this.#options = options;
  }

  /** Whether somebody waits, so that the next look at SRS should not. */
  get someWait(): boolean {
    return this.#waiting.size > 0;
  }

  /** Calls `go` as soon as the vibe's stream may be published, which may be at once. @returns what takes it back */
  request(vibeId: string, go: () => void): Timer {
    const entry: Waiting = {
      vibeId,
      go,
      sinceMs: this.#options.clock.nowMs(),
      kicked: false,
      unguardedMs: undefined,
    };
    if (this.#isClear(entry)) {
      go();
    } else {
      this.#waiting.add(entry);
      if (this.#options.holderOf(vibeId) !== undefined) this.#options.look();
      this.#lookAgain();
    }
    return { cancel: () => void this.#waiting.delete(entry) };
  }

  /** A publisher is gone. @param tearDown whether SRS has its players to send away first */
  freed(vibeId: string, tearDown: boolean): void {
    const nowMs = this.#options.clock.nowMs();
    if (tearDown) this.#tornDownMs = Math.max(nowMs, this.#tornDownMs) + TEAR_DOWN_MS;
    if (this.#tornDownMs > nowMs) this.#freeMs.set(vibeId, this.#tornDownMs + TEAR_DOWN_MARGIN_MS);
    this.#serve();
  }

  /** A vibe's guard has come. */
  guarded(): void {
    if (this.#waiting.size > 0) this.#serve();
  }

  /** SRS is another process, with nothing to take down. */
  reset(): void {
    this.#tornDownMs = -Infinity;
    this.#freeMs.clear();
    this.#serve();
  }

  forget(vibeId: string): void {
    this.#freeMs.delete(vibeId);
  }

  close(): void {
    this.#waiting.clear();
    this.#timer?.cancel();
  }

  #isClear(entry: Waiting): boolean {
    const { holderOf, clock, isGuarded } = this.#options;
    const { vibeId } = entry;
    const nowMs = clock.nowMs();
    if (holderOf(vibeId) !== undefined || (this.#freeMs.get(vibeId) ?? -Infinity) > nowMs) return false;
    this.#freeMs.delete(vibeId);
    if (isGuarded(vibeId)) return true;
    entry.unguardedMs ??= nowMs;
    return nowMs - entry.unguardedMs >= GUARD_WITHIN_MS;
  }

  #serve(): void {
    for (const entry of [...this.#waiting]) {
      this.#urge(entry);
      // Urging may have freed the name, and served the entry already.
      if (!this.#isClear(entry) || !this.#waiting.delete(entry)) continue;
      entry.go();
    }
    this.#lookAgain();
  }

  #urge(entry: Waiting): void {
    const { clock, holderOf, kick, giveUp, look } = this.#options;
    const holder = holderOf(entry.vibeId);
    if (holder === undefined) return;
    const waitedMs = clock.nowMs() - entry.sinceMs;
    look();
    if (waitedMs >= TRY_AFTER_MS) giveUp(entry.vibeId);
    else if (waitedMs >= KICK_AFTER_MS && !entry.kicked && holder !== '') {
      entry.kicked = true;
      kick(holder, 'stale');
    }
  }

  #lookAgain(): void {
    this.#timer?.cancel();
    if (this.#waiting.size === 0) return;
    this.#timer = this.#options.clock.after(LOOK_EVERY_MS, () => this.#serve(), { background: true });
  }
}
