import { AskedProcess } from '../lib/asked-process';
import type { LoadAnswer, LoadOrder } from './messages';

/** A load in a process of its own: neither the relay's event loop nor the bench's has any part in it. */
export class Load {
  readonly #process: AskedProcess<LoadOrder, LoadAnswer>;

  private constructor(process: AskedProcess<LoadOrder, LoadAnswer>) {
    this.#process = process;
  }

  /** @param program of this directory */
  static start(program: 'creators' | 'hand-fed'): Load {
    return new Load(AskedProcess.start(`on-air/${program}`));
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Begins more streams. Resolves when they have begun. */
  async grow(order: Omit<Extract<LoadOrder, { type: 'grow' }>, 'type'>): Promise<LoadAnswer> {
    return this.#process.ask({ type: 'grow', ...order });
  }

  /** What happened since this was asked last. */
  async report(): Promise<LoadAnswer> {
    return this.#process.ask({ type: 'report' });
  }

  /** Ends all streams, and the process. */
  async stop(): Promise<void> {
    if (this.#process.isRunning) await this.#process.ask({ type: 'stop' });
    await this.#process.stop();
  }
}
