import type { Signal } from '../audio/level';
import type { Clock } from '../base/clock';
import type { VibeState } from './vibe-state';

/** Silence that stands in for the creator is an alarm after this; the meter has its own wait for a silent signal. */
const ALARM_AFTER_MS = 5_000;

/** Raises an alarm while listeners hear silence, whether the creator is away or sends it: green but silent is a lie. */
export class SilenceAlarm {
  readonly #clock: Clock;
  readonly #onChange: (active: boolean, seconds: number) => void;
  #holdingSinceMs: number | undefined;
  #raisedAtMs: number | undefined;

  /** @param onChange told when the alarm is raised, and when it is over with its length in seconds */
  constructor(clock: Clock, onChange: (active: boolean, seconds: number) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  stateMoved(state: VibeState): void {
    this.#holdingSinceMs = state === 'holding' ? this.#clock.nowMs() : undefined;
    if (state === 'ended' || state === 'failed') this.#set(false);
  }

  /** Called ten times a second while something is on air. */
  measured(signal: Signal): void {
    const held =
      this.#holdingSinceMs !== undefined && this.#clock.nowMs() - this.#holdingSinceMs >= ALARM_AFTER_MS;
    this.#set(signal === 'silent' || held);
  }

  #set(active: boolean): void {
    if (active === (this.#raisedAtMs !== undefined)) return;
    const nowMs = this.#clock.nowMs();
    const seconds = this.#raisedAtMs === undefined ? 0 : Math.round((nowMs - this.#raisedAtMs) / 1000);
    this.#raisedAtMs = active ? nowMs : undefined;
    this.#onChange(active, seconds);
  }
}
