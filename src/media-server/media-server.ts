import type { Timer } from '../base/clock';

/** What the media server is right now. */
export interface MediaServerHealth {
  readonly kind: 'embedded' | 'srs';
  /** Whether it answers and can take publishers. */
  readonly up: boolean;
  readonly version: string;
}

/** The end of one publish, as the media server saw it. */
export interface PublishEnd {
  readonly vibeId: string;
  /** The one-time token that the encoder put into its publish URL: tells one encoder's life from the next. */
  readonly token: string;
  /**
   * AAC frames received and handed on, without the AAC header. Each is 1024 samples at 48 kHz. Left out where the media
   * server did not see all of them.
   */
  readonly aacFrames?: number;
}

/** What the media server tells. All vibe ids are as published. */
export interface MediaServerEvents {
  /** It came up, or went down. */
  health: [health: MediaServerHealth];
  /** An encoder's publish was accepted and its first audio frame arrived. */
  published: [publish: { vibeId: string; token: string }];
  unpublished: [end: PublishEnd];
  /** So much has been received of what is being published. Not from every media server. */
  received: [soFar: PublishEnd];
  /** The number of players of a vibe changed. */
  listeners: [change: { vibeId: string; listeners: number }];
  /** A player was cut off, e.g. because it read too slowly. */
  cut: [cut: { vibeId: string; reason: string }];
}

/** Who may play private vibes: nobody but who shows a ticket that was admitted, as `?token=` in the URL. */
export interface Admissions {
  admit(vibeId: string, ticket: string): void;
  /** The ticket is good no more: who plays by it is cut off at once. Idempotent. */
  expel(vibeId: string, ticket: string): void;
}

/**
 * What takes the encoders' RTMP and serves HTTP-FLV and HLS. Owned by `app.ts`; vibes only see this type.
 * An implementation is an event emitter of `MediaServerEvents`.
 */
export interface MediaServer {
  readonly health: MediaServerHealth;
  /** Its process's id, where it is one of this machine's and known. */
  readonly pid?: number | undefined;
  /** How long before a publisher goes its last sample must have been published, for all players to get it. */
  readonly tailMs: number;
  /** Resolves when it takes publishers and players. Rejects with an `OperatorError` when it cannot, e.g. a port in use. */
  start(): Promise<void>;
  /** Stops it: players are disconnected, ports are free when this resolves. Idempotent. */
  close(): Promise<void>;
  /** Nothing where it cannot keep players out: then no vibe is private. */
  readonly admissions?: Admissions;
  /**
   * Tells that a vibe exists: its players may connect before the first frame, and stay while it is re-published.
   * @param isPrivate whether only who was admitted may play it
   */
  announce(vibeId: string, isPrivate?: boolean): void;
  /**
   * Tells that a vibe is over: its players get the end of the stream once everything received has been sent.
   * Also forgets the vibe's HLS after a grace period.
   */
  retire(vibeId: string): void;
  /** Players connected to a vibe now. */
  playersOf(vibeId: string): number;
  /** Where an encoder's life publishes to, with its one-time token. Asked once for each life. */
  publishUrl(vibeId: string, token: string): string;
  /**
   * Calls `go` as soon as a new life of a vibe's encoder may publish: at once where nothing of an older one is in the
   * way. @returns what takes it back
   */
  whenClear(vibeId: string, go: () => void): Timer;
  on<E extends keyof MediaServerEvents>(event: E, listener: (...args: MediaServerEvents[E]) => void): this;
  off<E extends keyof MediaServerEvents>(event: E, listener: (...args: MediaServerEvents[E]) => void): this;
}
