import { performance } from 'node:perf_hooks';
import { delay, eventually } from './eventually';
import { FlvListener } from './flv-listener';

/** A frame of silence has some twenty bytes, one of the generated tune some hundreds. */
const SOUND_BYTES = 100;
const RETRY_MS = 50;

/** A listener that connects again whenever its stream ends, as players do, and notes when it heard sound. */
export class FaithfulListener {
  /** Arrivals of frames that are no silence, on the monotonic clock. */
  readonly soundAtMs: number[] = [];
  readonly #url: string;
  #isLeaving = false;
  #listener: FlvListener | undefined;
  readonly #over: Promise<void>;

  constructor(url: string) {
    this.#url = url;
    this.#over = this.#listen();
  }

  /** The longest time without sound since `sinceMs`, up to the last that was heard. */
  longestGapMs(sinceMs: number): number {
    const heard = this.soundAtMs.filter((atMs) => atMs >= sinceMs - 100);
    return Math.max(...heard.slice(1).map((atMs, index) => atMs - (heard[index] as number)));
  }

  /** Sound that arrived after `sinceMs`, at least so many frames of it. */
  async hears(frames: number, sinceMs = performance.now(), withinMs = 30_000): Promise<void> {
    await eventually(
      `${frames} frames of sound`,
      () => this.soundAtMs.filter((atMs) => atMs > sinceMs).length >= frames,
      { withinMs },
    );
  }

  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#listener?.leave();
    await this.#over;
  }

  async #listen(): Promise<void> {
    while (!this.#isLeaving) {
      this.#listener = await FlvListener.connect(this.#url).catch(() => undefined);
      if (this.#listener) await this.#follow(this.#listener);
      else await delay(RETRY_MS);
    }
  }

  async #follow(listener: FlvListener): Promise<void> {
    let seen = 0;
    while (listener.isConnected && !this.#isLeaving) {
      await listener
        .until('another frame', () => listener.frames.length > seen, 60_000)
        .catch(() => undefined);
      for (const { aac, atMs } of listener.frames.slice(seen))
        if (aac.length > SOUND_BYTES) this.soundAtMs.push(atMs);
      seen = listener.frames.length;
    }
    listener.leave();
  }
}
