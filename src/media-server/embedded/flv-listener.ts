import type { ServerResponse } from 'node:http';

/**
 * What may wait for one listener inside this process: 16 s of 128 kbit/s audio. The kernel holds some more. Beyond
 * it the listener is so far behind that starting anew serves it better.
 */
export const MAX_WAITING_BYTES = 256 * 1024;

/** One player on HTTP-FLV. */
export class FlvListener {
  /** What is 0 to this listener: the stream's time when it came, in milliseconds. */
  readonly originMs: number;
  readonly #response: ServerResponse;
  readonly #onCut: (reason: string) => void;

  /**
   * @param response with its head sent
   * @param onCut told why, when the listener is cut off
   */
  constructor(response: ServerResponse, originMs: number, onCut: (reason: string) => void) {
    this.#response = response;
    this.originMs = originMs;
    this.#onCut = onCut;
  }

  /** Whether something sent earlier still waits for the listener to read. */
  get isBehind(): boolean {
    return this.#response.writableLength > 0;
  }

  /** Sends without waiting; cuts a listener for whom too much waits already. */
  send(bytes: Buffer): void {
    if (this.#response.destroyed) return;
    this.#response.write(bytes);
    if (this.#response.writableLength <= MAX_WAITING_BYTES) return;
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
