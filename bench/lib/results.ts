import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Report } from './report';

/** Where kept reports lie, one file for each benchmark. */
export const RESULTS = path.resolve(__dirname, '../results');

/** More digits than any measurement here has. */
const DIGITS = 6;
/** Only between tokens does JSON have line breaks: what stands in a string is not touched. */
const ROW_OF_NUMBERS = /\[\n\s*((?:(?:-?[\d.]+(?:e[+-]?\d+)?|null),?\s*)+)\]/g;

/** Keeps a report in place of an older one of the same benchmark. */
export function saveReport(report: Report, directory = RESULTS): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, `${report.bench}.json`), reportText(report));
}

/** All kept reports, by the names of their benchmarks. JSON has `null` for what was not a number. */
export function readReports(directory = RESULTS): Report[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(path.join(directory, file), 'utf8')) as Report);
}

/** JSON for people who look at differences: numbers of six digits, rows of numbers and points on one line each. */
export function reportText(report: Report): string {
  const rounded = (_key: string, value: unknown): unknown =>
    typeof value === 'number' && Number.isFinite(value) ? Number(value.toPrecision(DIGITS)) : value;
  const text = JSON.stringify(report, rounded, 2);
  return `${text.replace(ROW_OF_NUMBERS, (row) => row.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'))}\n`;
}
