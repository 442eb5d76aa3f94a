import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What a fault did. Counts are samples of one channel at 48 kHz. */
export interface Verdict {
  readonly fault: string;
  /** What proves that the fault has bitten. */
  readonly witness: string;
  /** Of the creator's samples, not heard. */
  readonly lost: number;
  /** Heard, and not the creator's, without the priming of restarted encoders. */
  readonly inserted: number;
  /** Lost less inserted, priming included: exact. */
  readonly net: number;
  /** The longest time without a frame. */
  readonly stallMs: number;
  /** From the moment when nothing came any more to the next frame; 0 where nothing was amiss. */
  readonly recoveryMs: number;
  readonly reconnects: number;
  readonly restarts: number;
  /** What the metrics say, both vibes together. */
  readonly counted: { readonly lost: number; readonly silence: number; readonly discarded: number };
  /** The metrics' account less what was heard; 0 where it is right. */
  readonly difference: number;
  /** Broken promises, in words. */
  readonly complaints: readonly string[];
}

/** One fault as it stands in the table. */
export interface Row {
  readonly fault: string;
  /** The file that it is in, without its ending: `encoder`, `media-server`. */
  readonly group: string;
  /** `embedded`, or `SRS 7.0.18`. */
  readonly mediaServer: string;
  /** Nothing, where it did not come to one. */
  readonly verdict?: Verdict;
  /** Why what was seen is no verdict: the machine was too busy, or what was waited for never came. */
  readonly unjudged?: string;
  readonly failure?: string;
  /** What SRS cannot keep of what the embedded server keeps, or why the account may be off. */
  readonly because?: readonly string[];
}

const RATE = 48_000;
export const HEADINGS = [
  'fault',
  'lost',
  'inserted',
  'without a frame',
  'sound after',
  'metrics: lost',
  'silence',
  'off by',
  'verdict',
] as const;

/** The table as aligned text. */
export function renderTable(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...lines.map((line) => (line[column] as string).length)),
  );
  const last = HEADINGS.length - 1;
  return lines
    .map((line) =>
      line
        .map((cell, column) => {
          const width = widths[column] as number;
          return column === 0 || column === last ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A row in the order of the headings. */
export function cellsOf(row: Row): string[] {
  const { fault, verdict } = row;
  const name = row.mediaServer === 'embedded' ? fault : `${fault} [${row.mediaServer}]`;
  if (!verdict) return [name, ...HEADINGS.slice(2).map(() => '–'), verdictOf(row)];
  const { lost, inserted, stallMs, recoveryMs, counted, difference } = verdict;
  return [
    name,
    samples(lost),
    samples(inserted),
    `${stallMs} ms`,
    recoveryMs === 0 ? '–' : `${recoveryMs} ms`,
    samples(counted.lost),
    samples(counted.silence),
    String(difference),
    verdictOf(row),
  ];
}

/** Whether promises were kept, in words. */
export function verdictOf({ verdict, unjudged, failure }: Row): string {
  if (unjudged !== undefined) return `not judged: ${unjudged}`;
  if (failure !== undefined) return `failed: ${failure}`;
  return verdict?.complaints.join('; ') || 'as promised';
}

export function isKept({ verdict, unjudged, failure }: Row): boolean {
  return unjudged === undefined && failure === undefined && verdict?.complaints.length === 0;
}

/** `3072 (64 ms)`. */
export function samples(count: number): string {
  return count === 0 ? '0' : `${count} (${Math.round((count * 1000) / RATE)} ms)`;
}

/** Where a run collects its rows, a line of JSON each. */
export const ROWS_VARIABLE = 'TORTURE_ROWS';

/** Keeps a row for the table at the end of the run. */
export function keep(row: Row): void {
  const file = process.env[ROWS_VARIABLE];
  if (file === undefined) return;
  mkdirSync(path.dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(row)}\n`);
}

/** The rows that a run has kept. */
export function keptRows(file: string): Row[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}
