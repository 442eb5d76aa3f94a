/** What the creators of `bench/load/join-creators.ts` are told. */
export interface JoinPlay {
  readonly apiUrl: string;
  /** Where an FFmpeg publishes that is fed by hand, in chunks of 20 ms. */
  readonly byHandUrl: string;
  /** How much there is to be sent. */
  readonly seconds: number;
  readonly vibes: readonly {
    readonly vibeId: string;
    readonly door: 'websocket' | 'posts' | 'json';
    readonly chunkMs: number;
  }[];
}
