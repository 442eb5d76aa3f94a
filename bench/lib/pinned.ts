import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const REGISTER = path.resolve(__dirname, '../register.cjs');

/**
 * Binds a process, all its threads and what it starts from then on to one core.
 * @throws {Error} where there is no such core or no `taskset` (Debian's util-linux)
 */
export function pin(pid: number, core: number): void {
  const { status, stderr, error } = spawnSync('taskset', ['-acp', String(core), String(pid)], {
    encoding: 'utf8',
  });
  if (error ?? status !== 0) throw new Error(`taskset: ${error?.message ?? stderr}`);
}

/** A program of bench/load/ as a process of its own on a core of its own, with a channel to talk over. */
export function startLoad(program: string, core: number, args: readonly string[] = []): ChildProcess {
  const file = path.resolve(__dirname, '../load', `${program}.ts`);
  return spawn('taskset', ['-c', String(core), process.execPath, '-r', REGISTER, file, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

/** Lets go of a process of bench/load/, which ends by itself then. */
export async function endLoad(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
}
