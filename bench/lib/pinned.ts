import { spawnSync } from 'node:child_process';

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
