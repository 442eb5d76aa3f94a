import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../../helpers/eventually';
import { isAlive, type ProcessEntry, readProcess } from '../../helpers/processes';

/** Ends a process with a signal. @returns when it was sent; the process is seen to be gone */
export async function kill(entry: ProcessEntry, signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
  const atMs = performance.now();
  process.kill(entry.pid, signal);
  await eventually(`process ${entry.pid} is gone`, () => !isAlive(entry));
  return atMs;
}

/** Stops a process, as a debugger or a starved machine does. @returns when; the process is seen to stand still */
export async function stop(entry: ProcessEntry): Promise<number> {
  const atMs = performance.now();
  process.kill(entry.pid, 'SIGSTOP');
  await eventually(`process ${entry.pid} is stopped`, () => readProcess(entry.pid)?.state === 'T');
  return atMs;
}

/** Lets it go on. @throws {Error} where it did not stand still to the end: somebody else ended the fault */
export function goOn(entry: ProcessEntry): void {
  const state = readProcess(entry.pid)?.state;
  if (state !== 'T' || !isAlive(entry))
    throw new Error(`process ${entry.pid} is not stopped but ${state ?? 'gone'}`);
  process.kill(entry.pid, 'SIGCONT');
}

/** Stops a process for so long. @returns when it began */
export async function stopFor(entry: ProcessEntry, ms: number): Promise<number> {
  const atMs = await stop(entry);
  await delay(ms);
  goOn(entry);
  return atMs;
}
