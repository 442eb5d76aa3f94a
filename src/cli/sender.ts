/** What publishing has come to, for progress lines and the summary. */
export interface SendReport {
  /** Milliseconds of audio that the relay acknowledged. */
  acknowledgedMs: number;
  reconnects: number;
  /** The longest time between handing over a piece of audio and its receipt. */
  longestAckMs: number;
}

/** A way to hand PCM (48 kHz, stereo, s16le) to the relay, a second ahead of the listener's ear and no more. */
export interface Sender {
  readonly report: Readonly<SendReport>;
  /** What the relay is believed to hold. */
  readonly aheadMs: number;
  /**
   * Hands over one block, at most 100 ms, whole samples. Resolves when the next one may come.
   * @throws {OperatorError} when the relay refuses, or cannot be reached for long
   */
  send(block: Buffer): Promise<void>;
  /** Resolves when everything handed over has been acknowledged. Rejects as `send` does. */
  finish(): Promise<void>;
  /** Lets go of the connection, acknowledged or not. Idempotent. */
  close(): void;
}

/** How far ahead of the ear audio is sent: rides out a second of trouble, and still follows a Ctrl-C soon. */
export const AHEAD_MS = 1_000;
/** Without a word from the relay for this long, it is given up. */
export const GIVE_UP_MS = 120_000;

const BYTES_PER_MS = 192;

/** The length of a piece of 48 kHz stereo s16le. */
export function blockMs(bytes: number): number {
  return bytes / BYTES_PER_MS;
}
