import { AskedProcess } from '../lib/asked-process';
import type { CrowdAnswer, CrowdOrder, Door, Heard } from './crowd-messages';

/** Many listeners in a process of their own (bench/load/crowd.ts). */
export class Crowd {
  readonly #process: AskedProcess<CrowdOrder, CrowdAnswer>;

  /** @param core that the process is bound to */
  constructor(core: number) {
    this.#process = AskedProcess.start('load/crowd', { core });
  }

  get pid(): number {
    return this.#process.pid;
  }

  /**
   * `count` more come.
   * @param atOnce how many may be on their way in at once
   * @returns how many are connected, all together
   */
  async join(door: Door, count: number, atOnce?: number): Promise<number> {
    return (await this.#process.ask({ type: 'join', door, count, atOnce })).joined ?? 0;
  }

  /**
   * Counts anew.
   * @param awake whether the process keeps its core busy until the next look, so that nobody pays for waking it up
   */
  async reset({ awake }: { awake: boolean }): Promise<void> {
    await this.#process.ask({ type: 'reset', awake });
  }

  /** What was heard since the last reset. */
  async look(): Promise<Heard> {
    return (await this.#process.ask({ type: 'look' })) as Heard;
  }

  /** All hang up. */
  async leave(): Promise<void> {
    await this.#process.ask({ type: 'leave' });
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
