import { seededRandom } from '../../helpers/music';

/** What can happen in a soak. Those in `EVERYBODYS` happen to everybody, the others to one vibe. */
export const FAULTS = [
  'encoder-killed',
  'encoder-stopped',
  'encoder-stopped-for-good',
  'encoder-cut',
  'creator-cut',
  'creator-away',
  'creator-burst',
  'server-stopped',
  'server-killed',
  'daemon-blocked',
  'daemon-stopped',
] as const;

export type FaultName = (typeof FAULTS)[number];

export interface PlannedFault {
  /** Since the beginning of the load. */
  readonly atSeconds: number;
  readonly name: FaultName;
  /** The steady vibe it is done to, counted from 0; nobody's business where it happens to everybody. */
  readonly target: number;
}

export interface Plan {
  readonly seed: number;
  /** How long there is load. */
  readonly seconds: number;
  /** Vibes that last from the beginning to the end, without the control. */
  readonly steadyVibes: number;
  readonly faults: readonly PlannedFault[];
}

const FAULT_EVERY_SECONDS = 30;
/** A short run has as many faults, closer together. */
const LEAST_FAULTS = 6;
const STEADY_VIBES = 9;
/** A new life of the media server says nothing of what the last one kept: it is given time for that. */
const SELDOM: readonly FaultName[] = ['server-killed'];

/**
 * What will happen, and when: the same for the same seed. Faults come as from a pack of cards: each once before any comes
 * again, but those that come every other time only.
 */
export function planSoak(options: {
  seed: number;
  minutes: number;
  /** Those that can be done on this machine. */
  faults?: readonly FaultName[];
}): Plan {
  const { seed, minutes, faults: possible = FAULTS } = options;
  const seconds = minutes * 60;
  const everySeconds = Math.min(FAULT_EVERY_SECONDS, seconds / (LEAST_FAULTS + 0.5));
  const random = seededRandom(seed);
  const pack: FaultName[] = [];
  const faults: PlannedFault[] = [];
  for (let round = 0, at = everySeconds * 0.5; at <= seconds - everySeconds * 0.5; at += everySeconds) {
    if (pack.length === 0) {
      const isIn = (name: FaultName): boolean => round % 2 === 0 || !SELDOM.includes(name);
      pack.push(...shuffled(possible.filter(isIn), random));
      round += 1;
    }
    const name = pack.pop() as FaultName;
    faults.push({ atSeconds: at, name, target: Math.floor(random() * STEADY_VIBES) });
  }
  return { seed, seconds, steadyVibes: STEADY_VIBES, faults };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items];
  for (let at = out.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [out[at], out[other]] = [out[other] as T, out[at] as T];
  }
  return out;
}
