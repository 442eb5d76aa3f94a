import { readFileSync } from 'node:fs';

/** Shares of one core between two moments: what everything on it used, and what the machine below took away. */
export interface CoreShares {
  /** Processes, the kernel and its interrupts together: 1 is a core that had nothing left. */
  readonly busy: number;
  /** Time that the hypervisor gave to others although there was work. */
  readonly stolen: number;
}

interface Ticks {
  readonly all: number;
  readonly idle: number;
  readonly stolen: number;
}

/** Watches one core, from its construction on. */
export class CoreMeter {
  readonly #core: number;
  readonly #before: Ticks;

  constructor(core: number) {
    this.#core = core;
    this.#before = ticks(core);
  }

  read(): CoreShares {
    const now = ticks(this.#core);
    const all = now.all - this.#before.all;
    const stolen = (now.stolen - this.#before.stolen) / all;
    return { stolen, busy: 1 - stolen - (now.idle - this.#before.idle) / all };
  }
}

/** Of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal. */
function ticks(core: number): Ticks {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? '';
  const counts = line.split(' ').map(Number).slice(0, 8);
  const [, , , idle = 0, waiting = 0, , , stolen = 0] = counts;
  return { all: counts.reduce((sum, count) => sum + count, 0), idle: idle + waiting, stolen };
}
