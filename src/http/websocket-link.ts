import type { RawData, WebSocket } from 'ws';
import type { Clock, Timer } from '../base/clock';
import { Problem } from '../base/errors';
import type { Metrics } from '../base/metrics';
import type { HttpContext, OpenDoor } from './context';
import { problemDocument } from './problem';

/** A peer that has not read this much is cut off. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** With this much unread, what may be left out is left out. */
const SLOW_BYTES = 64 * 1024;
const PING_MS = 10_000;
/** How long the peer may take to answer a close. */
const CLOSE_MS = 2_000;
/** More pings than this between two of ours are a flood. */
const MAX_PINGS = 1_000;

/** What a connection is known by. */
export interface LinkAbout {
  readonly instance: string;
  readonly requestId: string;
  /** Told why the peer is refused. @returns what it is to be told */
  readonly refused?: (problem: Problem) => Problem;
}

/**
 * A WebSocket of ours: JSON text messages out, bounded; a ping every ten seconds, and whoever misses one and says
 * nothing else is gone; refusals as `{type:"error", problem}` before the close.
 */
export class WebSocketLink implements OpenDoor {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #about: LinkAbout;
  readonly #openDoors: Set<OpenDoor>;
  readonly #pinging: Timer;
  readonly #onClosed: (() => void)[] = [];
  #closing: Timer | undefined;
  #isOver = false;
  #isAlive = true;
  #pings = 0;

  constructor(
    socket: WebSocket,
    context: Pick<HttpContext, 'clock' | 'openDoors' | 'metrics'>,
    about: LinkAbout,
  ) {
    this.#socket = socket;
    this.#clock = context.clock;
    this.#metrics = context.metrics;
    this.#about = about;
    this.#openDoors = context.openDoors;
    this.#openDoors.add(this);
    this.#pinging = this.#clock.every(PING_MS, () => this.#ping(), { background: true });
    socket.on('pong', () => (this.#isAlive = true));
    socket.on('ping', (data: Buffer) => this.#pong(data));
    // Broken frames: ws has sent the close code that fits, and closes.
    socket.on('error', () => this.#end());
    socket.once('close', () => this.#onClose());
  }

  /** Whether nothing is to be said or heard any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Calls `fn` once the connection is gone. */
  onClosed(fn: () => void): void {
    this.#onClosed.push(fn);
  }

  /** Hands over each message until the connection is over. Binary messages may be views of the network's buffers. */
  onMessage(fn: (data: Buffer, isBinary: boolean) => void): void {
    this.#socket.on('message', (data: RawData, isBinary) => {
      // On a slow line the pong waits behind seconds of audio.
      this.#isAlive = true;
      if (!this.#isOver) fn(data as Buffer, isBinary);
    });
  }

  /** @param options.optional left out where the peer reads slowly */
  send(message: Record<string, unknown>, options: { optional?: boolean } = {}): void {
    if (this.#isOver) return;
    if (options.optional && this.#socket.bufferedAmount > SLOW_BYTES) return;
    if (this.#socket.bufferedAmount > MAX_UNREAD_BYTES) {
      this.#socket.terminate();
      return;
    }
    this.#socket.send(JSON.stringify(message));
  }

  /** Says why, and closes with the problem's code. */
  refuse(why: Problem): void {
    if (this.#isOver) return;
    const problem = this.#about.refused?.(why) ?? why;
    this.#metrics.problems.inc({ code: problem.code });
    this.send({ type: 'error', problem: problemDocument(problem, this.#about) });
    this.close(problem.closeCode, problem.code);
  }

  close(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#end();
    this.#socket.close(code, reason);
  }

  #end(): void {
    this.#isOver = true;
    this.#closing ??= this.#clock.after(CLOSE_MS, () => this.#socket.terminate(), { background: true });
  }

  #ping(): void {
    if (!this.#isAlive) {
      this.#socket.terminate();
      return;
    }
    this.#isAlive = false;
    this.#pings = 0;
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  /** Answers a ping, unless the peer pings without end or reads nothing. */
  #pong(data: Buffer): void {
    if (this.#isOver) return;
    this.#pings += 1;
    if (this.#pings > MAX_PINGS)
      this.refuse(new Problem('buffer-full', 'There were too many pings.', { retryAfterSeconds: 10 }));
    else if (this.#socket.bufferedAmount <= SLOW_BYTES) this.#socket.pong(data);
  }

  #onClose(): void {
    this.#isOver = true;
    this.#pinging.cancel();
    this.#closing?.cancel();
    this.#openDoors.delete(this);
    for (const fn of this.#onClosed) fn();
  }
}
