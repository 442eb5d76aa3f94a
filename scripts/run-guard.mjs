import { spawnSync } from 'node:child_process';

/**
 * Runs the benchmarks' guard with its standard error as ours, and tells what came of it. What takes too long is told to end,
 * and ends what it has started.
 *
 * @param args for Node: the guard's program and what it is told
 * @returns `passed`, how many comparisons; `failed` and `unjudged`, a line each. A guard that gives no verdict has failed.
 */
export function runGuard(args, { cwd, env, limitMs }) {
  const options = { cwd, env, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', timeout: limitMs };
  const { stdout, status, signal, error } = spawnSync(process.execPath, args, options);
  if (error?.code === 'ETIMEDOUT') return broken(`ended after ${Math.round(limitMs / 1000)} s`);
  const told = (stdout ?? '').split('\n').find((line) => line.startsWith('{'));
  if (told === undefined) return broken(`ended with ${error?.message ?? status ?? signal}`);
  const { passed, failed, unjudged } = JSON.parse(told);
  // An exit code that says otherwise than the line is not to be overlooked.
  if (status !== 0 && failed.length === 0)
    return { passed, failed: [`ended with ${status ?? signal}`], unjudged };
  return { passed, failed, unjudged };
}

function broken(how) {
  return { passed: 0, failed: [`no verdict: it ${how}`], unjudged: [] };
}
