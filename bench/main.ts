/*
 * `npm run bench [name]`: the benchmarks. Each prints a table for people on standard error and its report as one JSON line
 * on standard output. `--save` keeps the report in bench/results/, from which `npm run bench docs` makes
 * docs/performance.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { type Bench, BenchRun } from './lib/bench';
import { reportTable } from './lib/report';
import { startup } from './startup';

const BENCHES: readonly Bench[] = [startup];
const RESULTS = path.resolve(__dirname, 'results');

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 on.');
  return value;
}

const say = (line: string): void => console.error(line);

const program = new Command('bench')
  .description(
    'Measures the relay against its floors: FFmpeg, a media server, bare sockets, in the same run.',
  )
  .helpCommand(false);

for (const bench of BENCHES) {
  const { defaults, quick } = bench;
  const command = program
    .command(bench.name)
    .summary(bench.summary)
    .description(bench.description)
    .option('--rounds <count>', `rounds (default ${defaults.rounds}, quick ${quick.rounds})`, count)
    .option('--seconds <count>', `of each round (default ${defaults.seconds}, quick ${quick.seconds})`, count)
    .option('--quick', 'short enough for a guard, and rough')
    .option('--save', 'keep the report in bench/results/');
  for (const option of bench.options ?? []) command.option(option.flags, option.description, option.default);
  command.action(async (options: { rounds?: number; seconds?: number; quick?: true; save?: true }) => {
    const extent = options.quick ? quick : defaults;
    const told = { ...extent, ...options, quick: options.quick === true };
    const own = options as Record<string, string | undefined>;
    const run = new BenchRun(bench.name, { ...told, options: own }, say);
    await bench.run(run);
    say(`\n${reportTable(run.report)}\n`);
    console.log(JSON.stringify(run.report));
    if (!options.save) return;
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(path.join(RESULTS, `${bench.name}.json`), `${JSON.stringify(run.report, null, 2)}\n`);
  });
}

program.parseAsync().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
