import type { Creator, CreatorOptions } from './creator';
import type { Listening } from './ear';
import type { LogLine, Stage } from './stage';

/** One of the two vibes of an act. */
export interface OnAir {
  readonly vibeId: string;
  readonly seed: number;
  readonly ownerKey: string;
  readonly ear: Listening;
  readonly creator: Creator;
}

/** What a fault finds when it is done: both vibes on air and heard. */
export interface Scene {
  readonly stage: Stage;
  readonly victim: OnAir;
  readonly control: OnAir;
}

/** The witness: the fault has bitten, and when. Where it lasts, it is also over. */
export interface Bite {
  /** When it began to bite, on the monotonic clock. */
  readonly atMs: number;
  /** What was seen of it, in words. */
  readonly witness: string;
}

/** The most that a fault may cost whoever listens to the victim. */
export interface Price {
  /** Samples of the creator's that are not heard. */
  readonly lost: number;
  /** Samples heard that are none of the creator's, beside what an encoder's start puts in. 0 unless told. */
  readonly inserted?: number;
  /** The longest time without a frame, in milliseconds. */
  readonly stallMs: number;
  /** Connections of the listener's that break. 0 unless told. */
  readonly reconnects?: number;
  /** Encoders started again, at most. 0 unless told. */
  readonly restarts?: number;
}

/** A fault of the catalogue, what it may cost, and how the relay has to speak of it. */
export interface Fault {
  /** For the table. */
  readonly name: string;
  /** Of the victim; the control's follows from it. */
  readonly vibeId: string;
  /**
   * Does it. Resolves when it has bitten and, where it lasts, is over.
   * @throws {Error} where it did not bite: the test then proves nothing
   */
  readonly inject: (scene: Scene) => Promise<Bite>;
  readonly price: Price;
  /** Whether a line of the log names the fault; left out where the relay rightly knows nothing of it. */
  readonly says?: (line: LogLine, scene: Scene) => boolean;
  /** How many such lines there are, at most; just one unless told. */
  readonly lines?: number;
  /** Who sends; one that posts numbered chunks unless told. */
  readonly creator?: (options: CreatorOptions) => Creator;
  /** Likewise of the control. */
  readonly controlCreator?: (options: CreatorOptions) => Creator;
  /** Where the victim's listener connects, or the playlist that it follows; HTTP-FLV of the media server unless told. */
  readonly listenAt?: (vibeId: string) => string;
  /** Whether it hits everybody on the daemon, the control as well. */
  readonly hitsAll?: boolean;
  /** By how many samples the metrics' account may differ from what was heard, and why. 8, where nothing is told. */
  readonly account?: Account;
  /** What is otherwise with SRS as the media server; or why the fault is none there. */
  readonly withSrs?: WithSrs | { readonly isNone: string };
}

export interface Account {
  readonly within: number;
  readonly because: string;
}

/** What SRS cannot keep, and why. */
export interface WithSrs {
  readonly price: Partial<Price>;
  readonly account?: Account;
  readonly says?: Fault['says'];
  readonly because: string;
}
