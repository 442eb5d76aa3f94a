import { Command, InvalidArgumentError } from 'commander';
import { describeProcess } from '../../tests/helpers/processes';
import { type Bench, BenchRun } from './bench';
import { check, checkTable, describe } from './check';
import { runInChild } from './child-bench';
import { checkDocs, writeDocs } from './docs';
import { endChildren, keepHouse } from './house';
import { reportTable } from './report';
import { saveReport } from './results';

/** To people on standard error, to programs on standard output. */
const say = (line: string): void => console.error(line);
const tell = (value: unknown): void => console.log(JSON.stringify(value));

/** The program: runs what it was told, and leaves nothing behind. */
export async function runBenches(benches: readonly Bench[]): Promise<void> {
  keepHouse();
  try {
    await benchProgram(benches).parseAsync();
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
  for (const entry of await endChildren()) say(`left running, and ended now: ${describeProcess(entry)}`);
}

/** The commands: each benchmark by its name, and `all`, `check` and `docs`. */
function benchProgram(benches: readonly Bench[]): Command {
  const program = new Command('bench')
    .usage('[name] [options]   (npm run bench <name> -- [options])')
    .description(
      'Measures the relay against its floors in the same run: FFmpeg, a media server, bare sockets. A table for people goes ' +
        'to standard error, the report as one line of JSON to standard output.',
    )
    .addHelpText(
      'after',
      '\nExits with 0 where everything was measured, whatever the verdicts. What they mean: docs/performance.md',
    )
    .helpCommand(false)
    .argument('[name]')
    .action((name?: string) => {
      if (name === undefined) console.log(program.helpInformation());
      else program.error(`error: there is no ${name}; npm run bench lists what there is`);
    });
  program.commandsGroup('Benchmarks:');
  for (const bench of benches) addBench(program, bench);
  program.commandsGroup('All of them:');
  addAll(program, benches);
  addCheck(program, benches);
  addDocs(program, benches);
  return program;
}

function addBench(program: Command, bench: Bench): void {
  const { defaults, quick } = bench;
  const command = program
    .command(bench.name)
    .summary(bench.summary)
    .description(bench.description)
    .option('--rounds <count>', `rounds (default ${defaults.rounds}, quick ${quick.rounds})`, count)
    .option('--seconds <count>', `of each round (default ${defaults.seconds}, quick ${quick.seconds})`, count)
    .option('--quick', 'short enough for a guard, and rough')
    .option('--save', 'keep the report in bench/results/, for `npm run bench docs`');
  for (const option of bench.options ?? []) command.option(option.flags, option.description, option.default);
  command.action(async (options: { rounds?: number; seconds?: number; quick?: true; save?: true }) => {
    refuseSwallowed(command);
    const extent = options.quick ? quick : defaults;
    const told = { ...extent, ...options, quick: options.quick === true };
    const own = options as Record<string, string | undefined>;
    const run = new BenchRun(bench.name, { ...told, options: own }, say);
    await bench.run(run);
    say(`\n${reportTable(run.report)}\n`);
    if (options.save) saveReport(run.report);
    tell(run.report);
  });
}

function addAll(program: Command, benches: readonly Bench[]): void {
  const command = program
    .command('all')
    .summary('every benchmark, one after the other')
    .description(
      'Runs every benchmark in a process of its own, one after the other; one that fails does not stop the rest.',
    )
    .option('--quick', 'short and rough')
    .option('--save', 'keep the reports in bench/results/');
  command.action(async (options: { quick?: true; save?: true }) => {
    refuseSwallowed(command);
    const args = [...(options.quick ? ['--quick'] : []), ...(options.save ? ['--save'] : [])];
    const failed: string[] = [];
    for (const [index, { name }] of benches.entries()) {
      say(`\n▸ ${name}, ${index + 1} of ${benches.length}`);
      try {
        tell(await runInChild(name, args));
      } catch (error) {
        say(`${name}: ${(error as Error).message}`);
        failed.push(name);
      }
    }
    if (failed.length === 0) return;
    say(`failed: ${failed.join(', ')}`);
    process.exitCode = 1;
  });
}

function addCheck(program: Command, benches: readonly Bench[]): void {
  const command = program
    .command('check')
    .summary('the guard: fails where a ratio is out of bounds')
    .description(
      'Runs the quick ones and holds their ratios against bounds. Exits with 1 where one is out of them on a machine that let ' +
        'everybody run; where the machine was too busy to say, there is a line NOT JUDGED instead.',
    )
    .option('--slack <factor>', 'how many times worse than the bound is still taken', factor, 1.25);
  command.action(async ({ slack }: { slack: number }) => {
    refuseSwallowed(command);
    const run = (name: string, withinMs: number) => runInChild(name, ['--quick'], { withinMs });
    const judgements = await check(benches, { slack, run, say });
    say(`\n${checkTable(judgements, slack)}`);
    const of = (verdict: string): string[] =>
      judgements.filter((one) => one.verdict === verdict).map((one) => describe(one));
    tell({ passed: of('met').length, failed: of('missed'), unjudged: of('not judged') });
    if (of('missed').length > 0) process.exitCode = 1;
  });
}

function addDocs(program: Command, benches: readonly Bench[]): void {
  const command = program
    .command('docs')
    .summary('docs/performance.md and its plots, from the kept reports')
    .description(
      'Writes docs/performance.md and docs/performance/*.svg from what `--save` has kept in bench/results/.',
    )
    .option('--check', 'write nothing; fail where they are not what would be written');
  command.action((options: { check?: true }) => {
    refuseSwallowed(command);
    if (!options.check) return say(`written: ${writeDocs(benches).join(', ')}`);
    const stale = checkDocs(benches);
    if (stale.length === 0) return;
    say(`not what bench/results/ says: ${stale.join(', ')}. To write them anew: npm run bench docs`);
    process.exitCode = 1;
  });
}

/** npm takes options for its own where `--` is missing, and only mutters: a quick run would silently be a long one. */
function refuseSwallowed(command: Command): void {
  const swallowed = command.options
    .map(({ long }) => long?.slice(2) ?? '')
    .filter((name) => process.env[`npm_config_${name.replaceAll('-', '_')}`] !== undefined);
  if (swallowed.length === 0) return;
  command.error(
    `error: npm kept --${swallowed[0]} for itself; write: npm run bench ${command.name()} -- --${swallowed[0]}`,
  );
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 on.');
  return value;
}

function factor(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 1) throw new InvalidArgumentError('a number from 1 on.');
  return value;
}
