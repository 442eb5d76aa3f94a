import type { Clock, Timer } from '../../base/clock';

/** Told at once within a window; whoever only connects and talks nonsense could fill a disk otherwise. */
const TOLD = 5;
const WINDOW_MS = 10_000;

/** Why connections were given up, in a few lines however many they are: the first ones each, then how many more. */
export class FaultTally {
  readonly #clock: Clock;
  readonly #tell: (fault: string, vibeId: string) => void;
  #count = 0;
  #last = '';
  #window: Timer | undefined;

  /** @param tell takes a line; the name is empty where there was none, or where it stands for many */
  constructor(clock: Clock, tell: (fault: string, vibeId: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** A connection was given up. */
  note(fault: string, vibeId: string): void {
    this.#window ??= this.#clock.after(WINDOW_MS, () => this.#sumUp(), { background: true });
    this.#count += 1;
    this.#last = fault;
    if (this.#count <= TOLD) this.#tell(fault, vibeId);
  }

  /** Tells what has not been told. Idempotent. */
  close(): void {
    this.#window?.cancel();
    this.#sumUp();
  }

  #sumUp(): void {
    const untold = this.#count - TOLD;
    this.#window = undefined;
    this.#count = 0;
    if (untold > 0)
      this.#tell(`${untold} more connections were given up within 10 s, the last one: ${this.#last}`, '');
  }
}
