/*
 * `npm run torture [pattern]`: does every fault to a vibe of its own, or those of the test files whose names match, and
 * prints what each has cost whom. `-- --save` keeps the table in tests/torture/results/, from which `npm run torture docs`
 * makes docs/reliability.md. Some faults need root (they cut connections in the kernel, mount file systems, lower
 * limits) and Linux.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { describeMachine } from '../../bench/lib/machine';
import { checkPage, writePage } from './report/docs';
import { saveRows } from './report/results';
import { isKept, keptRows, renderTable, type Row, ROWS_VARIABLE } from './suite/table';

const ROOT = path.resolve(__dirname, '../..');
const JEST = path.join(ROOT, 'node_modules/jest/bin/jest.js');
const PROGRESS = path.join(__dirname, 'report/progress.cjs');

interface Asked {
  readonly only?: string;
  readonly srs?: true;
  readonly save?: true;
}

const program = new Command('torture')
  .usage('[pattern] [options]   (npm run torture [pattern] -- [options])')
  .description(
    'Does faults to vibes on air, one after the other, each to a vibe of its own beside a control vibe, and holds what was ' +
      'heard, sample by sample, against what was sent and what the metrics say. The table goes to standard output, what ' +
      'happens meanwhile to standard error.',
  )
  .argument(
    '[pattern]',
    'of the files in tests/torture/: encoder, media-server, creator, …; all of them, where left out',
  )
  .option('--only <name>', 'faults whose names match this regular expression')
  .option('--srs', 'with SRS alone, and not with the embedded media server')
  .option('--save', 'keep the results in tests/torture/results/, for `npm run torture docs`')
  .addHelpText(
    'after',
    '\nSRS_BINARY names an SRS: the faults are then done with it as the media server, too.\n' +
      'Exits with 0 where every fault cost no more than it may. What it may: docs/reliability.md',
  )
  .helpCommand(false)
  .action(torture);

program
  .command('docs')
  .summary('docs/reliability.md, from the kept results')
  .description('Writes docs/reliability.md from what `--save` has kept in tests/torture/results/.')
  .option('--check', 'write nothing; fail where it is not what would be written')
  .action(({ check }: { check?: true }) => {
    if (!check) console.error(`written: ${writePage()}`);
    else if (checkPage())
      program.error('docs/reliability.md is not what tests/torture/results/ says; npm run torture docs');
  });

async function torture(pattern = '', { only, srs, save }: Asked = {}): Promise<void> {
  if (srs && !process.env['SRS_BINARY']) program.error('error: SRS_BINARY names no SRS');
  // What the names of suites end with stands before those of faults.
  const names = [...(srs ? ['\\[SRS \\d'] : []), ...(only === undefined ? [] : [only])];
  const { rows, exitCode } = await run(pattern, names.join('.*'));
  const isWhole = only === undefined && exitCode !== undefined;
  console.log(`\n${renderTable(rows)}\n`);
  const kept = rows.filter(isKept).length;
  const unjudged = rows.filter((row) => row.unjudged !== undefined).length;
  console.log(
    `${kept} of ${rows.length} faults cost no more than they may` +
      (unjudged > 0 ? `; the machine was too busy to judge ${unjudged} of them` : ''),
  );
  if (!process.env['SRS_BINARY']) console.log('SKIPPED with SRS: SRS_BINARY names none');
  if (save) {
    const made = { date: new Date().toISOString().slice(0, 10), machine: describeMachine() };
    const files = saveRows(rows, made, { isPart: !isWhole });
    console.error(`kept: ${files.map((file) => path.relative(ROOT, file)).join(', ')}`);
  }
  process.exitCode = exitCode ?? 1;
}

/** Runs jest on the files that match, to its end; where it was told to end before that, it has no exit code. */
async function run(pattern: string, names: string): Promise<{ rows: Row[]; exitCode: number | undefined }> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-torture-'));
  try {
    const file = path.join(scratch, 'rows.jsonl');
    const args = ['--selectProjects=torture', '--runInBand', '--verbose=false', `--reporters=${PROGRESS}`];
    const what = [
      `--testPathPatterns=tests/torture/(?:${pattern})`,
      ...(names === '' ? [] : [`--testNamePattern=${names}`]),
    ];
    const jest = spawn(process.execPath, [JEST, ...args, ...what], {
      cwd: ROOT,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, [ROWS_VARIABLE]: file },
    });
    const forward = (signal: NodeJS.Signals): boolean => jest.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    const [code] = (await once(jest, 'exit')) as [number | null];
    return { rows: keptRows(file), exitCode: code ?? undefined };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

void program.parseAsync();
