/** A place where a listener of one vibe heard something else than was sent, on the clock of the soak. */
export interface HeardEvent {
  readonly vibeId: string;
  readonly kind: 'lost' | 'inserted' | 'damaged';
  /** Samples lost less samples inserted. */
  readonly net: number;
  /** Samples heard there that are none of the creator's. */
  readonly foreign: number;
  /** When the last sound before it arrived, and the first behind it. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A time in which a fault may be heard, and by whom. */
export interface FaultWindow {
  /** The number of the fault in the run, from 1. */
  readonly fault: number;
  /** Whom it was done to; everybody, where nobody is named. */
  readonly vibeId?: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Whether it may cost samples, and whether it may put some in. What may do neither explains nothing. */
  readonly mayLose: boolean;
  readonly mayInsert: boolean;
}

/** How far from the fault's own time an event may be. */
const MARGIN_MS = 100;
/** A restarted encoder's first frame carries nothing, and is heard just after it is there. */
const PRIMING_MS = 22;
/** Where a break begins and ends is found to some hundred samples. */
const EDGE = 512;

/** The number of the fault that explains an event; `undefined` where none does. */
export function explanationOf(event: HeardEvent, windows: readonly FaultWindow[]): number | undefined {
  return windows.find((window) => {
    if (window.vibeId !== undefined && window.vibeId !== event.vibeId) return false;
    if (event.untilMs < window.fromMs - MARGIN_MS) return false;
    if (event.fromMs > window.untilMs + MARGIN_MS + PRIMING_MS) return false;
    const lost = event.net + event.foreign;
    if (lost > EDGE || event.net > 0) return window.mayLose;
    return window.mayLose || window.mayInsert;
  })?.fault;
}
