import { readdirSync, readFileSync } from 'node:fs';

/** One process as /proc shows it. `startTicks` tells it from a later process with the same id. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly state: string;
  readonly startTicks: string;
  readonly argv: readonly string[];
}

/** The process with this id, or `undefined` when there is none. */
export function readProcess(pid: number): ProcessEntry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may hold anything; fields are counted from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    return {
      pid,
      state: fields[0] ?? '?',
      parentPid: Number(fields[1]),
      startTicks: fields[19] ?? '',
      argv,
    };
  } catch {
    return undefined;
  }
}

/** Every process of the machine that can be read. */
export function allProcesses(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((entry): entry is ProcessEntry => entry !== undefined);
}

/** Children of `pid`, their children, and so on. Without `pid` itself. */
export function descendants(pid: number): ProcessEntry[] {
  const all = allProcesses();
  const found: ProcessEntry[] = [];
  const visit = (parentPid: number): void => {
    for (const entry of all) {
      if (entry.parentPid !== parentPid) continue;
      found.push(entry);
      visit(entry.pid);
    }
  };
  visit(pid);
  return found;
}

/** Whether this very process still runs: not its successor under the same id, and not merely its zombie. */
export function isAlive(entry: ProcessEntry): boolean {
  const now = readProcess(entry.pid);
  return now !== undefined && now.startTicks === entry.startTicks && now.state !== 'Z' && now.state !== 'X';
}

/** `1234 ffmpeg -f s16le …`: for messages. */
export function describeProcess(entry: ProcessEntry): string {
  return `${entry.pid} ${entry.argv.join(' ').slice(0, 160)}`;
}

/** Open file descriptors of a process. */
export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kibibytes) * 1024;
}
