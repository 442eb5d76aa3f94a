/** Where listeners are let in. */
export interface Door {
  readonly kind: 'http' | 'rtmp';
  readonly port: number;
  /** Of HTTP `/live/x.flv`, of RTMP `live/x`. */
  readonly path: string;
}

export type CrowdOrder =
  | { readonly type: 'join'; readonly door: Door; readonly count: number; readonly atOnce?: number }
  | { readonly type: 'reset'; readonly awake: boolean }
  | { readonly type: 'look' | 'leave' };

/** What each listener has heard since the last reset, in the order in which they came. */
export interface Heard {
  readonly bytes: readonly number[];
  /** The longest time between two reads. */
  readonly worstGapsMs: readonly number[];
  /** How many are still connected. */
  readonly connected: number;
}

export type CrowdAnswer = Partial<Heard> & { readonly joined?: number };

/** How a protocol begins: what is said first, and what to what comes back. */
export interface Hello {
  readonly begin: Buffer;
  answer(bytes: Buffer): Buffer | 'playing' | 'refused' | undefined;
}
