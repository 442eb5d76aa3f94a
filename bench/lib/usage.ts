import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/**
 * Seconds of CPU that a process has used, all its threads together, to the nanosecond (`schedstat`); a thread that ended
 * takes what it used with it. 0 of a process that is gone.
 */
export function cpuSeconds(pid: number): number {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.reduce((sum, task) => sum + threadSeconds(pid, task), 0);
  } catch {
    return 0;
  }
}

function threadSeconds(pid: number, task: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]) / 1e9;
  } catch {
    return 0;
  }
}

/** Bytes of memory that are a process's own share: what it shares with others counts in parts (PSS). */
export function pssBytes(pid: number): number {
  const kibibytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
  return Number(kibibytes) * 1024;
}

/** Shares of a core that named groups of processes use between `start` and `stop`. */
export class CpuMeter<Group extends string> {
  readonly #groups: Readonly<Record<Group, readonly number[]>>;
  readonly #before = new Map<number, number>();
  readonly #startMs = performance.now();

  /** Starts now. @param groups process ids by name; processes that end meanwhile count for nothing */
  constructor(groups: Readonly<Record<Group, readonly number[]>>) {
    this.#groups = groups;
    for (const pid of Object.values<readonly number[]>(groups).flat()) this.#before.set(pid, cpuSeconds(pid));
  }

  /** Cores used since the start, by group: 0.5 is half a core. */
  read(): Record<Group, number> {
    const seconds = (performance.now() - this.#startMs) / 1000;
    const cores = (pids: readonly number[]): number =>
      pids.reduce((sum, pid) => sum + Math.max(0, cpuSeconds(pid) - (this.#before.get(pid) ?? 0)), 0) /
      seconds;
    const entries = Object.entries<readonly number[]>(this.#groups);
    return Object.fromEntries(entries.map(([group, pids]) => [group, cores(pids)])) as Record<Group, number>;
  }
}
