import os from 'node:os';
import type { Clock, Timer } from './clock';
import type { Config } from './config';

const EVERY_MS = 1_000;
/** A burst of work is none of an operator's worries; what lasts so long is what vibes on the air would suffer from. */
const AVERAGED = 10;
const MEGABYTE = 1024 * 1024;

/** What is looked at; tests bring their own. */
export interface Machine {
  /** Time that all cores together spent at work, and at all, since the machine began, in milliseconds. */
  cpu(): { busyMs: number; allMs: number };
  /** What this process and its children may still take, in bytes. */
  freeBytes(): number;
}

const THIS_MACHINE: Machine = {
  cpu: () => {
    let busyMs = 0;
    let allMs = 0;
    for (const { times } of os.cpus()) {
      const all = times.user + times.nice + times.sys + times.idle + times.irq;
      busyMs += all - times.idle;
      allMs += all;
    }
    return { busyMs, allMs };
  },
  freeBytes: () => process.availableMemory(),
};

/**
 * Whether the machine has room for another vibe. One that is let in where there is none takes from all that are on the
 * air: a refusal comes before they suffer.
 */
export class Headroom {
  readonly #config: Pick<Config, 'maxCpuPercent' | 'minFreeMemoryMb'>;
  readonly #machine: Machine;
  readonly #looking: Timer;
  /** One look a second, the oldest first. */
  readonly #seen: { busyMs: number; allMs: number }[] = [];

  constructor(
    config: Pick<Config, 'maxCpuPercent' | 'minFreeMemoryMb'>,
    clock: Clock,
    machine: Machine = THIS_MACHINE,
  ) {
    this.#config = config;
    this.#machine = machine;
    this.#looking = clock.every(EVERY_MS, () => this.#look(), { background: true });
  }

  /** What there is too little of, in words; nothing where there is enough. */
  get shortage(): string | undefined {
    const { maxCpuPercent, minFreeMemoryMb } = this.#config;
    const freeMb = Math.floor(this.#machine.freeBytes() / MEGABYTE);
    if (freeMb < minFreeMemoryMb) return `only ${freeMb} MB of memory are free`;
    const percent = this.#cpuPercent();
    // At 100 the processor never stands in the way.
    if (maxCpuPercent < 100 && percent > maxCpuPercent)
      return `the processor has been ${Math.round(percent)} % busy for ${AVERAGED} s`;
    return undefined;
  }

  close(): void {
    this.#looking.cancel();
  }

  #look(): void {
    this.#seen.push(this.#machine.cpu());
    if (this.#seen.length > AVERAGED + 1) this.#seen.shift();
  }

  /** Over the last ten seconds; 0 before they are over. */
  #cpuPercent(): number {
    const [first] = this.#seen;
    const last = this.#seen.at(-1);
    if (!first || !last || this.#seen.length <= AVERAGED) return 0;
    const allMs = last.allMs - first.allMs;
    return allMs > 0 ? ((last.busyMs - first.busyMs) / allMs) * 100 : 0;
  }
}
