/** What the relay tells its media server process. */
export type ToChild =
  | {
      readonly type: 'listen';
      readonly rtmpPort: number;
      readonly httpHost: string;
      readonly httpPort: number;
      /** Nobody publishes but whom the relay expects, under no name at all. */
      readonly onlyExpected?: boolean;
    }
  | { readonly type: 'announce'; readonly vibeId: string; readonly isPrivate: boolean }
  /** Who plays this private vibe may do so with this ticket, or no longer. */
  | { readonly type: 'admit' | 'expel'; readonly vibeId: string; readonly ticket: string }
  | { readonly type: 'retire'; readonly vibeId: string }
  /** The next publish of this vibe shows this token, once. */
  | { readonly type: 'expect'; readonly vibeId: string; readonly token: string }
  | { readonly type: 'ping' }
  | { readonly type: 'close' };

/** So many AAC frames of one publish. */
export interface Received {
  readonly vibeId: string;
  readonly token: string;
  readonly aacFrames: number;
}

/** What the media server process tells the relay. */
export type FromChild =
  | { readonly type: 'listening' }
  /** It cannot listen: `code` is the system's, e.g. `EADDRINUSE`. It ends by itself. */
  | {
      readonly type: 'refused';
      readonly what: 'RTMP' | 'HTTP';
      readonly code: string;
      readonly detail: string;
    }
  | { readonly type: 'pong' }
  | { readonly type: 'published'; readonly vibeId: string; readonly token: string }
  | {
      readonly type: 'unpublished';
      readonly vibeId: string;
      readonly token: string;
      readonly aacFrames: number;
    }
  /** What has been received so far of what is published, where that has changed: many times a second. */
  | { readonly type: 'received'; readonly counts: readonly Received[] }
  | { readonly type: 'listeners'; readonly counts: { vibeId: string; listeners: number }[] }
  | { readonly type: 'cut'; readonly vibeId: string; readonly reason: string }
  | {
      readonly type: 'log';
      readonly level: 'warn' | 'error';
      readonly message: string;
      readonly vibeId?: string;
    };
