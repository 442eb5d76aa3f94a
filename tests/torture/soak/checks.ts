import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ContinuityEvent } from '../continuity/continuity';
import type { HeardInAll } from './stream-checker';

export type ToChecks =
  | { type: 'heard'; vibeId: string; seed: number; samples: Float32Array<ArrayBuffer> }
  | { type: 'over'; vibeId: string; seed: number };

export type FromChecks =
  | { type: 'ready' }
  | { type: 'event'; vibeId: string; event: ContinuityEvent }
  | { type: 'over'; vibeId: string; inAll: HeardInAll };

/** The checks of all listeners, in a thread of their own: one that has much to look at delays nobody. */
export class Checks {
  readonly #worker = new Worker(path.join(__dirname, 'check-worker.ts'));
  readonly #events = new Map<string, (event: ContinuityEvent) => void>();
  readonly #over = new Map<
    string,
    { resolve: (inAll: HeardInAll) => void; reject: (error: Error) => void }
  >();
  #failure: Error | undefined;

  private constructor() {
    this.#worker.on('message', (message: FromChecks) => {
      if (message.type === 'ready') return;
      if (message.type === 'event') return this.#events.get(message.vibeId)?.(message.event);
      this.#events.delete(message.vibeId);
      this.#over.get(message.vibeId)?.resolve(message.inAll);
      this.#over.delete(message.vibeId);
    });
    this.#worker.on('error', (error) => {
      this.#failure = error;
      for (const { reject } of this.#over.values()) reject(error);
    });
  }

  /** Resolves when the thread is ready to look. */
  static async start(): Promise<Checks> {
    const checks = new Checks();
    await once(checks.#worker, 'message');
    return checks;
  }

  /** Who is told of events in what is heard of a vibe. */
  follow(vibeId: string, onEvent: (event: ContinuityEvent) => void): void {
    this.#events.set(vibeId, onEvent);
  }

  /** What was heard next; the samples are given away. */
  heard(vibeId: string, seed: number, samples: Float32Array<ArrayBuffer>): void {
    if (this.#failure) throw this.#failure;
    this.#worker.postMessage({ type: 'heard', vibeId, seed, samples } satisfies ToChecks, [samples.buffer]);
  }

  /** Nothing more is heard: what it came to, when all of it has been looked at. */
  async over(vibeId: string, seed: number): Promise<HeardInAll> {
    if (this.#failure) throw this.#failure;
    const told = new Promise<HeardInAll>((resolve, reject) => this.#over.set(vibeId, { resolve, reject }));
    this.#worker.postMessage({ type: 'over', vibeId, seed } satisfies ToChecks);
    return told;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
