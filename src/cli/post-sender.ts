import { performance } from 'node:perf_hooks';
import { Pace } from './pace';
import { Refusal, type RelayApi, Unreachable } from './relay-api';
import { backoffMs, pause } from './pause';
import { AHEAD_MS, GIVE_UP_MS, blockMs, type SendReport, type Sender } from './sender';
import { Unplayed } from './unplayed';

/** Bytes of one POST: half a second. */
const CHUNK_BYTES = 96_000;

interface Chunk {
  readonly bytes: Buffer;
  readonly sequence: number;
}

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
 * The relay knows a number that it has taken, so nothing is lost and nothing is heard twice. One that could not be reached
 * may have died: the vibe's status then says how far it was played, and what follows is sent again, too.
 */
export class PostSender implements Sender {
  readonly report: SendReport = { acknowledgedMs: 0, reconnects: 0, longestAckMs: 0 };
  readonly #options: PostSenderOptions;
  readonly #pace = new Pace();
  readonly #closing = new AbortController();
  readonly #unplayed = new Unplayed<Chunk>();
  #mayHaveDied = false;
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
    const chunk = { bytes: body, sequence: this.#sequence };
    const bufferedMs = await this.#untilTaken(chunk, sinceMs);
    this.#unplayed.add(chunk);
    this.#unplayed.holds(bufferedMs);
    this.#pace.acknowledged(ms, bufferedMs);
    this.report.acknowledgedMs += ms;
    this.report.longestAckMs = Math.max(this.report.longestAckMs, performance.now() - sinceMs);
    this.#sequence += 1;
  }

  async #untilTaken(chunk: Chunk, sinceMs: number): Promise<number> {
    const { onNote, beforeRetry } = this.#options;
    for (let tries = 0; ; tries += 1) {
      try {
        if (this.#mayHaveDied) await this.#sendLost();
        this.#mayHaveDied = false;
        return await this.#send(chunk);
      } catch (error) {
        this.#mayHaveDied ||= error instanceof Unreachable;
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

  /** @returns milliseconds of audio that the relay holds now */
  async #send({ bytes, sequence }: Chunk): Promise<number> {
    const { api, vibeId, creator } = this.#options;
    const format = { format: 's16le', sampleRate: '48000', channels: '2' };
    const url = api.audioUrl(vibeId, { ...format, creator, sequence: `${sequence}` }, 'http');
    const headers = { 'content-type': 'application/octet-stream' };
    const init = { method: 'POST', headers, body: new Uint8Array(bytes) };
    return (await api.call<{ bufferedMs?: number }>(url.slice(api.url.length), init)).bufferedMs ?? 0;
  }

  /** What the relay took along into its death. A vibe that was begun since has other numbers, and had all of it played. */
  async #sendLost(): Promise<void> {
    const { api, vibeId } = this.#options;
    const kept = this.#unplayed.all();
    const { sequence: played = -1 } = (await api.status(vibeId)) ?? {};
    if (kept[0] === undefined || played < kept[0].sequence - 1) return;
    for (const chunk of kept) if (chunk.sequence > played) await this.#send(chunk);
  }
}

/** Whether the same chunk may be taken later: the buffer is full, the relay restarts, the network is away. */
function mayPass(error: unknown): boolean {
  if (error instanceof Refusal) return error.status === 429 || error.status === 408 || error.status >= 500;
  return error instanceof Unreachable;
}
