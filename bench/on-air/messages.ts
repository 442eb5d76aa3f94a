import type { Lateness } from './metronome';

/** What a load's process is told. Each is answered by one `LoadAnswer`. */
export type LoadOrder =
  | {
      readonly type: 'grow';
      /** Streams to begin besides those there are. */
      readonly names: readonly string[];
      /** Where: the relay's API or the media server's RTMP base. */
      readonly url: string;
      /** Of hand-fed FFmpegs. */
      readonly coder?: string;
    }
  | { readonly type: 'report' }
  | { readonly type: 'stop' };

export interface LoadAnswer {
  /** Processes that the load runs itself. */
  readonly pids: readonly number[];
  /** Since the last report. */
  readonly lateness: Lateness;
  /** What went wrong since the last report, in words. */
  readonly faults: readonly string[];
}
