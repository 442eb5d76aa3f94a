import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock';
import { Problem } from '../base/errors';
import type { PlayTickets } from './play-tickets';

/** Unless told, a lease lasts this long after the latest join: three missed renewals of a player that renews every 20 s. */
export const LEASE_SECONDS = 60;

interface Lease {
  /** Monotonic milliseconds. */
  readonly untilMs: number;
  /** Whose token took it; nothing in `open` mode, and after a restart. */
  readonly holder?: string | undefined;
}

export interface ParticipantsOptions {
  readonly clock: Clock;
  /** How long a lease lasts after the latest join. */
  readonly leaseSeconds?: number;
  /** Of a private vibe; who holds no lease has none. */
  readonly tickets?: PlayTickets | undefined;
  /** Told the new count whenever it changes. */
  readonly onChange: (count: number) => void;
  /** Told of each lease that is taken or renewed, and with `undefined` of each that is given back. */
  readonly onLease?: (participantId: string, untilEpochMs: number | undefined) => void;
}

/** Who listens, by their own word: each participant holds a lease until it leaves or stops renewing. */
export class Participants {
  readonly #options: ParticipantsOptions;
  readonly #clock: Clock;
  readonly #leaseSeconds: number;
  /** By participant id. Renewals move to the end. */
  readonly #leases = new Map<string, Lease>();

  constructor(options: ParticipantsOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#leaseSeconds = options.leaseSeconds ?? LEASE_SECONDS;
  }

  /** Leases held now. */
  get count(): number {
    return this.#leases.size;
  }

  /** Each participant, and when its lease runs out, epoch milliseconds. */
  leases(): [participantId: string, untilEpochMs: number][] {
    const { nowMs, epochMs } = this.#now();
    return [...this.#leases].map(([id, { untilMs }]) => [id, Math.round(epochMs + untilMs - nowMs)]);
  }

  /** Takes over leases that were held before; those that have run out since are left out. */
  restore(leases: Iterable<readonly [participantId: string, untilEpochMs: number]>): void {
    const { nowMs, epochMs } = this.#now();
    const leftMs = [...leases].map(([id, untilMs]) => [id, untilMs - epochMs] as const);
    const valid = leftMs.filter(([, ms]) => ms > 0).sort(([, a], [, b]) => a - b);
    // A clock that was set back meanwhile makes no lease longer.
    for (const [id, ms] of valid)
      this.#leases.set(id, { untilMs: nowMs + Math.min(ms, this.#leaseSeconds * 1000) });
    if (valid.length > 0) this.#options.onChange(this.count);
  }

  /**
   * Takes or renews a lease. Idempotent for one participant.
   * @returns also the ticket that plays a private vibe, as long as the lease is held
   * @param participantId who; without it `walletAddress` stands for the participant, else an id is made up
   * @param holder whose token asks, where tokens are asked for
   * @throws {Problem} `forbidden` (403) where another holder has the lease
   */
  join(
    participantId?: string,
    walletAddress?: string,
    holder?: string,
  ): { participantId: string; leaseSeconds: number; ticket?: string | undefined } {
    const id = participantId ?? walletAddress ?? randomUUID();
    this.#checkHolder(id, holder);
    const isNew = !this.#leases.delete(id);
    this.#leases.set(id, { untilMs: this.#clock.nowMs() + this.#leaseSeconds * 1000, holder });
    this.#options.onLease?.(id, this.#clock.epochMs() + this.#leaseSeconds * 1000);
    if (isNew) this.#options.onChange(this.count);
    return { participantId: id, leaseSeconds: this.#leaseSeconds, ticket: this.#options.tickets?.of(id) };
  }

  /** Gives a lease back. @returns whether there was one @throws {Problem} as `join` */
  leave(participantId: string, holder?: string): boolean {
    this.#checkHolder(participantId, holder);
    const held = this.#leases.delete(participantId);
    if (held) this.#options.onLease?.(participantId, undefined);
    if (held) this.#options.tickets?.withdraw(participantId);
    if (held) this.#options.onChange(this.count);
    return held;
  }

  /** Drops the leases that have run out. Called by the registry's housekeeping. */
  expire(): void {
    const before = this.count;
    const nowMs = this.#clock.nowMs();
    for (const [id, { untilMs }] of this.#leases) {
      if (untilMs > nowMs) break;
      this.#leases.delete(id);
      this.#options.tickets?.withdraw(id);
    }
    if (this.count !== before) this.#options.onChange(this.count);
  }

  /** Drops all leases: the vibe is over. */
  clear(): void {
    if (this.count === 0) return;
    this.#leases.clear();
    this.#options.onChange(0);
  }

  #checkHolder(participantId: string, holder: string | undefined): void {
    const held = this.#leases.get(participantId)?.holder;
    if (held === undefined || holder === undefined || held === holder) return;
    throw new Problem('forbidden', 'Somebody else’s token holds this lease.');
  }

  #now(): { nowMs: number; epochMs: number } {
    return { nowMs: this.#clock.nowMs(), epochMs: this.#clock.epochMs() };
  }
}
