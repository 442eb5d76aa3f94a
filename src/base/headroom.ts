import os from 'node:os';
import type { Clock, Timer } from './clock';
import type { Config } from './config';
import { ProgramMeter } from './process-usage';

const EVERY_MS = 2_000;
/** A burst of work is none of an operator's worries; what lasts for twenty seconds is what vibes on the air would suffer from. */
const AVERAGED = 10;
/** Where most of the work is somebody else's, a vibe less would free nothing. */
const OWN_PART = 1 / 2;
const MEGABYTE = 1024 * 1024;

/** Milliseconds of all cores together: at work, of which the relay's own, and at all. Since some beginning, growing. */
export interface CpuTime {
  readonly busyMs: number;
  readonly ownMs: number;
  readonly allMs: number;
}

/** What is looked at; tests bring their own. */
export interface Machine {
  cpu(): CpuTime;
  /** What this process and its children may still take, in bytes. */
  freeBytes(): number;
}

/** @param pids the processes of the relay: this one, its encoders, its media server */
function thisMachine(pids: () => readonly number[]): Machine {
  const meter = new ProgramMeter();
  return {
    cpu: () => {
      let busyMs = 0;
      let allMs = 0;
      for (const { times } of os.cpus()) {
        const all = times.user + times.nice + times.sys + times.idle + times.irq;
        busyMs += all - times.idle;
        allMs += all;
      }
      return { busyMs, ownMs: meter.read(pids()).cpuSeconds * 1_000, allMs };
    },
    freeBytes: () => process.availableMemory(),
  };
}

/**
 * Whether the machine has room for another vibe. One that is let in where there is none takes from all that are on the
 * air: a refusal comes before they suffer.
 */
export class Headroom {
  readonly #config: Pick<Config, 'maxCpuPercent' | 'minFreeMemoryMb'>;
  readonly #machine: Machine;
  readonly #looking: Timer;
  /** The latest looks, the oldest first. */
  readonly #seen: CpuTime[] = [];

  /** @param machine or the processes of the relay on this one */
  constructor(
    config: Pick<Config, 'maxCpuPercent' | 'minFreeMemoryMb'>,
    clock: Clock,
    machine: Machine | (() => readonly number[]),
  ) {
    this.#config = config;
    this.#machine = typeof machine === 'function' ? thisMachine(machine) : machine;
    this.#looking = clock.every(EVERY_MS, () => this.#look(), { background: true });
  }

  /** What there is too little of, in words; nothing where there is enough. */
  get shortage(): string | undefined {
    const { maxCpuPercent, minFreeMemoryMb } = this.#config;
    const freeMb = Math.floor(this.#machine.freeBytes() / MEGABYTE);
    if (freeMb < minFreeMemoryMb) return `only ${freeMb} MB of memory are free`;
    const { busy, own } = this.#cpuParts();
    // At 100 the processor never stands in the way.
    if (maxCpuPercent < 100 && busy * 100 > maxCpuPercent && own > OWN_PART)
      return `the processor has been ${Math.round(busy * 100)} % busy for ${(AVERAGED * EVERY_MS) / 1000} s`;
    return undefined;
  }

  close(): void {
    this.#looking.cancel();
  }

  #look(): void {
    this.#seen.push(this.#machine.cpu());
    if (this.#seen.length > AVERAGED + 1) this.#seen.shift();
  }

  /** Of all that the processor could do in the last twenty seconds; 0 before they are over. */
  #cpuParts(): { busy: number; own: number } {
    const [first] = this.#seen;
    const last = this.#seen.at(-1);
    if (!first || !last || this.#seen.length <= AVERAGED) return { busy: 0, own: 0 };
    const allMs = Math.max(1, last.allMs - first.allMs);
    return { busy: (last.busyMs - first.busyMs) / allMs, own: (last.ownMs - first.ownMs) / allMs };
  }
}
