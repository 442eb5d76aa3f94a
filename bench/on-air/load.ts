import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { LoadAnswer, LoadOrder } from './messages';

/** A load in a process of its own: neither the relay's event loop nor the bench's has any part in it. */
export class Load {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param program of this directory */
  static start(program: 'creators' | 'hand-fed'): Load {
    const register = path.resolve(__dirname, '../register.cjs');
    const child = fork(path.join(__dirname, `${program}.ts`), [], { execArgv: ['-r', register] });
    return new Load(child);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Begins more streams. Resolves when they have begun. */
  async grow(order: Omit<Extract<LoadOrder, { type: 'grow' }>, 'type'>): Promise<LoadAnswer> {
    return this.#ask({ type: 'grow', ...order });
  }

  /** What happened since this was asked last. */
  async report(): Promise<LoadAnswer> {
    return this.#ask({ type: 'report' });
  }

  /** Ends all streams, and the process. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    await this.#ask({ type: 'stop' });
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }

  /** @throws {Error} where the process ends instead of an answer */
  async #ask(order: LoadOrder): Promise<LoadAnswer> {
    const end = new AbortController();
    const answered = once(this.#child, 'message', { signal: end.signal });
    const died = once(this.#child, 'exit', { signal: end.signal }).then(([code]) => {
      throw new Error(`a load ended with ${code}`);
    });
    answered.catch(() => undefined);
    died.catch(() => undefined);
    this.#child.send(order);
    try {
      return (await Promise.race([answered, died]))[0] as LoadAnswer;
    } finally {
      end.abort();
    }
  }
}
