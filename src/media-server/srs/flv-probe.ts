import http from 'node:http';
import type { Clock, Timer } from '../../base/clock';
import { AUDIO_TAG, FlvParser } from '../flv';

export interface FlvProbeOptions {
  readonly url: string;
  readonly clock: Clock;
  /** The first audio tag came: what is published can be heard. Once; the probe is over then. */
  readonly onAudio: () => void;
}

/** Some releases answer 404 until the publish is complete, and SRS may be away. */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;

/**
 * Listens to a stream until its first audio: SRS has been seen to accept a publish and hand its audio to nobody. Comes
 * back as long as it is turned away, until it is closed.
 */
export class FlvProbe {
  readonly #options: FlvProbeOptions;
  #request: http.ClientRequest | undefined;
  #timer: Timer | undefined;
  #connected = false;
  #retries = 0;
  #closed = false;

  constructor(options: FlvProbeOptions) {
    this.#options = options;
    this.#listen();
  }

  /** Whether SRS took the connection. It answers with the first audio: not even a header comes before. */
  get connected(): boolean {
    return this.#connected;
  }

  /** What waits to come back comes back now, and soon again. */
  retryNow(): void {
    this.#retries = 0;
    if (!this.#timer) return;
    this.#timer.cancel();
    this.#listen();
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#request?.destroy();
  }

  #listen(): void {
    const { url, clock } = this.#options;
    this.#timer = undefined;
    const parser = new FlvParser({
      onTag: ({ type }) => {
        if (type !== AUDIO_TAG || this.#closed) return;
        this.close();
        this.#options.onAudio();
      },
    });
    const request = http.get(url, { agent: false }, (response) => {
      if (response.statusCode !== 200) {
        request.destroy();
        return;
      }
      response.on('data', (bytes: Buffer) => {
        if (this.#closed) return;
        try {
          parser.push(bytes);
        } catch {
          request.destroy();
        }
      });
      response.on('error', () => undefined);
    });
    this.#request = request;
    request.on('socket', (socket) => socket.once('connect', () => (this.#connected = true)));
    request.on('error', () => undefined);
    request.on('close', () => {
      this.#connected = false;
      if (this.#closed) return;
      const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries);
      this.#retries += 1;
      this.#timer = clock.after(delayMs, () => this.#listen(), { background: true });
    });
  }
}
