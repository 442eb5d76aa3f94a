import type { Clock, Timer } from '../base/clock';

/** One AAC frame at 48 kHz: how often each member is ticked. */
export const TICK_MS = 1024 / 48;
/** The tick is cut into this many slots, so that not every FFmpeg is woken at the same instant. */
const SLOTS = 8;
const SLOT_MS = TICK_MS / SLOTS;
/** A timer may fire this much early; the slot is run all the same. */
const EARLY_MS = 0.5;

/** Called once a tick with the monotonic time. */
export type TickMember = (nowMs: number) => void;

/**
 * The one timer of all vibes: ticks each member once every 21⅓ ms, members spread over the tick. Slots are due at
 * `start + n × slot` on the monotonic clock, so that no delay adds up. Sleeps while it has no members.
 */
export class Ticker {
  readonly #clock: Clock;
  readonly #onLateness: (lateMs: number) => void;
  readonly #slots: Set<TickMember>[] = Array.from({ length: SLOTS }, () => new Set());
  #startMs = 0;
  /** Counts slots since `#startMs`; the next one to run. */
  #next = 0;
  #timer: Timer | undefined;

  /** @param onLateness told how many milliseconds late a slot ran */
  constructor(clock: Clock, onLateness: (lateMs: number) => void = () => undefined) {
    this.#clock = clock;
    this.#onLateness = onLateness;
  }

  get members(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.size, 0);
  }

  /** Adds a member to the emptiest slot. @returns how to leave; idempotent */
  join(member: TickMember): () => void {
    const slot = this.#slots.reduce((least, candidate) => (candidate.size < least.size ? candidate : least));
    slot.add(member);
    if (!this.#timer) {
      this.#startMs = this.#clock.nowMs();
      this.#next = 0;
      this.#schedule();
    }
    return () => {
      slot.delete(member);
      if (this.members === 0) {
        this.#timer?.cancel();
        this.#timer = undefined;
      }
    };
  }

  #schedule(): void {
    while (this.#slots[this.#next % SLOTS]?.size === 0) this.#next += 1;
    const dueMs = this.#startMs + this.#next * SLOT_MS;
    this.#timer = this.#clock.after(Math.max(0, dueMs - this.#clock.nowMs()), () => this.#run());
  }

  #run(): void {
    const nowMs = this.#clock.nowMs();
    const due = Math.floor((nowMs + EARLY_MS - this.#startMs) / SLOT_MS);
    if (due >= this.#next) this.#onLateness(Math.max(0, nowMs - this.#startMs - this.#next * SLOT_MS));
    // After a stall of the event loop each member is ticked once, not once for every tick that was missed.
    const first = Math.max(this.#next, due - SLOTS + 1);
    for (let slot = first; slot <= due; slot += 1) {
      for (const member of this.#slots[slot % SLOTS] as Set<TickMember>) member(nowMs);
    }
    this.#next = Math.max(this.#next, due + 1);
    if (this.members > 0) this.#schedule();
    else this.#timer = undefined;
  }
}
