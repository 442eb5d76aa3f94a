import type { SoakResult, Verdict } from './result';

const MARKS = { passed: '✓', failed: '✗', 'not judged': '?' } as const;

/** What a soak came to, for people. */
export function summaryOf(result: SoakResult): string {
  const { load, account, events, faults } = result;
  const lines = [
    '',
    `A soak of ${result.minutes} min, seed ${result.seed}: ${load.steadyVibes} steady vibes, ${load.shortVibes} short ones, ` +
      `${load.listeners} listeners; ${load.hoursOfSound} h of sound compared sample by sample.`,
    '',
    ...faults.map(
      ({ atSeconds, name, target, witness, seconds, events: heard, net }, index) =>
        `  ${String(index + 1).padStart(2)}  ${atSeconds.toFixed(1).padStart(6)} s  ${name.padEnd(24)} ${target.padEnd(10)} ` +
        `over after ${seconds.toFixed(1).padStart(4)} s; ${heard === 0 ? 'nothing heard of it' : `${heard} events, net ${net}`}; ${witness}`,
    ),
    '',
    `Accepted ${account.accepted} samples, ${account.lost} lost, ${account.silence} of silence; the account is off by ` +
      `${account.difference} (at most ${account.within}). ${events.explained} events explained, ` +
      `${events.unexplained.length} not, ${events.notJudged.length} not judged; ${result.stalls}.`,
    '',
    ...result.judgements.map(({ what, verdict, detail }) => `  ${MARKS[verdict]} ${what}: ${detail}`),
    ...events.unexplained.flatMap((event) => [
      '',
      `  UNEXPLAINED: ${event.vibeId} at ${event.atSeconds} s: ${event.kind}, net ${event.net}, ${event.foreign} foreign ` +
        `(the machine stood still for ${event.stalledMs ?? 0} ms at most)`,
      ...(event.log ?? []).map((line) => `    ${line}`),
    ]),
    ...result.judgements
      .filter(({ verdict, isTooShort }) => verdict === 'not judged' && isTooShort !== true)
      .map(({ what, detail }) => `NOT JUDGED: ${what}: ${detail}`),
    '',
    `The soak has ${result.verdict}.`,
  ];
  return lines.join('\n');
}

/** For `npm test`: how many verdicts are good, and a line for each that is not, or could not be given. */
export function countsOf({ judgements, seed }: SoakResult): {
  passed: number;
  failed: string[];
  unjudged: string[];
} {
  const lines = (wanted: Verdict): string[] =>
    judgements
      .filter(({ verdict, isTooShort }) => verdict === wanted && isTooShort !== true)
      .map(({ what, detail }) => `${what} (seed ${seed}): ${detail}`);
  return { passed: lines('passed').length, failed: lines('failed'), unjudged: lines('not judged') };
}
