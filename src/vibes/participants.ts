import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock';

/** A lease lasts this long after the latest join: three missed renewals of a player that renews every 20 s. */
export const LEASE_SECONDS = 60;

/** Who listens, by their own word: each participant holds a lease until it leaves or stops renewing. */
export class Participants {
  readonly #clock: Clock;
  readonly #onChange: (count: number) => void;
  /** Participant id → when the lease runs out, monotonic milliseconds. Renewals move to the end. */
  readonly #leases = new Map<string, number>();

  /** @param onChange told the new count whenever it changes */
  constructor(clock: Clock, onChange: (count: number) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Leases held now. */
  get count(): number {
    return this.#leases.size;
  }

  /**
   * Takes or renews a lease. Idempotent for one participant.
   * @param participantId who; without it `walletAddress` stands for the participant, else an id is made up
   */
  join(participantId?: string, walletAddress?: string): { participantId: string; leaseSeconds: number } {
    const id = participantId ?? walletAddress ?? randomUUID();
    const isNew = !this.#leases.delete(id);
    this.#leases.set(id, this.#clock.nowMs() + LEASE_SECONDS * 1000);
    if (isNew) this.#onChange(this.count);
    return { participantId: id, leaseSeconds: LEASE_SECONDS };
  }

  /** Gives a lease back. @returns whether there was one */
  leave(participantId: string): boolean {
    const held = this.#leases.delete(participantId);
    if (held) this.#onChange(this.count);
    return held;
  }

  /** Drops the leases that have run out. Called by the registry's housekeeping. */
  expire(): void {
    const before = this.count;
    const nowMs = this.#clock.nowMs();
    for (const [id, untilMs] of this.#leases) {
      if (untilMs > nowMs) break;
      this.#leases.delete(id);
    }
    if (this.count !== before) this.#onChange(this.count);
  }

  /** Drops all leases: the vibe is over. */
  clear(): void {
    if (this.count === 0) return;
    this.#leases.clear();
    this.#onChange(0);
  }
}
