/** Samples of one AAC frame, and of a second: 48 kHz. */
const FRAME_MS = (1024 / 48_000) * 1000;
/** Two and a half AAC frames: a player with a short buffer begins to starve. */
const SHORT_GAP_MS = 60;
/** What most players' buffers ride out. */
const LONG_GAP_MS = 100;

/** How a stream arrived. */
export interface ArrivalReport {
  /** Audio tags, each one AAC frame. */
  tags: number;
  /** Milliseconds of audio in them. */
  audioMs: number;
  /** From asking for the stream to the first audio tag; absent while none has come. */
  firstTagMs?: number;
  longestGapMs: number;
  gapsOver60Ms: number;
  gapsOver100Ms: number;
  /**
   * How much later than the promptest tag of the stream the latest one came, by its own timestamp. This is what a
   * listener's buffer has to even out; it is not the latency from the creator, which cannot be seen from here.
   */
  lagMs: number;
  longestLagMs: number;
  /** Tags whose timestamp was before that of the tag before. */
  backwards: number;
}

/** Keeps count of when audio tags came, and of how evenly. */
export class Arrivals {
  readonly report: ArrivalReport = {
    tags: 0,
    audioMs: 0,
    longestGapMs: 0,
    gapsOver60Ms: 0,
    gapsOver100Ms: 0,
    lagMs: 0,
    longestLagMs: 0,
    backwards: 0,
  };
  readonly #askedMs: number;
  #lastArrivalMs: number | undefined;
  #lastTimestampMs = 0;
  #promptestMs = Infinity;

  /** @param askedMs when the stream was asked for, on the monotonic clock of `tag` */
  constructor(askedMs: number) {
    this.#askedMs = askedMs;
  }

  /** An audio tag came. Not for the AAC configuration, which is no sound. */
  tag(timestampMs: number, arrivalMs: number): void {
    const { report } = this;
    report.tags += 1;
    report.audioMs = report.tags * FRAME_MS;
    report.firstTagMs ??= arrivalMs - this.#askedMs;
    if (this.#lastArrivalMs !== undefined) {
      const gapMs = arrivalMs - this.#lastArrivalMs;
      report.longestGapMs = Math.max(report.longestGapMs, gapMs);
      if (gapMs > SHORT_GAP_MS) report.gapsOver60Ms += 1;
      if (gapMs > LONG_GAP_MS) report.gapsOver100Ms += 1;
      if (timestampMs < this.#lastTimestampMs) report.backwards += 1;
    }
    this.#promptestMs = Math.min(this.#promptestMs, arrivalMs - timestampMs);
    report.lagMs = arrivalMs - timestampMs - this.#promptestMs;
    report.longestLagMs = Math.max(report.longestLagMs, report.lagMs);
    this.#lastArrivalMs = arrivalMs;
    this.#lastTimestampMs = timestampMs;
  }
}
