import { readFileSync } from 'node:fs';

/** What one process has used, as the kernel counts it. */
export interface ProcessUsage {
  /** Tells it from a later process with the same id. */
  readonly startTicks: string;
  /** Of all its threads, since its start. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** The use of several processes together, those that are gone included in the CPU time. */
export interface ProgramUsage {
  /** How many there are now. */
  readonly processes: number;
  /** Grows only. What a process used between the last look and its end is not in it. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** Linux tells user space about time in ticks of 10 ms, whatever the kernel runs at (`USER_HZ` in proc(5)). */
const TICKS_PER_SECOND = 100;

/**
 * Reads `/proc/PID/stat`: one file, 25 µs, so that two hundred encoders cost a scrape 5 ms.
 * @returns nothing where the process is gone, or where there is no such file: elsewhere than on Linux
 */
export function readProcessUsage(pid: number | 'self'): ProcessUsage | undefined {
  const fields = readStat(pid);
  if (!fields || fields[0] === 'Z') return undefined;
  return {
    startTicks: fields[19] ?? '',
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    residentBytes: Number(fields[21]) * pageBytes(),
  };
}

/** Adds up what the processes of one program use over their comings and goings. */
export class ProgramMeter {
  #last = new Map<number, ProcessUsage>();
  #cpuSeconds = 0;

  /** Looks at these processes now. */
  read(pids: readonly number[]): ProgramUsage {
    const seen = new Map<number, ProcessUsage>();
    let residentBytes = 0;
    for (const pid of pids) {
      const now = readProcessUsage(pid);
      if (!now) continue;
      const before = this.#last.get(pid);
      const counted = before?.startTicks === now.startTicks ? before.cpuSeconds : 0;
      this.#cpuSeconds += Math.max(0, now.cpuSeconds - counted);
      residentBytes += now.residentBytes;
      seen.set(pid, now);
    }
    this.#last = seen;
    return { processes: seen.size, cpuSeconds: this.#cpuSeconds, residentBytes };
  }
}

/** The fields of proc(5) from the third on: the second, the name in parentheses, may hold anything. */
function readStat(pid: number | 'self'): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

let knownPageBytes: number | undefined;

/** Node does not tell; but it counts its own memory from the same field, in bytes. A page is a power of two. */
function pageBytes(): number {
  knownPageBytes ??= 2 ** Math.round(Math.log2(process.memoryUsage.rss() / Number(readStat('self')?.[21])));
  return knownPageBytes;
}
