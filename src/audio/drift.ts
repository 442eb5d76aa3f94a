/** Arrivals are grouped into bins of this length, and only the earliest of each bin counts: the network delays, it never hurries. */
const BIN_MS = 5_000;
/** The estimate looks back over this many bins: two minutes. */
const WINDOW_BINS = 24;
/** No verdict before this many bins: 45 seconds. */
const MIN_BINS = 9;
/** Quartz is within 100 ppm and cheap sound cards within 300; what seems faster than this is a burst or a stall, not a clock. */
const MAX_PPM = 600;
/** Below this the buffer moves by less than a millisecond a minute: not worth a verdict. */
const MIN_PPM = 15;
/** A trend is proven when it is this many standard errors away from none. */
const PROOF = 6;
/** Once a drift is followed, each millisecond that piled up before is worked off at this rate. */
const RETURN_PPM_PER_MS = 2;
const MAX_RETURN_PPM = 60;

interface Bin {
  readonly index: number;
  /** When the earliest chunk of the bin came, in real milliseconds since the first. */
  atMs: number;
  /** How early it came against real time, in milliseconds of audio. */
  earlyMs: number;
  /** How early it came against the pacer, in milliseconds. */
  headroomMs: number;
}

/**
 * Watches how a creator's clock runs against ours, and says how much faster (positive) or slower (negative) the
 * pacer has to run to follow it. Says 0 until a trend is proven: jitter, bursts and early uploads are not drift.
 *
 * The samples themselves are never touched: the stream runs at the creator's rate, as that of every live encoder does.
 */
export class DriftFollower {
  #bins: Bin[] = [];
  #firstMs: number | undefined;
  /** The headroom that the first bin had: what is to be kept. */
  #wantedHeadroomMs: number | undefined;
  /** The trend that was proven last; nothing until one was. */
  #ratePpm: number | undefined;
  #ppm = 0;

  /** Parts per million by which the pacer has to run faster than our clock. */
  get ppm(): number {
    return this.#ppm;
  }

  /**
   * Notes the arrival of a chunk.
   * @param nowMs when it came, monotonic
   * @param audioMs how much audio had come before it, since any fixed moment
   * @param headroomMs how long the pacer could have gone on without it
   */
  arrival(nowMs: number, audioMs: number, headroomMs: number): void {
    this.#firstMs ??= nowMs;
    const atMs = nowMs - this.#firstMs;
    const earlyMs = audioMs - atMs;
    const index = Math.floor(atMs / BIN_MS);
    const bin = this.#bins.at(-1);
    if (bin?.index === index) {
      if (earlyMs > bin.earlyMs) Object.assign(bin, { atMs, earlyMs, headroomMs });
      return;
    }
    if (bin) this.#judge(bin);
    this.#bins.push({ index, atMs, earlyMs, headroomMs });
    if (this.#bins.length > WINDOW_BINS) this.#bins.shift();
  }

  /** Forgets the arrivals, but goes on at the rate found: after a gap the creator's clock is still the same one. */
  reset(): void {
    this.#bins = [];
    this.#firstMs = undefined;
    this.#wantedHeadroomMs = undefined;
  }

  /** Least squares over the complete bins, of which `last` is the latest. */
  #judge(last: Bin): void {
    this.#wantedHeadroomMs ??= last.headroomMs;
    const bins = this.#bins;
    const n = bins.length;
    if (n < MIN_BINS) return;
    const meanAt = bins.reduce((sum, bin) => sum + bin.atMs, 0) / n;
    const meanEarly = bins.reduce((sum, bin) => sum + bin.earlyMs, 0) / n;
    const spread = bins.reduce((sum, bin) => sum + (bin.atMs - meanAt) ** 2, 0);
    const slope =
      bins.reduce((sum, bin) => sum + (bin.atMs - meanAt) * (bin.earlyMs - meanEarly), 0) / spread;
    const residual = bins.reduce(
      (sum, bin) => sum + (bin.earlyMs - meanEarly - slope * (bin.atMs - meanAt)) ** 2,
      0,
    );
    const slopePpm = slope * 1e6;
    const errorPpm = Math.sqrt(residual / (n - 2) / spread) * 1e6;
    const proofPpm = Math.max(MIN_PPM, PROOF * errorPpm);
    // A clock, or proof that the one followed so far is gone: another device sends now.
    const changePpm = slopePpm - (this.#ratePpm ?? 0);
    const isProven = Math.max(Math.abs(slopePpm), Math.abs(changePpm)) >= proofPpm;
    if (isProven && Math.abs(slopePpm) <= MAX_PPM) this.#ratePpm = slopePpm;
    if (this.#ratePpm === undefined) return;
    // What piled up (or ran dry) before the verdict is worked off slowly.
    const returnPpm = (last.headroomMs - this.#wantedHeadroomMs) * RETURN_PPM_PER_MS;
    this.#ppm = this.#ratePpm + Math.max(-MAX_RETURN_PPM, Math.min(MAX_RETURN_PPM, returnPpm));
  }
}
