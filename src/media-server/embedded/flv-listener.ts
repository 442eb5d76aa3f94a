import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { type Framing, httpChunk } from './tag-batch';

/**
 * What may wait for one listener inside this process: 16 s of 128 kbit/s audio. The kernel holds some more. Beyond
 * it the listener is so far behind that starting anew serves it better.
 */
export const MAX_WAITING_BYTES = 256 * 1024;

export interface FlvListenerOptions {
  /** With its head sent, and nothing else. */
  readonly response: ServerResponse;
  readonly framing: Framing;
  /** What is 0 to this listener: the stream's time when it came, in milliseconds. */
  readonly originMs: number;
  /** Told why, when the listener is cut off. */
  readonly onCut: (reason: string) => void;
}

/**
 * One player on HTTP-FLV. Its body goes straight to the socket, framed beforehand for all: through `response.write` each
 * tag would be four writes in a cork, half as much again of what the write costs.
 */
export class FlvListener {
  readonly framing: Framing;
  readonly originMs: number;
  readonly #response: ServerResponse;
  readonly #socket: Writable;
  readonly #onCut: (reason: string) => void;

  constructor({ response, framing, originMs, onCut }: FlvListenerOptions) {
    this.framing = framing;
    this.originMs = originMs;
    this.#response = response;
    this.#socket = response.socket as Writable;
    this.#onCut = onCut;
  }

  /** Whether something sent earlier still waits for the listener to read. */
  get isBehind(): boolean {
    return this.#socket.writableLength > 0;
  }

  /** Sends what is not framed yet. */
  open(bytes: Buffer): void {
    this.send(this.framing === 'chunked' ? httpChunk(bytes) : bytes);
  }

  /** Sends without waiting; cuts a listener for whom too much waits already. */
  send(framed: Buffer): void {
    if (!this.#socket.writable) return;
    this.#socket.write(framed);
    if (this.#socket.writableLength <= MAX_WAITING_BYTES) return;
    this.#onCut('slow');
    this.#response.destroy();
  }

  /** The stream is over: everything sent arrives, then the proper end of the answer. */
  end(): void {
    this.#response.end();
  }

  /** Hangs up. */
  destroy(): void {
    this.#response.destroy();
  }
}
