import { performance } from 'node:perf_hooks';
import WebSocket from 'ws';
import { EXIT_UNAVAILABLE, OperatorError } from '../base/errors';
import { Pace } from './pace';
import { Unreachable, reason } from './relay-api';
import { backoffMs, pause } from './pause';
import { AHEAD_MS, GIVE_UP_MS, blockMs, type SendReport, type Sender } from './sender';
import { Unplayed } from './unplayed';

/** Sent and not acknowledged at most: receipts come once a second, so more says that the relay does not read. */
const MAX_UNDERWAY_MS = 4_000;
/** A relay that says nothing for so long is taken to be gone: a dead network closes no connection. */
const SILENT_MS = 10_000;
/** How often the sender looks whether there is room again. */
const LOOK_MS = 100;
/** A relay that stops in order says this, and plays what it holds. */
const RESTARTING = 1012;
/** Close codes after which another try can succeed. All others are refusals. */
const RETRYABLE = new Set([1001, 1005, 1006, 1011, RESTARTING, 1013, 1014, 4408, 4429]);

interface Piece {
  readonly bytes: Buffer;
  readonly handedOverMs: number;
}

interface Receipt {
  readonly type?: string;
  /** Bytes taken on this connection. */
  readonly accepted?: number;
  readonly bufferedMs?: number;
  /** How many chunks the vibe has taken in its life. */
  readonly sequence?: number;
  readonly problem?: { readonly detail?: string; readonly title?: string };
}

export interface WebSocketSenderOptions {
  /** The audio door of a vibe. */
  readonly url: string;
  readonly creator?: string;
  /** Of the request that opens the connection. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Told what happens, in a line each. */
  readonly onNote?: (line: string) => void;
  /** Done before each new connection but the first. Must not reject. */
  readonly beforeRetry?: () => Promise<void>;
  readonly aheadMs?: number;
  readonly giveUpMs?: number;
}

/**
 * The WebSocket door, kept open: what was not acknowledged when a connection is lost is sent again on the next. The
 * relay says there how many chunks it has taken, so that nothing is lost and nothing is heard twice; after its own death
 * how many it had played, and what it took along is sent again, too.
 */
export class WebSocketSender implements Sender {
  readonly report: SendReport = { acknowledgedMs: 0, reconnects: 0, longestAckMs: 0 };
  readonly #options: WebSocketSenderOptions;
  readonly #pace = new Pace();
  readonly #closing = new AbortController();
  /** Handed over and not acknowledged, oldest first. */
  #pieces: Piece[] = [];
  /** How many of them are under way on the connection that is open now. */
  #underway = 0;
  /** Bytes of the oldest piece that are acknowledged already. */
  #acknowledgedOfFirst = 0;
  #unplayed = new Unplayed<Piece>();
  #acceptedBytes = 0;
  #sequence: number | undefined;
  #socket: WebSocket | undefined;
  #failure: Error | undefined;
  #refusal: string | undefined;
  #heardMs = performance.now();
  #wake: () => void = () => undefined;

  constructor(options: WebSocketSenderOptions) {
    this.#options = options;
    void this.#keepConnected();
  }

  get aheadMs(): number {
    return this.#pace.aheadMs;
  }

  async send(block: Buffer): Promise<void> {
    await this.#until(() => this.#hasRoom());
    const piece = { bytes: block, handedOverMs: performance.now() };
    this.#pieces.push(piece);
    this.#transmit(piece.bytes);
  }

  async finish(): Promise<void> {
    await this.#until(() => this.#pieces.length === 0);
    this.#socket?.close(1000);
    this.close();
  }

  close(): void {
    this.#closing.abort();
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.close(1000);
    else this.#socket?.terminate();
    this.#wake();
  }

  #hasRoom(): boolean {
    if (!this.#socket || this.#underway < this.#pieces.length) return false;
    return (
      this.#pace.aheadMs < (this.#options.aheadMs ?? AHEAD_MS) && this.#pace.underwayMs < MAX_UNDERWAY_MS
    );
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!this.#failure && !condition()) {
      if (this.#closing.signal.aborted)
        throw new OperatorError('The connection was closed', EXIT_UNAVAILABLE);
      const look = new AbortController();
      this.#wake = () => look.abort();
      await pause(LOOK_MS, look.signal);
    }
    if (this.#failure) throw this.#failure;
  }

  #transmit(bytes: Buffer): void {
    this.#socket?.send(bytes);
    this.#underway += 1;
    this.#pace.sent(blockMs(bytes.length));
  }

