import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Builds the relay, unless nothing is to be done with it, then runs a TypeScript program of benchmarks or faults with this
 * process's arguments. This process ends when that has ended.
 *
 * @param program its path in the project
 * @param isTold whether these arguments only ask for help or for documents
 */
export function runBuilt(program, isTold) {
  const asked = process.argv.slice(2);
  if (!isTold(asked) && !asked.some((arg) => arg === '--help' || arg === '-h')) {
    const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 2, 2] });
    if (built.status !== 0) process.exit(built.status ?? 1);
  }
  const args = ['-r', path.join(ROOT, 'bench/register.cjs'), path.join(ROOT, program)];
  const child = spawn(process.execPath, [...args, ...asked], { cwd: ROOT, stdio: 'inherit' });
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code ?? 1));
}
