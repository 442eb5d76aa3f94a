import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Report } from './report';

/** It was told to end, because it took longer than anything takes on a machine that lets everybody run. */
export class TookTooLong extends Error {}

/**
 * Runs one benchmark in a process of its own, this same program: none finds what another has left in memory. It talks to
 * people by our standard error.
 * @param args behind its name
 * @returns its report
 * @throws {TookTooLong} after `withinMs`
 * @throws {Error} where it ends with another code than 0, or says nothing
 */
export async function runInChild(
  name: string,
  args: readonly string[],
  { withinMs = Infinity }: { withinMs?: number } = {},
): Promise<Report> {
  const program = process.argv[1] as string;
  const child = spawn(process.execPath, [...process.execArgv, program, name, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => said.push(bytes));
  let isLate = false;
  const timer = Number.isFinite(withinMs)
    ? setTimeout(() => {
        isLate = true;
        child.kill('SIGTERM');
      }, withinMs)
    : undefined;
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  if (isLate) throw new TookTooLong(`took longer than ${withinMs / 1000} s`);
  if (code !== 0) throw new Error(`ended with ${code ?? signal}`);
  return JSON.parse(Buffer.concat(said).toString()) as Report;
}
