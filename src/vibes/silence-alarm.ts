import type { Clock } from '../base/clock';

/**
 * Raises an alarm while listeners hear silence, whether the creator sends it or it stands in for the creator: green but
 * silent is a lie. How long it has to last is the level meter's to say; it hears both kinds.
 */
export class SilenceAlarm {
  readonly #clock: Clock;
  readonly #onChange: (active: boolean, seconds: number) => void;
  #raisedAtMs: number | undefined;

  /** @param onChange told when the alarm is raised, and when it is over with its length in seconds */
  constructor(clock: Clock, onChange: (active: boolean, seconds: number) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Called ten times a second while something is on air, and with `false` when nothing will be any more. */
  heard(isSilent: boolean): void {
    if (isSilent === (this.#raisedAtMs !== undefined)) return;
    const nowMs = this.#clock.nowMs();
    const seconds = this.#raisedAtMs === undefined ? 0 : Math.round((nowMs - this.#raisedAtMs) / 1000);
    this.#raisedAtMs = isSilent ? nowMs : undefined;
    this.#onChange(isSilent, seconds);
  }
}
