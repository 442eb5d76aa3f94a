import { joinAdts } from '../../helpers/adts';
import { delay, eventually } from '../../helpers/eventually';
import { decode } from '../../helpers/ffmpeg';
import { FlvListener, type HeardFrame, timestampFault } from '../../helpers/flv-listener';
import { channelOf } from '../continuity/noise';

/** As soon as a player tries again. */
const RETRY_MS = 50;

/** A time in which a listener got nothing, on the monotonic clock. */
export interface Stall {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A listener who stays: connects again whenever the stream ends, as players do, and keeps every frame. */
export class Ear {
  readonly #url: string;
  readonly #connections: FlvListener[] = [];
  #isLeaving = false;
  readonly #over: Promise<void>;

  private constructor(url: string, first: FlvListener) {
    this.#url = url;
    this.#connections.push(first);
    this.#over = this.#stay(first);
  }

  /** @throws {Error} where the first connection is refused */
  static async open(url: string): Promise<Ear> {
    return new Ear(url, await FlvListener.connect(url));
  }

  get frames(): HeardFrame[] {
    return this.#connections.flatMap(({ frames }) => frames);
  }

  get isConnected(): boolean {
    return this.#connections.at(-1)?.isConnected === true;
  }

  /** How often it had to connect again and then heard something. */
  get reconnects(): number {
    return this.#connections.filter(({ frames }) => frames.length > 0).length - 1;
  }

  /** The first place where a connection's timestamps go back, in words. */
  get timestampFault(): string | undefined {
    return this.#connections.map(({ frames }) => timestampFault(frames)).find((fault) => fault !== undefined);
  }

  /** Resolves when so many frames have arrived since then. */
  async hears(frames: number, sinceMs = 0, withinMs = 60_000): Promise<void> {
    const heard = (): number => this.frames.filter(({ atMs }) => atMs > sinceMs).length;
    await eventually(`${frames} frames for a listener`, () => heard() >= frames, { withinMs });
  }

  /** The longest time without a frame, of those that ended after `sinceMs`. */
  longestStall(sinceMs: number): Stall {
    const { frames } = this;
    let worst: Stall = { fromMs: sinceMs, untilMs: sinceMs };
    for (let at = 1; at < frames.length; at += 1) {
      const [fromMs, untilMs] = [frames[at - 1]?.atMs as number, frames[at]?.atMs as number];
      if (untilMs > sinceMs && untilMs - fromMs > worst.untilMs - worst.fromMs) worst = { fromMs, untilMs };
    }
    return worst;
  }

  /** Both channels of all that was heard, decoded as one stream, as a player does that stays. */
  async decoded(): Promise<readonly [Float32Array, Float32Array]> {
    const samples = await decode(joinAdts(this.frames.map(({ aac }) => aac)), 'aac');
    return [channelOf(samples, 0), channelOf(samples, 1)];
  }

  /** Idempotent. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#connections.at(-1)?.leave();
    await this.#over;
  }

  async #stay(first: FlvListener): Promise<void> {
    let listener: FlvListener | undefined = first;
    while (!this.#isLeaving) {
      if (listener) await listener.ended;
      if (this.#isLeaving) return;
      listener = await FlvListener.connect(this.#url).catch(() => undefined);
      if (listener) this.#connections.push(listener);
      else await delay(RETRY_MS);
      if (this.#isLeaving) listener?.leave();
    }
  }
}
