import { performance } from 'node:perf_hooks';
import { Pace } from './pace';
import { Refusal, type RelayApi, Unreachable } from './relay-api';
import { backoffMs, pause } from './pause';
import { AHEAD_MS, GIVE_UP_MS, blockMs, type SendReport, type Sender } from './sender';

/** Bytes of one POST: half a second. */
const CHUNK_BYTES = 96_000;

export interface PostSenderOptions {
  readonly api: RelayApi;
  readonly vibeId: string;
  readonly creator?: string;
  readonly onNote?: (line: string) => void;
  /** Done before a chunk is tried again because the relay could not be reached. Must not reject. */
  readonly beforeRetry?: () => Promise<void>;
  /** The number of the first chunk. Later runs must begin higher than earlier ones ended. */
  readonly firstSequence?: number;
}

/**
 * The POST door: half a second a chunk, each with a number, tried again under the same number until its receipt comes.
 * The relay knows a number that it has taken, so nothing is lost and nothing is heard twice.
 */
export class PostSender implements Sender {
  readonly report: SendReport = { acknowledgedMs: 0, reconnects: 0, longestAckMs: 0 };
  readonly #options: PostSenderOptions;
  readonly #pace = new Pace();
  readonly #closing = new AbortController();
  #sequence: number;
  #blocks: Buffer[] = [];
  #bytes = 0;

  constructor(options: PostSenderOptions) {
    this.#options = options;
    // Milliseconds since 1970: runs of the same vibe one after another never meet in their numbers.
    this.#sequence = options.firstSequence ?? Date.now();
  }

  get aheadMs(): number {
    return this.#pace.aheadMs;
  }

  async send(block: Buffer): Promise<void> {
    this.#blocks.push(block);
    this.#bytes += block.length;
    if (this.#bytes >= CHUNK_BYTES) await this.#post();
  }

  async finish(): Promise<void> {
    if (this.#bytes > 0) await this.#post();
  }

  close(): void {
    this.#closing.abort();
  }

  async #post(): Promise<void> {
    const body = Buffer.concat(this.#blocks);
    this.#blocks = [];
    this.#bytes = 0;
    const ms = blockMs(body.length);
    await pause(this.#pace.aheadMs + ms - AHEAD_MS, this.#closing.signal);
    const sinceMs = performance.now();
    this.#pace.sent(ms);
    const bufferedMs = await this.#untilTaken(body, sinceMs);
    this.#pace.acknowledged(ms, bufferedMs);
    this.report.acknowledgedMs += ms;
    this.report.longestAckMs = Math.max(this.report.longestAckMs, performance.now() - sinceMs);
    this.#sequence += 1;
  }

  async #untilTaken(body: Buffer, sinceMs: number): Promise<number> {
    const { api, vibeId, creator, onNote, beforeRetry } = this.#options;
    const query = {
      format: 's16le',
      sampleRate: '48000',
      channels: '2',
      creator,
      sequence: `${this.#sequence}`,
    };
    const path = api.audioUrl(vibeId, query, 'http').slice(api.url.length);
    const headers = { 'content-type': 'application/octet-stream' };
    for (let tries = 0; ; tries += 1) {
      try {
        const init = { method: 'POST', headers, body: new Uint8Array(body) };
        return (await api.call<{ bufferedMs?: number }>(path, init)).bufferedMs ?? 0;
      } catch (error) {
        const late = performance.now() - sinceMs > GIVE_UP_MS;
        if (late || this.#closing.signal.aborted || !mayPass(error)) throw error;
        const askedMs = error instanceof Refusal ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
        if (error instanceof Unreachable) this.report.reconnects += 1;
        if (tries === 0) onNote?.(`${(error as Error).message} Trying again …`);
        await pause(Math.max(askedMs, backoffMs(tries)), this.#closing.signal);
        if (error instanceof Unreachable && !this.#closing.signal.aborted) await beforeRetry?.();
      }
    }
  }
}

/** Whether the same chunk may be taken later: the buffer is full, the relay restarts, the network is away. */
function mayPass(error: unknown): boolean {
  if (error instanceof Refusal) return error.status === 429 || error.status === 408 || error.status >= 500;
  return error instanceof Unreachable;
}
