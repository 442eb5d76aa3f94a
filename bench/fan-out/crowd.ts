import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { CrowdAnswer, CrowdOrder, Door, Heard } from './crowd-messages';
import { endLoad, startLoad } from '../lib/pinned';

/** Many listeners in a process of their own (bench/load/crowd.ts). */
export class Crowd {
  readonly #child: ChildProcess;

  /** @param core that the process is bound to */
  constructor(core: number) {
    this.#child = startLoad('crowd', core);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /**
   * `count` more come.
   * @param atOnce how many may be on their way in at once
   * @returns how many are connected, all together
   */
  async join(door: Door, count: number, atOnce?: number): Promise<number> {
    return (await this.#ask({ type: 'join', door, count, atOnce })).joined ?? 0;
  }

  /**
   * Counts anew.
   * @param awake whether the process keeps its core busy until the next look, so that nobody pays for waking it up
   */
  async reset({ awake }: { awake: boolean }): Promise<void> {
    await this.#ask({ type: 'reset', awake });
  }

  /** What was heard since the last reset. */
  async look(): Promise<Heard> {
    return (await this.#ask({ type: 'look' })) as Heard;
  }

  /** All hang up. */
  async leave(): Promise<void> {
    await this.#ask({ type: 'leave' });
  }

  async stop(): Promise<void> {
    await endLoad(this.#child);
  }

  async #ask(order: CrowdOrder): Promise<CrowdAnswer> {
    const answer = once(this.#child, 'message');
    this.#child.send(order);
    return (await answer)[0] as CrowdAnswer;
  }
}
