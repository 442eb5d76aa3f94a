import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { delay } from '../../helpers/eventually';
import { readProcessUsage } from '../../../src/base/process-usage';

/** What such a process has said, it does: nothing but to be busy. */
const BURN = "process.stdout.write('.'); for (;;);";

/** Processes that want a core each, at everybody's own priority. @returns how many cores they got, on the average */
export async function burn(processes: number, ms: number): Promise<number> {
  const children: ChildProcess[] = [];
  try {
    for (let count = 0; count < processes; count += 1) {
      const child = spawn(process.execPath, ['-e', BURN], { stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      await once(child.stdout as NodeJS.ReadableStream, 'data');
    }
    const [fromMs, before] = [performance.now(), usedBy(children)];
    await delay(ms);
    return ((usedBy(children) - before) * 1_000) / (performance.now() - fromMs);
  } finally {
    await Promise.all(
      children.map(async (child) => {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }),
    );
  }
}

/** CPU seconds. */
function usedBy(children: readonly ChildProcess[]): number {
  return children.reduce((sum, { pid }) => sum + (readProcessUsage(pid as number)?.cpuSeconds ?? 0), 0);
}
