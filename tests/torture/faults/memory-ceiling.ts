import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { eventually } from '../../helpers/eventually';

const ROOT = '/sys/fs/cgroup';
/** The first version has a tree for memory alone, the second one tree for everything. */
const FIRST = path.join(ROOT, 'memory');

let ceilings = 0;

/** Why there can be none here; nothing where there can. */
export function whyNoCeiling(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs Linux and root';
  try {
    const ceiling = new MemoryCeiling(2 ** 30);
    ceiling.dispose();
    return undefined;
  } catch (error) {
    return `no cgroup for memory: ${(error as Error).message}`;
  }
}

/**
 * A bound on what processes together may have of memory beside what they had when they came in (a cgroup). Beyond it, the
 * kernel kills.
 */
export class MemoryCeiling {
  readonly #directory: string;

  constructor(bytes: number) {
    ceilings += 1;
    const isFirst = existsSync(FIRST);
    this.#directory = path.join(treeRoot(), `vibesflow-${process.pid}-${ceilings}`);
    mkdirSync(this.#directory);
    try {
      this.#write(isFirst ? 'memory.limit_in_bytes' : 'memory.max', bytes);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Takes a process in. @returns how to let it out again */
  add(pid: number): () => void {
    const home = homeOf(pid);
    this.#write('cgroup.procs', pid);
    return () => writeFileSync(path.join(home, 'cgroup.procs'), String(pid));
  }

  /** How many processes the kernel has killed because of it. */
  get kills(): number {
    const file = ['memory.oom_control', 'memory.events'].map((name) => path.join(this.#directory, name));
    const text = readFileSync(file.find(existsSync) as string, 'latin1');
    return Number(/^oom_kill (\d+)/m.exec(text)?.[1] ?? 0);
  }

  /** Takes it away; nobody may be in there any more. */
  dispose(): void {
    rmdirSync(this.#directory);
  }

  /** Waits until nobody is in there any more. */
  async empty(): Promise<void> {
    const procs = path.join(this.#directory, 'cgroup.procs');
    await eventually('nobody is in the cgroup', () => readFileSync(procs, 'latin1') === '');
  }

  #write(name: string, value: number): void {
    writeFileSync(path.join(this.#directory, name), String(value));
  }
}

function treeRoot(): string {
  return existsSync(FIRST) ? FIRST : ROOT;
}

/** Where a process is now: `4:memory:/some/where` in the first version, `0::/some/where` in the second. */
function homeOf(pid: number): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'latin1');
  const [, where = '/'] = /^\d+:memory:(.*)$/m.exec(lines) ?? /^0::(.*)$/m.exec(lines) ?? [];
  return path.join(treeRoot(), where);
}
