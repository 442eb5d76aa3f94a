import type { Machine } from '../../../bench/lib/machine';
import type { Flatness } from './flatness';
import type { HeardEvent } from './explain';

/** `not judged` is said loudly, and is no praise. */
export type Verdict = 'passed' | 'failed' | 'not judged';

/** One thing that has to hold at the end of a soak. */
export interface Judgement {
  readonly what: string;
  readonly verdict: Verdict;
  /** In words: what was seen. */
  readonly detail: string;
  /** Not judged because the run was too short for it, which is as it should be. */
  readonly isTooShort?: boolean;
}

/** A fault as it was done. */
export interface DoneFault {
  /** Since the beginning of the load. */
  readonly atSeconds: number;
  readonly name: string;
  /** The vibe it was done to, or `everybody`. */
  readonly target: string;
  readonly witness: string;
  /** From its beginning until all whom it was done to were live and heard again. */
  readonly seconds: number;
  /** Events that listeners heard because of it, samples lost less inserted in them, and the longest. */
  readonly events: number;
  readonly net: number;
  readonly longestMs: number;
}

export interface ToldEvent extends HeardEvent {
  /** Since the beginning of the load. */
  readonly atSeconds: number;
  /** The number of the fault that explains it, from 1; `machine` where the machine stood still; nothing where nothing does. */
  readonly explanation: number | 'machine' | undefined;
  /** What the relay said about that time, where nothing explains it. */
  readonly log?: readonly string[];
  /** For how long the machine had stood still just before, at worst. */
  readonly stalledMs?: number;
}

/** What `tests/torture/results/soak.json` holds. */
export interface SoakResult {
  /** Day of the run. */
  readonly at: string;
  readonly machine: Machine;
  readonly seed: number;
  readonly minutes: number;
  /** How much the machine stood still, in words. */
  readonly stalls: string;
  readonly load: {
    readonly steadyVibes: number;
    readonly shortVibes: number;
    readonly listeners: number;
    readonly chunks: number;
    /** Hours of sound that were sent, and compared with what was heard. */
    readonly hoursOfSound: number;
  };
  readonly faults: readonly DoneFault[];
  readonly events: {
    readonly explained: number;
    readonly unexplained: readonly ToldEvent[];
    readonly notJudged: readonly ToldEvent[];
    /** Of the control, which only faults of everybody may touch. */
    readonly ofControl: number;
  };
  readonly account: {
    readonly accepted: number;
    readonly silence: number;
    readonly lost: number;
    /** The relay's account less what was heard; 0 where it is right. */
    readonly difference: number;
    readonly within: number;
  };
  readonly memory: Readonly<
    Record<'daemonHeap' | 'daemonRss' | 'mediaServerHeap' | 'mediaServerRss', Flatness>
  >;
  readonly judgements: readonly Judgement[];
  readonly verdict: 'passed' | 'failed';
}
