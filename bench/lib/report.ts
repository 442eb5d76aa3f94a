import { median, spread } from './stats';
import type { Machine } from './machine';
import type { Plot } from './plot';

/** One thing measured, once a round. */
export interface Measure {
  readonly name: string;
  /** `ms`, `% of a core`, `MB`, … */
  readonly unit: string;
  /** One value for each round that was judged; what is not finite counts for nothing. */
  readonly each: readonly number[];
}

/** A measure held against its floor, or against a bound: what a target speaks of. */
export interface Comparison {
  readonly name: string;
  /** `×` for a ratio to a floor of the same run, otherwise the unit of a difference or a plain figure. */
  readonly unit: string;
  readonly value: number;
  /** What we want on two cores. */
  readonly target: { readonly most: number } | { readonly least: number };
  /** What the guard (`bench:check`) takes; the target where left out. A comparison that is no use to it says `none`. */
  readonly guard?: { readonly most: number } | { readonly least: number } | 'none';
}

/** What a benchmark found. */
export interface Report {
  readonly bench: string;
  /** ISO 8601, when it began. */
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  /** What it was told, and what it chose: seconds, rounds, counts. */
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly measures: readonly Measure[];
  readonly comparisons: readonly Comparison[];
  readonly plots: readonly Plot[];
  /** What a reader must know: rounds left out, peers that are not installed. */
  readonly notes: readonly string[];
}

export type Verdict = 'met' | 'missed' | 'not judged';

/**
 * @param slack how much worse than the bound is still taken: 1 for the bound itself, 1.5 for half as much again
 */
export function verdict(
  value: number,
  bound: { readonly most: number } | { readonly least: number },
  slack = 1,
): Verdict {
  if (!Number.isFinite(value)) return 'not judged';
  if ('most' in bound) return value <= bound.most * slack ? 'met' : 'missed';
  return value >= bound.least / slack ? 'met' : 'missed';
}

/** The report as a person reads it. */
export function reportTable(report: Report): string {
  const measures = report.measures.map(({ name, unit, each }) => {
    const finite = each.filter(Number.isFinite);
    const { least, most } = spread(finite);
    return [name, figure(median(finite)), `${figure(least)} to ${figure(most)}`, unit, String(finite.length)];
  });
  const comparisons = report.comparisons.map(({ name, unit, value, target }) => [
    name,
    `${figure(value)} ${unit}`,
    boundText(target, unit),
    verdict(value, target),
  ]);
  return [
    `${report.bench}: ${describeParameters(report)}`,
    '',
    ...table([['measured', 'median', 'spread', 'unit', 'values'], ...measures]),
    ...(comparisons.length > 0
      ? ['', ...table([['held against', 'is', 'target', 'verdict'], ...comparisons])]
      : []),
    ...report.notes.map((note) => `\nnote: ${note}`),
  ].join('\n');
}

export function describeParameters({ parameters, quick }: Report): string {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  return [...(quick ? ['quick'] : []), ...pairs].join(', ');
}

export function boundText(bound: { most: number } | { least: number }, unit: string): string {
  return 'most' in bound ? `≤ ${figure(bound.most)} ${unit}` : `≥ ${figure(bound.least)} ${unit}`;
}

/** Three significant digits, as many as such a measurement is worth; of a count, no more than it has. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toFixed(digits);
}

/** Lines with columns as wide as their widest cell; the first row is the head. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? '')].length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] as number) - [...cell].length))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return lines;
}