  /** One connection after another, until closed, refused, or without success for too long. */
  async #keepConnected(): Promise<void> {
    const { signal } = this.#closing;
    const giveUpMs = this.#options.giveUpMs ?? GIVE_UP_MS;
    let tries = 0;
    let lostMs = performance.now();
    while (!signal.aborted) {
      const { wasReady, code, why } = await this.#connection();
      if (signal.aborted) return;
      if (code === RESTARTING) this.#unplayed = new Unplayed();
      if (wasReady) {
        tries = 0;
        lostMs = performance.now();
      }
      if (!RETRYABLE.has(code))
        return this.#fail(new OperatorError(`The relay refused: ${why}`, EXIT_UNAVAILABLE));
      if (performance.now() - lostMs > giveUpMs)
        return this.#fail(new Unreachable(this.#options.url, new Error(why)));
      if (tries === 0) this.#options.onNote?.(`Connection lost (${why}); trying again …`);
      await pause(backoffMs(tries), signal);
      if (!signal.aborted) await this.#options.beforeRetry?.();
      tries += 1;
      this.report.reconnects += 1;
    }
  }

  /** One connection's whole life. */
  async #connection(): Promise<{ wasReady: boolean; code: number; why: string }> {
    const socket = new WebSocket(this.#options.url, {
      perMessageDeflate: false,
      handshakeTimeout: SILENT_MS,
      headers: this.#options.headers ?? {},
    });
    let wasReady = false;
    let why = '';
    let refused: number | undefined;
    this.#refusal = undefined;
    socket.on('open', () => socket.send(JSON.stringify(this.#hello())));
    socket.on('message', (data: Buffer, isBinary) => {
      this.#heardMs = performance.now();
      if (isBinary) return;
      const message = parse(data);
      if (message.type === 'ready' && !wasReady) {
        wasReady = true;
        this.#begin(socket, message.sequence);
      }
      if (message.type === 'ack') this.#take(message);
      if (message.type === 'error') this.#refusal = message.problem?.detail ?? message.problem?.title;
    });
    socket.on('error', (error) => (why ||= reason(error)));
    socket.on('unexpected-response', (_request, response) => {
      refused = response.statusCode;
      why = `the door answered ${response.statusCode} ${response.statusMessage ?? ''}`.trim();
      response.resume();
      socket.terminate();
    });
    socket.on('pong', () => (this.#heardMs = performance.now()));
    const watch = setInterval(() => {
      if (performance.now() - this.#heardMs > SILENT_MS) socket.terminate();
      else if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, 2_000);
    this.#heardMs = performance.now();
    const onClosing = (): void => socket.close(1000);
    this.#closing.signal.addEventListener('abort', onClosing);
    const code = await new Promise<number>((resolve) => {
      socket.once('close', (closeCode, said) => {
        why = this.#refusal ?? (said.toString() || why || `closed with ${closeCode}`);
        resolve(closeCode);
      });
    });
    clearInterval(watch);
    this.#closing.signal.removeEventListener('abort', onClosing);
    this.#socket = undefined;
    this.#pace.lost();
    // A door that answers 4xx will do so again; a 5xx may pass.
    return { wasReady, code: refused !== undefined && refused < 500 ? 4400 : code, why };
  }

  #hello(): object {
    return {
      type: 'hello',
      format: 's16le',
      sampleRate: 48_000,
      channels: 2,
      creator: this.#options.creator,
    };
  }

  /** The door is open: everything not acknowledged goes out, again or for the first time. */
  #begin(socket: WebSocket, sequence: number | undefined): void {
    this.#socket = socket;
    const lost = this.#unplayed.takeLast((this.#sequence ?? 0) - (sequence ?? 0));
    this.#takeUnheard(sequence);
    this.#underway = 0;
    this.#acceptedBytes = 0;
    const [first] = this.#pieces;
    if (first && this.#acknowledgedOfFirst > 0)
      this.#pieces[0] = { ...first, bytes: first.bytes.subarray(this.#acknowledgedOfFirst) };
    this.#acknowledgedOfFirst = 0;
    this.#pieces.unshift(...lost);
    for (const { bytes } of lost) this.report.acknowledgedMs -= blockMs(bytes.length);
    for (const piece of this.#pieces) this.#transmit(piece.bytes);
    this.#wake();
  }

  /** Pieces that arrived on the connection before, and whose receipts were lost with it. */
  #takeUnheard(sequence: number | undefined): void {
    const taken = (sequence ?? 0) - (this.#sequence ?? sequence ?? 0);
    this.#sequence = sequence;
    // Another count than ours can explain is that of another vibe, begun since.
    if (taken <= 0 || taken > this.#underway) return;
    for (const piece of this.#pieces.splice(0, taken)) {
      this.report.acknowledgedMs += blockMs(piece.bytes.length - this.#acknowledgedOfFirst);
      this.#acknowledgedOfFirst = 0;
    }
  }

  #take(receipt: Receipt): void {
    const accepted = receipt.accepted ?? 0;
    this.#sequence = receipt.sequence ?? this.#sequence;
    let bytes = Math.max(0, accepted - this.#acceptedBytes);
    this.#acceptedBytes = Math.max(accepted, this.#acceptedBytes);
    this.report.acknowledgedMs += blockMs(bytes);
    this.#pace.acknowledged(blockMs(bytes), receipt.bufferedMs ?? 0);
    for (let first = this.#pieces[0]; first && bytes > 0; first = this.#pieces[0]) {
      const left = first.bytes.length - this.#acknowledgedOfFirst;
      if (bytes < left) {
        this.#acknowledgedOfFirst += bytes;
        break;
      }
      bytes -= left;
      this.#acknowledgedOfFirst = 0;
      this.#pieces.shift();
      this.#unplayed.add(first);
      this.#underway -= 1;
      const ackMs = performance.now() - first.handedOverMs;
      this.report.longestAckMs = Math.max(this.report.longestAckMs, ackMs);
    }
    this.#unplayed.holds(receipt.bufferedMs ?? 0);
    this.#wake();
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }
}

function parse(data: Buffer): Receipt {
  try {
    return JSON.parse(data.toString()) as Receipt;
  } catch {
    return {};
  }
}
