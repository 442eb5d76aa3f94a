import type { Door } from './crowd-messages';

/** A server that sends one stream to many, bound to one core. */
export interface FanOutServer {
  readonly name: string;
  /** Where the encoder sends to. */
  readonly feedUrl: string;
  /** FFmpeg's muxer, where it is not FLV. */
  readonly feedMuxer?: string;
  readonly door: Door;
  /** The process that serves listeners. */
  readonly pid: number;
  /** Bytes that its protocol puts around each tag; where nobody knows, listeners are compared with each other. */
  readonly framingBytesPerTag: number | undefined;
  stop(): Promise<void>;
}
