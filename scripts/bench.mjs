/*
 * `npm run bench [name]`: builds the relay, unless nothing is to be measured, then runs the benchmarks. Ends when they have
 * ended what they started.
 */
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const asked = process.argv.slice(2);
const isTold =
  asked.length === 0 || asked[0] === 'docs' || asked.some((arg) => arg === '--help' || arg === '-h');
if (!isTold) {
  const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (built.status !== 0) process.exit(built.status ?? 1);
}
const args = ['-r', path.join(ROOT, 'bench/register.cjs'), path.join(ROOT, 'bench/main.ts')];
const child = spawn(process.execPath, [...args, ...asked], { cwd: ROOT, stdio: 'inherit' });
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
