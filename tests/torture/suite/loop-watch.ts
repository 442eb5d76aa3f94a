import { performance } from 'node:perf_hooks';
import type { Canary } from '../../helpers/canary';
import type { Inspector } from './inspector';

/** How late the daemon's event loop was in a span of time, and how late everybody on the machine was. */
export interface LoopDelay {
  readonly p99Ms: number;
  readonly machineMs: number;
}

/** The histogram counts from one look to the next: of a loop that is never late it says this. */
const LOOK_EVERY_MS = 5;
const IN_DAEMON = 'globalThis.tortureLoop';

/** Measures how late the daemon's event loop is, from inside (`monitorEventLoopDelay`). */
export class LoopWatch {
  readonly #inspector: Inspector;
  readonly #canary: Pick<Canary, 'look' | 'latenessMs'>;

  constructor(inspector: Inspector, canary: Pick<Canary, 'look' | 'latenessMs'>) {
    this.#inspector = inspector;
    this.#canary = canary;
  }

  /** @returns what ends the span, and says what it was like */
  async begin(): Promise<() => Promise<LoopDelay>> {
    await this.#inspector.evaluate(
      `${IN_DAEMON} ??= require('node:perf_hooks').monitorEventLoopDelay({ resolution: ${LOOK_EVERY_MS} });
       ${IN_DAEMON}.enable(); ${IN_DAEMON}.reset();`,
    );
    const fromMs = performance.now();
    return async () => {
      const ns = (await this.#inspector.evaluate(`${IN_DAEMON}.percentile(99)`)) as number;
      const untilMs = performance.now();
      const machineMs = (await this.#canary.look()).latenessMs(fromMs, untilMs, 0.99);
      return { p99Ms: Math.max(0, ns / 1e6 - LOOK_EVERY_MS), machineMs };
    };
  }
}
