import type http from 'node:http';
import { performance } from 'node:perf_hooks';
import { aacFrame, FlvParser, isAacConfig, type FlvTag } from '../../src/media-server/flv';
import { HANGS_AFTER_MS } from './patience';
import { webRequest } from './web';

/** One AAC frame as it reached the listener. */
export interface HeardFrame {
  readonly aac: Buffer;
  readonly timestampMs: number;
  /** Arrival, on the monotonic clock. */
  readonly atMs: number;
}

/** Why the stream stopped: `end` is a complete answer, `cut` a connection that broke, `left` our own doing. */
export type ListenerEnd = 'end' | 'cut' | 'left';

/** A player on `GET /live/:id.flv` that keeps everything it hears, with the time of its arrival. */
export class FlvListener {
  readonly frames: HeardFrame[] = [];
  /** AAC configurations received; more than one after an encoder's restart. */
  readonly configs: Buffer[] = [];
  /** The header's flags byte; 4 says audio only. `undefined` until it came. */
  headerFlags: number | undefined;
  /** Tags that are not audio, by type: 18 is script data, 9 would be video. */
  readonly otherTags: number[] = [];
  /** Of the answer; empty until there is one. */
  headers: http.IncomingHttpHeaders = {};
  readonly ended: Promise<ListenerEnd>;
  #isOver = false;
  #left = false;
  #end!: (cause: ListenerEnd) => void;
  readonly #request: http.ClientRequest;
  readonly #waiting = new Set<() => void>();

  private constructor(request: http.ClientRequest) {
    this.#request = request;
    this.ended = new Promise((resolve) => {
      this.#end = (cause) => {
        this.#isOver = true;
        resolve(cause);
        this.#wake();
      };
    });
    request.once('error', () => this.#end(this.#left ? 'left' : 'cut'));
  }

  /**
   * A listener who has been answered.
   * @throws {Error} where the answer is not 200
   */
  static async connect(url: string): Promise<FlvListener> {
    return new Promise((resolve, reject) => {
      const request = webRequest(url, { agent: false }, (answer) => {
        if (listener.#take(answer)) resolve(listener);
        else reject(new Error(`${url}: ${answer.statusCode}`));
      });
      const listener = new FlvListener(request);
      request.once('error', reject);
      request.end();
    });
  }

  /** A listener who has asked. SRS answers nothing, not even a status, until somebody publishes. */
  static async join(url: string): Promise<FlvListener> {
    const request = webRequest(url, { agent: false }, (answer) => {
      if (!listener.#take(answer)) listener.#end('cut');
    });
    const listener = new FlvListener(request);
    await new Promise<void>((resolve, reject) => {
      request.once('error', reject);
      request.once('socket', (socket) => socket.once('connect', resolve));
      request.end();
    });
    return listener;
  }

  get isConnected(): boolean {
    return !this.#isOver;
  }

  get aacFrames(): Buffer[] {
    return this.frames.map((frame) => frame.aac);
  }

  /** Resolves as soon as `condition` holds; asked anew after each arrival. */
  async until(what: string, condition: () => boolean, withinMs = HANGS_AFTER_MS): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () =>
          reject(new Error(`listener: not within ${withinMs} ms: ${what} (${this.frames.length} frames)`)),
        withinMs,
      );
    });
    try {
      while (!condition()) {
        if (this.#isOver) throw new Error(`listener: the stream ended before: ${what}`);
        await Promise.race([late, new Promise<void>((resolve) => this.#waiting.add(resolve))]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** The stream's own end, as a bounded wait. */
  async end(withinMs = 60_000): Promise<ListenerEnd> {
    if (!this.#isOver) {
      await this.until('the end of the stream', () => this.#isOver, withinMs).catch((error: unknown) => {
        if (!this.#isOver) throw error;
      });
    }
    return this.ended;
  }

  /** Hangs up. */
  leave(): void {
    this.#left = true;
    this.#request.destroy();
  }

  /** @returns whether it is an answer that can be listened to */
  #take(answer: http.IncomingMessage): boolean {
    if (answer.statusCode !== 200) {
      answer.resume();
      return false;
    }
    this.headers = answer.headers;
    const parser = new FlvParser({
      onHeader: (flags) => (this.headerFlags = flags),
      onTag: (tag) => this.#hear(tag),
    });
    answer.on('data', (bytes: Buffer) => {
      parser.push(bytes);
      this.#wake();
    });
    answer.once('end', () => this.#end('end'));
    answer.once('error', () => this.#end(this.#left ? 'left' : 'cut'));
    answer.once('close', () => this.#end(this.#left ? 'left' : 'cut'));
    return true;
  }

  #hear(tag: FlvTag): void {
    if (tag.type !== 8) this.otherTags.push(tag.type);
    else if (isAacConfig(tag.body)) this.configs.push(Buffer.from(tag.body));
    else {
      const atMs = performance.now();
      this.frames.push({ aac: Buffer.from(aacFrame(tag.body)), timestampMs: tag.timestampMs, atMs });
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** The first place where timestamps go back, in words; `undefined` where they never do. */
export function timestampFault(frames: readonly HeardFrame[]): string | undefined {
  for (let at = 1; at < frames.length; at += 1) {
    const before = (frames[at - 1] as HeardFrame).timestampMs;
    const now = (frames[at] as HeardFrame).timestampMs;
    if (now < before) return `frame ${at} has ${now} ms after ${before} ms`;
  }
  return undefined;
}

/** The time between each two arrivals, with the arrival of the later one. */
export function arrivalGaps(frames: readonly HeardFrame[]): { atMs: number; gapMs: number }[] {
  return frames.slice(1).map((frame, index) => ({
    atMs: frame.atMs,
    gapMs: frame.atMs - (frames[index] as HeardFrame).atMs,
  }));
}
