/*
 * `npm run soak`: a real daemon under load for 20 minutes, with a fault every 30 s, and everything that anybody hears held
 * against what was sent, sample by sample. Progress on standard error, a summary on standard output.
 */
import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { possibleFaults } from './faults';
import { planSoak } from './plan';
import { Soak } from './soak';
import { countsOf, summaryOf } from './summary';
import { verdictsOf } from './verdicts';

const RESULTS = path.join(__dirname, '..', 'results', 'soak.json');
const MINUTES = 20;
const HELP = `npm run soak -- [--minutes N] [--seed N] [--save]

Runs the built relay with ten steady vibes, short ones that come and go, and listeners that do; does a fault every 30 s,
and says at the end what nothing explains, what does not add up, and what has grown.

  --minutes N   of load, fractions too; or SOAK_MINUTES (${MINUTES})
  --seed N      of the faults, to have the same ones again; or SOAK_SEED (drawn, and printed)
  --save        keeps the result in tests/torture/results/soak.json
  --log FILE    keeps the relay's log
  --json        a line of JSON on standard output, for scripts: how many verdicts passed, and which did not;
                the summary is on standard error then

Ends with 1 where anything failed. One fault, cutting a connection in the kernel, takes root.`;

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  console.log(HELP);
} else {
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => process.exit(130));
  soak().catch((error: unknown) => {
    console.error(error);
    process.exit(2);
  });
}

async function soak(): Promise<void> {
  const minutes = numberOf('--minutes', process.env['SOAK_MINUTES']) ?? MINUTES;
  const seed = numberOf('--seed', process.env['SOAK_SEED']) ?? randomInt(1, 1_000_000);
  const plan = planSoak({ seed, minutes, faults: possibleFaults() });
  say(
    `seed ${seed}, ${minutes} min of load, ${plan.faults.length} faults; again: npm run soak -- --minutes ${minutes} --seed ${seed}`,
  );
  const logFile = textOf('--log');
  const result = await new Soak(plan, say).run(async (witnessed) => {
    if (logFile !== undefined) writeFileSync(logFile, witnessed.stage.daemon.output);
    return verdictsOf(witnessed);
  });
  const isJson = args.includes('--json');
  if (isJson) say(summaryOf(result));
  console.log(isJson ? JSON.stringify(countsOf(result)) : summaryOf(result));
  if (args.includes('--save')) {
    mkdirSync(path.dirname(RESULTS), { recursive: true });
    writeFileSync(RESULTS, `${JSON.stringify(result, null, 2)}\n`);
  }
  process.exitCode = result.verdict === 'passed' ? 0 : 1;
}

function textOf(flag: string): string | undefined {
  const at = args.indexOf(flag);
  return at >= 0 ? args[at + 1] : undefined;
}

function numberOf(flag: string, fromEnvironment: string | undefined): number | undefined {
  const text = textOf(flag) ?? fromEnvironment;
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${flag}: ${text} is no number above 0`);
  return value;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
