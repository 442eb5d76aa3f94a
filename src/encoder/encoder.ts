import type { PcmFormat } from '../audio/pcm';

/** What is: `idle` has no process and wants none. What is wanted (`run` or `stop`) is kept apart, inside. */
export type EncoderState = 'idle' | 'starting' | 'running' | 'stopping' | 'backoff' | 'failed';

/** One FFmpeg's end, put into words once. See `exit.ts`. */
export interface EncoderExit {
  /** e.g. `ended`, `stopped`, `killed`, `stalled`, `output-failed`, `spawn-failed`, `crashed` */
  readonly reason: string;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Samples written to this process. */
  readonly samplesFed: number;
  /** The last `out_time_us` that FFmpeg reported. */
  readonly outTimeUs: number;
  /** The token of this life's publish URL. */
  readonly token: string;
  /** The last lines that FFmpeg wrote to stderr, redacted. */
  readonly stderr: readonly string[];
}

export interface EncoderEvents {
  state: [move: { from: EncoderState; to: EncoderState; cause: string }];
  /** A write can be tried again: a process has just started, or its pipe has drained. */
  writable: [];
  /** A process ended; `wanted` tells whether it was meant to. */
  exit: [exit: EncoderExit, wanted: boolean];
}

export interface EncoderOptions {
  readonly vibeId: string;
  /** What will be written: little-endian. */
  readonly format: PcmFormat;
}

/**
 * One vibe's FFmpeg, supervised: PCM goes in, AAC is published over RTMP. Starts a new process after each failure,
 * with jittered backoff. An event emitter of `EncoderEvents`.
 */
export interface Encoder {
  readonly state: EncoderState;
  /** How many times a process was started after the first one. */
  readonly restarts: number;
  /** The reason of the last end, for status pages. */
  readonly lastExit: EncoderExit | undefined;
  readonly pid: number | undefined;
  /** Of the present life's publish URL; none while there is no process. */
  readonly token: string | undefined;
  /** Whether `write` may be called now: a process is there and its pipe took everything written so far. */
  readonly writable: boolean;
  /** Wants a process to run. Idempotent. */
  start(): void;
  /** Writes whole samples. Only while `writable`; what is refused by a dying process counts as fed to it. */
  write(bytes: Buffer): void;
  /** No more audio: ends stdin, lets FFmpeg publish its tail, resolves when the process is gone. Idempotent. */
  end(): Promise<void>;
  /** Ends at once: SIGTERM, then SIGKILL. Resolves when the process is gone. Idempotent. */
  close(): Promise<void>;
  on<E extends keyof EncoderEvents>(event: E, listener: (...args: EncoderEvents[E]) => void): this;
  off<E extends keyof EncoderEvents>(event: E, listener: (...args: EncoderEvents[E]) => void): this;
}
