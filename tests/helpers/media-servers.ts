import { Daemon } from './daemon';
import type { ListenerEnd } from './flv-listener';
import { SRS_BINARY, srsVersion } from './srs';

/**
 * A media server that the end-to-end suites run the daemon with. What a listener may expect is the same with each; this
 * is the one place that says where it is not.
 */
export interface MediaServerUnderTest {
  readonly kind: 'embedded' | 'srs';
  /**
   * Starts the daemon, and what it needs.
   * @param env settings besides ports, directories and the media server
   * @param hooksPort where SRS calls its hooks, where something stands between it and the daemon
   */
  start(
    env?: Readonly<Record<string, string>>,
    options?: { readonly hooksPort?: number | undefined },
  ): Promise<Daemon>;
  /** How a listener gets to know that a vibe is over: the end of the answer, or SRS cuts the connection. */
  readonly flvEnd: ListenerEnd;
  /** Whether HLS says that it is over. SRS lets the last playlist stand, until the daemon takes it away. */
  readonly hlsEnds: boolean;
  /**
   * AAC frames of silence that follow what was sent: SRS cuts listeners of HTTP-FLV when the publisher goes, up to 20 ms
   * after it last looked for what they have not got yet, so the relay feeds it 160 ms more than there was.
   */
  readonly tailFrames: number;
  /**
   * What a listener may get later than from FFmpeg itself, at the median and at the 99th percentile, in milliseconds:
   * SRS looks for what a listener of HTTP-FLV has not got yet every 10 ms (`mw_latency`).
   */
  readonly addsMs: { readonly p50: number; readonly p99: number };
}

export const EMBEDDED: MediaServerUnderTest = {
  kind: 'embedded',
  start: (env) => Daemon.start(env),
  flvEnd: 'end',
  hlsEnds: true,
  tailFrames: 0,
  addsMs: { p50: 5, p99: 15 },
};

export const SRS: MediaServerUnderTest = {
  kind: 'srs',
  start: (env, options) => Daemon.startWithSrs(env, options),
  flvEnd: 'cut',
  hlsEnds: false,
  tailFrames: 8,
  addsMs: { p50: 15, p99: 35 },
};

/**
 * Describes the same with the embedded media server and, where `SRS_BINARY` names one, with a real SRS. Without one that
 * half is skipped, under a name that says so.
 */
export function describeWithEach(name: string, tests: (media: MediaServerUnderTest) => void): void {
  describe(name, () => tests(EMBEDDED));
  if (SRS_BINARY) describe(`${name} [SRS ${srsVersion()}]`, () => tests(SRS));
  else it.skip(`${name} [SRS: SKIPPED, SRS_BINARY names none]`, () => undefined);
}
