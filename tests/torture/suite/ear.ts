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

/** Somebody who listens to a vibe to its end, whatever happens in between, and whom the suite judges by. */
export interface Listening {
  /** The longest time without a frame where nothing is amiss: less is what any machine's network does. */
  readonly usualGapMs: number;
  /** Whether it is being sent something now. */
  readonly isConnected: boolean;
  /** How often it had to connect again and then heard something. */
  readonly reconnects: number;
  /** The first place where time goes back for it, in words. */
  readonly timestampFault: string | undefined;
  /** AAC frames, with their arrivals on the monotonic clock. */
  readonly frames: readonly { readonly aac: Buffer; readonly atMs: number }[];
  /** Resolves when so many frames have arrived since then. */
  hears(frames: number, sinceMs?: number, withinMs?: number): Promise<void>;
  /** The longest time without a frame, of those that ended after `sinceMs`. */
  longestStall(sinceMs: number): Stall;
  /** Both channels of all that was heard, decoded as one stream, as a player does that stays. */
  decoded(): Promise<readonly [Float32Array, Float32Array]>;
  /** Idempotent. */
  leave(): Promise<void>;
}

/** A listener of HTTP-FLV who stays: connects again whenever the stream ends, as players do, and keeps every frame. */
export class Ear implements Listening {
  readonly usualGapMs = 250;
  readonly #url: string;
  readonly #connections: FlvListener[] = [];
  #isLeaving = false;
  readonly #over: Promise<void>;

  /** @param first its first connection, which the media server knows of */
  constructor(url: string, first: FlvListener) {
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

  /** SRS takes in who comes for a vibe that nobody publishes, and says nothing. */
  get isConnected(): boolean {
    const last = this.#connections.at(-1);
    return last?.isConnected === true && last.headerFlags !== undefined;
  }

  get reconnects(): number {
    return this.#connections.filter(({ frames }) => frames.length > 0).length - 1;
  }

  get timestampFault(): string | undefined {
    return this.#connections.map(({ frames }) => timestampFault(frames)).find((fault) => fault !== undefined);
  }

  hears(frames: number, sinceMs = 0, withinMs = 60_000): Promise<void> {
    return hears(this, frames, { sinceMs, withinMs });
  }

  longestStall(sinceMs: number): Stall {
    return longestStall(this.frames, sinceMs);
  }

  decoded(): Promise<readonly [Float32Array, Float32Array]> {
    return decoded(this.frames);
  }

  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#connections.at(-1)?.leave();
    await this.#over;
  }

  async #stay(first: FlvListener): Promise<void> {
    for (let listener: FlvListener | undefined = first; !this.#isLeaving;) {
      await listener?.ended;
      if (this.#isLeaving) return;
      // At once where it was heard until now.
      if (!listener || listener.frames.length === 0) await delay(RETRY_MS);
      listener = await FlvListener.join(this.#url).catch(() => undefined);
      if (!listener) continue;
      this.#connections.push(listener);
      if (this.#isLeaving) listener.leave();
    }
  }
}

type Frames = Listening['frames'];

/** As `Listening.hears`. */
export async function hears(
  listening: Pick<Listening, 'frames'>,
  frames: number,
  { sinceMs, withinMs }: { sinceMs: number; withinMs: number },
): Promise<void> {
  const heard = (): number => listening.frames.filter(({ atMs }) => atMs > sinceMs).length;
  await eventually(`${frames} frames for a listener`, () => heard() >= frames, { withinMs });
}

/** As `Listening.longestStall`. */
export function longestStall(frames: Frames, sinceMs: number): Stall {
  let worst: Stall = { fromMs: sinceMs, untilMs: sinceMs };
  for (let at = 1; at < frames.length; at += 1) {
    const [fromMs, untilMs] = [frames[at - 1]?.atMs as number, frames[at]?.atMs as number];
    if (untilMs > sinceMs && untilMs - fromMs > worst.untilMs - worst.fromMs) worst = { fromMs, untilMs };
  }
  return worst;
}

/** As `Listening.decoded`. */
export async function decoded(frames: Frames): Promise<readonly [Float32Array, Float32Array]> {
  const samples = await decode(joinAdts(frames.map(({ aac }) => aac)), 'aac');
  return [channelOf(samples, 0), channelOf(samples, 1)];
}
