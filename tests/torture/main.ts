/*
 * `npm run torture [pattern] [--save]`: does every fault to a vibe of its own, or those of the test files whose names
 * match, and prints what each has cost whom. `--save` keeps the table as JSON in tests/torture/results/. Some faults need
 * root (they cut connections in the kernel, mount file systems, lower limits) and Linux.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describeMachine } from '../../bench/lib/machine';
import { keptRows, renderTable, ROWS_VARIABLE } from './suite/table';

const ROOT = path.resolve(__dirname, '../..');
const RESULTS = path.join(__dirname, 'results', 'faults.json');

const args = process.argv.slice(2);
const isSaved = args.includes('--save');
const [pattern = ''] = args.filter((arg) => !arg.startsWith('--'));
const scratch = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-torture-'));
const file = path.join(scratch, 'rows.jsonl');

const jest = [path.join(ROOT, 'node_modules/jest/bin/jest.js'), '--selectProjects=torture', '--runInBand'];
const { status } = spawnSync(process.execPath, [...jest, `--testPathPatterns=tests/torture/${pattern}`], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, [ROWS_VARIABLE]: file },
});
const rows = keptRows(file);
rmSync(scratch, { recursive: true });
console.log(`\n${renderTable(rows)}\n`);
const kept = rows.filter(({ complaints }) => complaints.length === 0).length;
console.log(`${kept} of ${rows.length} faults cost no more than they may`);
if (isSaved && pattern === '') {
  mkdirSync(path.dirname(RESULTS), { recursive: true });
  const at = new Date().toISOString().slice(0, 10);
  writeFileSync(RESULTS, `${JSON.stringify({ at, machine: describeMachine(), rows }, null, 2)}\n`);
}
process.exitCode = status ?? 1;
