import { performance } from 'node:perf_hooks';
import { delay } from '../../helpers/eventually';
import { FlvListener } from '../../helpers/flv-listener';
import { Arrivals } from './arrivals';
import { Decoder } from './decoder';

/** As soon as a player tries again. */
const RETRY_MS = 50;
/** How often what has arrived is handed on to the decoder. */
const DRAIN_MS = 200;

/** A listener who stays, for as long as it takes: keeps nothing but when frames arrived, and hands on what they sound like. */
export class SoakEar {
  readonly arrivals = new Arrivals();
  /** Times without a connection: from the end of one until the next was let in. */
  readonly aways: { readonly fromMs: number; readonly untilMs: number }[] = [];
  /** Frames whose timestamp was before that of the one before, on one connection. */
  timestampFaults = 0;
  readonly #url: string;
  readonly #decoder: Decoder;
  readonly #timer: NodeJS.Timeout;
  #connection: FlvListener;
  #lastTimestampMs = 0;
  #isLeaving = false;
  readonly #over: Promise<void>;

  private constructor(
    url: string,
    first: FlvListener,
    onSamples: (samples: Float32Array<ArrayBuffer>) => void,
  ) {
    this.#url = url;
    this.#connection = first;
    this.#decoder = new Decoder(onSamples);
    this.#timer = setInterval(() => this.#drain(), DRAIN_MS);
    this.#over = this.#stay();
  }

  /**
   * Connects; tries again for as long as it is told to, because there may be a fault just now.
   * @throws {Error} where it was not let in by then
   */
  static async open(
    url: string,
    onSamples: (samples: Float32Array<ArrayBuffer>) => void,
    withinMs = 20_000,
  ): Promise<SoakEar> {
    for (const untilMs = performance.now() + withinMs; ; await delay(RETRY_MS)) {
      try {
        return new SoakEar(url, await FlvListener.connect(url), onSamples);
      } catch (error) {
        if (performance.now() > untilMs) throw error;
      }
    }
  }

  get isConnected(): boolean {
    return this.#connection.isConnected;
  }

  /** What the decoder complained of. */
  get complaints(): string {
    return this.#decoder.complaints;
  }

  /** Hangs up, where that has not happened; resolves when the last sample has been handed on. Idempotent. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#connection.leave();
    await this.#over;
    clearInterval(this.#timer);
    this.#drain();
    await this.#decoder.finish();
  }

  #drain(): void {
    const frames = this.#connection.frames.splice(0);
    if (frames.length === 0) return;
    for (const { atMs, timestampMs } of frames) {
      this.arrivals.add(atMs);
      if (timestampMs < this.#lastTimestampMs) this.timestampFaults += 1;
      this.#lastTimestampMs = timestampMs;
    }
    this.#decoder.push(frames.map(({ aac }) => aac));
  }

  async #stay(): Promise<void> {
    for (let endedMs = NaN; ;) {
      await this.#connection.ended;
      if (Number.isNaN(endedMs)) endedMs = performance.now();
      this.#drain();
      if (this.#isLeaving) return;
      const next = await FlvListener.connect(this.#url).catch(() => undefined);
      if (next) {
        this.#connection = next;
        this.#lastTimestampMs = 0;
        this.aways.push({ fromMs: endedMs, untilMs: performance.now() });
        endedMs = NaN;
        if (this.#isLeaving) next.leave();
      } else await delay(RETRY_MS);
    }
  }
}
