/*
 * `npm run bench [name]`: builds the relay if its sources are newer than what is built, then runs the benchmarks.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 2, 2] });
if (built.status !== 0) process.exit(built.status ?? 1);
const args = ['-r', path.join(ROOT, 'bench/register.cjs'), path.join(ROOT, 'bench/main.ts')];
const run = spawnSync(process.execPath, [...args, ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
process.exit(run.status ?? 1);
