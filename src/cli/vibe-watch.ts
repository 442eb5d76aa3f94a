import WebSocket from 'ws';
import { backoffMs } from './pause';
import type { RelayApi } from './relay-api';

/** What the relay's events have told about a vibe so far. */
export interface VibeNow {
  state: string;
  listeners: number;
  participantCount: number;
  bufferedMs: number;
  /** dBFS of the last tenth of a second; `undefined` before the first. */
  peakDbfs?: number;
  rmsDbfs?: number;
  signal: string;
  /** Times that the vibe ran out of audio: from `live` to `holding` or back to `buffering`. */
  underruns: number;
}

/** Follows a vibe's events, over as many connections as it takes. */
export class VibeWatch {
  readonly now: VibeNow = {
    state: 'starting',
    listeners: 0,
    participantCount: 0,
    bufferedMs: 0,
    signal: 'filling',
    underruns: 0,
  };
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  #socket: WebSocket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #tries = 0;
  #onOver!: () => void;
  #closed = false;

  /** Resolves when the vibe has ended, or failed. */
  readonly over = new Promise<void>((resolve) => (this.#onOver = resolve));

  constructor({ url, credentials }: Pick<RelayApi, 'url' | 'credentials'>, vibeId: string) {
    this.#headers = credentials;
    this.#url = `${url.replace(/^http/, 'ws')}/stream/${vibeId}/events`;
    this.#connect();
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.terminate();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url, {
      perMessageDeflate: false,
      handshakeTimeout: 10_000,
      headers: this.#headers,
    });
    this.#socket = socket;
    socket.on('open', () => (this.#tries = 0));
    socket.on('message', (data: Buffer) => this.#take(data));
    // What went wrong shows where the audio goes; here it only means that the figures stand still.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#closed) return;
      this.#retry = setTimeout(() => this.#connect(), backoffMs(this.#tries++));
      this.#retry.unref();
    });
  }

  #take(data: Buffer): void {
    let event: Partial<VibeNow> & {
      type?: string;
      from?: string;
      level?: { peakDbfs?: number; rmsDbfs?: number } | null;
    };
    try {
      event = JSON.parse(data.toString()) as typeof event;
    } catch {
      return;
    }
    const { now } = this;
    if (event.from === 'live' && (event.state === 'holding' || event.state === 'buffering'))
      now.underruns += 1;
    // Encoders have states of their own, in events of type `encoder`.
    if (event.state !== undefined && event.type !== 'encoder') now.state = event.state;
    if (now.state === 'ended' || now.state === 'failed') this.#onOver();
    now.listeners = event.listeners ?? now.listeners;
    now.participantCount = event.participantCount ?? now.participantCount;
    now.bufferedMs = event.bufferedMs ?? now.bufferedMs;
    now.signal = event.signal ?? now.signal;
    // The status, which comes first, has the level as a member of its own.
    const { peakDbfs, rmsDbfs } = event.level ?? event;
    now.peakDbfs = peakDbfs ?? now.peakDbfs;
    now.rmsDbfs = rmsDbfs ?? now.rmsDbfs;
  }
}
