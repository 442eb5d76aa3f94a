import { performance } from 'node:perf_hooks';
import { Canary } from '../../tests/helpers/canary';
import type { Bench } from './bench';
import { TookTooLong } from './child-bench';
import { boundText, type Comparison, figure, type Report, table, type Verdict, verdict } from './report';

/** One comparison, held against what the guard takes. */
export interface Judgement {
  readonly bench: string;
  readonly name: string;
  readonly is: string;
  readonly bound: string;
  readonly verdict: Verdict;
  /** Why there is no verdict, or what went wrong. */
  readonly why?: string;
}

/** What the machine did while a benchmark ran. */
export interface Disturbance {
  readonly seconds: number;
  /** Those in which a process that did nothing but want to run had to wait. */
  readonly disturbed: number;
  /** In words. */
  readonly summary: string;
}

/** A wait of a process that only wants to run: longer than any on a machine that does nothing but the benchmark. */
const DISTURBED_MS = 15;
/** On a machine that is disturbed more than this share of the time, a figure out of bounds tells nothing against the relay. */
const MAX_DISTURBED_SHARE = 0.1;
/** Several times what the longest quick run takes. */
const HANGS_AFTER_MS = 120_000;

export interface CheckOptions {
  readonly slack: number;
  /** Runs a benchmark, quick, and gives its report. */
  readonly run: (name: string, withinMs: number) => Promise<Report>;
  readonly say: (line: string) => void;
}

/**
 * Runs the quick ones of the benchmarks one by one, and judges them. Nothing is run twice: what is judged are medians over
 * rounds in turns with their floors.
 */
export async function check(
  benches: readonly Bench[],
  { slack, run, say }: CheckOptions,
): Promise<Judgement[]> {
  const judgements: Judgement[] = [];
  for (const { name } of benches.filter((bench) => bench.isGuard)) {
    say(`\n▸ ${name}`);
    const canary = await Canary.start();
    const fromMs = performance.now();
    const report = await run(name, HANGS_AFTER_MS).catch((error: unknown) => error as Error);
    await canary.stop();
    const seconds = (performance.now() - fromMs) / 1000;
    const disturbed = canary.disturbedSeconds(DISTURBED_MS).size;
    const machine = { seconds, disturbed, summary: canary.summary };
    judgements.push(
      ...(report instanceof Error ? [broken(name, report, machine)] : judge(report, slack, machine)),
    );
    say(`${name}: ${seconds.toFixed(0)} s`);
  }
  return judgements;
}

/**
 * Holds a report against the guard's bounds. A figure within them counts on any machine; one out of them only where the
 * machine let everybody run.
 */
export function judge(report: Report, slack: number, machine: Disturbance): Judgement[] {
  return report.comparisons.flatMap((comparison): Judgement[] => {
    const bound = boundOf(comparison);
    if (bound === undefined) return [];
    const { name, unit, value } = comparison;
    const found = {
      bench: report.bench,
      name,
      is: `${figure(value)} ${unit}`,
      bound: boundText(bound, unit),
    };
    const is = verdict(value, bound, slack);
    if (is === 'not judged') return [{ ...found, verdict: is, why: 'no round was left to judge' }];
    if (is === 'missed' && isBusy(machine))
      return [{ ...found, verdict: 'not judged', why: machine.summary }];
    return [{ ...found, verdict: is }];
  });
}

/** A benchmark that breaks is broken on any machine; one that takes too long may be held up by it. */
function broken(bench: string, error: Error, machine: Disturbance): Judgement {
  const found = { bench, name: 'runs', is: 'no report', bound: 'a report' };
  if (error instanceof TookTooLong && isBusy(machine))
    return { ...found, verdict: 'not judged', why: `${error.message}; ${machine.summary}` };
  return { ...found, verdict: 'missed', why: error.message };
}

function isBusy({ disturbed, seconds }: Disturbance): boolean {
  return disturbed > seconds * MAX_DISTURBED_SHARE;
}

function boundOf({ guard, target }: Comparison): Exclude<Comparison['guard'], 'none'> {
  return guard === 'none' ? undefined : (guard ?? target);
}

/** What came of it, for people: a table, then what was not judged, and what failed. */
export function checkTable(judgements: readonly Judgement[], slack: number): string {
  const rows = judgements.map(({ bench, name, is, bound, verdict }) => [bench, name, is, bound, verdict]);
  const slackText = slack === 1 ? '' : `, with a slack of ${slack}`;
  return [
    ...table([['bench', 'held against', 'is', `bound${slackText}`, 'verdict'], ...rows]),
    ...judgements.filter((one) => one.verdict === 'not judged').map((one) => `NOT JUDGED: ${describe(one)}`),
    ...judgements.filter((one) => one.verdict === 'missed').map((one) => `FAILED: ${describe(one)}`),
  ].join('\n');
}

/** `startup, relay: 1.4 × by hand, ≤ 1.15 × by hand`: one line for a summary. */
export function describe({ bench, name, is, bound, why }: Judgement): string {
  return `${bench}, ${name}: ${is}, ${bound}${why ? ` (${why})` : ''}`;
}
