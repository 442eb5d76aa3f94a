import type { Clock, Timer } from '../../base/clock';
import type { Logger } from '../../base/logger';
import { FfmpegChild, type FfmpegEnd, type FfmpegTools } from './ffmpeg-child';

export interface WhepFeederOptions {
  /** Where the vibe is heard, and where it is to be heard by WebRTC: RTMP. Asked anew for each life. */
  readonly sourceUrl: () => string;
  readonly targetUrl: () => string;
  readonly tools: FfmpegTools;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether a feeder that died is still needed. */
  readonly isNeeded: () => boolean;
  /** It died and is not started any more: nobody needs it, or it died too often. */
  readonly onGivenUp: () => void;
}

const FIRST_RESTART_MS = 200;
const MAX_RESTART_MS = 2_000;
const STEADY_MS = 10_000;
/** Within about ten seconds. */
const MAX_FAILURES = 7;
/**
 * How long FFmpeg waits for the network, in microseconds. While a vibe's encoder is away nothing comes: after this the
 * feeder starts over, in case that it hangs.
 */
const NETWORK_TIMEOUT_US = 15_000_000;

/**
 * Copies a vibe's AAC, as it is, to where SRS makes Opus of it. It stays connected while the vibe's encoder restarts,
 * because SRS does not send RTMP players away; when it dies it is started again.
 */
export class WhepFeeder {
  readonly #options: WhepFeederOptions;
  #child: FfmpegChild | undefined;
  #startedMs = 0;
  #failures = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: WhepFeederOptions) {
    this.#options = options;
    this.#start();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when its process is gone. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#child?.close();
  }

  #start(): void {
    const { tools, clock, sourceUrl, targetUrl } = this.#options;
    this.#startedMs = clock.nowMs();
    this.#child = new FfmpegChild({
      tools,
      clock,
      args: feederArguments(sourceUrl(), targetUrl()),
      onExit: (end) => this.#exited(end),
    });
  }

  #exited(end: FfmpegEnd): void {
    const { clock, logger, isNeeded, onGivenUp } = this.#options;
    this.#child = undefined;
    if (this.#isClosed) return;
    if (clock.nowMs() - this.#startedMs >= STEADY_MS) this.#failures = 0;
    this.#failures += 1;
    if (!isNeeded()) {
      onGivenUp();
      return;
    }
    logger.warn({ ...end, failures: this.#failures }, 'a WHEP feeder died');
    if (this.#failures >= MAX_FAILURES) {
      onGivenUp();
      return;
    }
    const waitMs = Math.min(MAX_RESTART_MS, FIRST_RESTART_MS * 2 ** (this.#failures - 1));
    this.#timer = clock.after(waitMs, () => this.#start(), { background: true });
  }
}

/** The command line, without the program. */
export function feederArguments(sourceUrl: string, targetUrl: string): string[] {
  const network = ['-rw_timeout', String(NETWORK_TIMEOUT_US), '-tcp_nodelay', '1'];
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error'],
    // With 32 bytes FFmpeg 5.1.9 finds no audio in what SRS 5.0.216 sends.
    ...['-probesize', '1024', '-analyzeduration', '0', '-rtmp_live', 'live', ...network, '-i', sourceUrl],
    ...['-map', '0:a:0', '-c', 'copy', '-flush_packets', '1', '-flvflags', 'no_duration_filesize'],
    ...[...network, '-f', 'flv', targetUrl],
  ];
}
