import { performance } from 'node:perf_hooks';
import { delay } from '../../helpers/eventually';
import { WebSocketCreator } from '../../helpers/websocket-creator';
import { CHUNK_MS, CHUNK_SAMPLES, chunkOf, type Creator, type CreatorOptions } from './creator';
import { Sending } from './sending';

const LEAD_MS = 300;
const RETRY_MS = 100;
/** The relay acknowledges at least once a second: one that says nothing for longer is not there. */
const SILENT_MS = 2_500;
/** So closes a relay that ends in order: what it acknowledged is played out, and who comes after it counts anew. */
const RESTARTING = 1012;

/**
 * A creator on the WebSocket door who comes back: the relay's `ready` says how many chunks it has taken, and the new
 * connection goes on from there. A connection that acknowledges nothing any more is left alone, and a newer one takes
 * over from it.
 */
export class ReturningCreator implements Creator {
  /** Connections made so far. */
  connections = 0;
  readonly #options: CreatorOptions;
  #next = 0;
  /** Chunks that relays before this one have played out. */
  #before = 0;
  readonly #sending = new Sending();
  #current: WebSocketCreator | undefined;
  readonly #left: WebSocketCreator[] = [];

  constructor(options: CreatorOptions) {
    this.#options = options;
  }

  get sentSamples(): number {
    return this.#next * CHUNK_SAMPLES;
  }

  start(): void {
    this.#sending.begin(() => this.#send());
  }

  async stop(): Promise<void> {
    await this.#sending.stop();
    for (const socket of this.#left) socket.terminate();
  }

  /** Drops the connection without a word: half of what is under way may have arrived. */
  drop(): void {
    this.#current?.terminate();
  }

  async #send(): Promise<void> {
    const startMs = performance.now() - LEAD_MS;
    for (let isDone = false; !isDone;) {
      const socket = await this.#connect().catch(() => undefined);
      if (socket) isDone = await this.#feed(socket, startMs);
      else await delay(RETRY_MS);
    }
  }

  /** @returns whether everything is sent and acknowledged; otherwise the connection is no good any more */
  async #feed(socket: WebSocketCreator, startMs: number): Promise<boolean> {
    let ackedMs = performance.now();
    let acks = 0;
    let isOpen = true;
    const { seed, chunk = (index: number) => chunkOf(seed, index) } = this.#options;
    void socket.closed.then(({ code }) => {
      isOpen = false;
      if (code === RESTARTING) this.#before += (socket.lastAck?.['sequence'] as number | undefined) ?? 0;
    });
    const isThere = (): boolean => {
      const count = socket.messages.length;
      if (count > acks) [acks, ackedMs] = [count, performance.now()];
      return isOpen && performance.now() - ackedMs < SILENT_MS;
    };
    while (!this.#sending.isStopping && isThere()) {
      const waitMs = startMs + this.#next * CHUNK_MS - performance.now();
      if (waitMs > 0) await delay(Math.min(waitMs, RETRY_MS));
      if (startMs + this.#next * CHUNK_MS > performance.now() || !isOpen) continue;
      socket.send(chunk(this.#next));
      this.#next += 1;
    }
    // A close in order: what was sent before arrives before, and the relay's count of samples is held against ours.
    if (isThere()) {
      await socket.close();
      return true;
    }
    this.#left.push(socket);
    return false;
  }

  async #connect(): Promise<WebSocketCreator> {
    const { apiUrl, vibeId, ownerKey } = this.#options;
    const hello = { creator: 'noise', ownerKey, format: 's16le', sampleRate: 48_000, channels: 2 };
    const socket = await WebSocketCreator.connect({ apiUrl, vibeId }, { hello });
    this.#current = socket;
    this.connections += 1;
    // The first `ready` comes with the connection, the second answers the hello: from then on the seat is ours.
    const readies = (): readonly { readonly [member: string]: unknown }[] =>
      socket.messages.filter(({ type }) => type === 'ready');
    for (const sinceMs = performance.now(); readies().length < 2;) {
      if (performance.now() - sinceMs > SILENT_MS) throw new Error('no answer to the hello');
      await delay(5);
    }
    this.#next = this.#before + (readies()[1]?.['sequence'] as number);
    return socket;
  }
}
