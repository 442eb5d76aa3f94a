import { cellsOf, HEADINGS, type Row } from '../suite/table';
import { type Group, GROUPS } from './groups';
import type { Results } from './results';

/** What the page is made of. */
export interface PageParts {
  readonly embedded: Results;
  readonly srs: Results;
}

/** docs/reliability.md from the kept results. Deterministic. */
export function reliabilityPage({ embedded, srs }: PageParts): string {
  return ['# What faults cost', ...GROUPS.flatMap((group) => section(group, embedded, srs))]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function section({ title, files, promise }: Group, embedded: Results, srs: Results): string[] {
  const rowsOf = ({ groups }: Results): Row[] =>
    files.flatMap((file) => groups.find(({ group }) => group === file)?.rows ?? []);
  return [`## ${title}`, promise, table(rowsOf(embedded)), table(rowsOf(srs))];
}

function table(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  return [[...HEADINGS], HEADINGS.map(() => '---'), ...rows.map(cellsOf)]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}
