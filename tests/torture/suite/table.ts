import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What a fault did, as it stands in the table. Counts are samples of one channel at 48 kHz. */
export interface Row {
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

const RATE = 48_000;
const HEADINGS = [
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
  const lines = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...lines.map((line) => (line[column] as string).length)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 || column === 8
            ? cell.padEnd(widths[column] as number)
            : cell.padStart(widths[column] as number),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cells(row: Row): string[] {
  const { fault, lost, inserted, stallMs, recoveryMs, counted, difference, complaints } = row;
  return [
    fault,
    samples(lost),
    samples(inserted),
    `${stallMs} ms`,
    recoveryMs === 0 ? '–' : `${recoveryMs} ms`,
    samples(counted.lost),
    samples(counted.silence),
    String(difference),
    complaints.length === 0 ? 'as promised' : complaints.join('; '),
  ];
}

/** `3072 (64 ms)`. */
function samples(count: number): string {
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
