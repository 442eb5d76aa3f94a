import type { Machine } from '../../../bench/lib/machine';
import type { SoakResult } from '../soak/result';
import { cellsOf, HEADINGS, isKept, type Row } from '../suite/table';
import { type Group, GROUPS } from './groups';
import { markdownTable } from './markdown-table';
import type { Results } from './results';
import { soakSection } from './soak-section';
import { targetRows } from './targets';

/** What the page is made of. */
export interface PageParts {
  readonly embedded: Results;
  readonly srs: Results;
  readonly soak: SoakResult | undefined;
  /** Written by hand: how it is measured, what is not covered. Markdown with headings from the second level on. */
  readonly method: string;
}

/** docs/reliability.md from the kept results. Deterministic. */
export function reliabilityPage({ embedded, srs, soak, method }: PageParts): string {
  return [
    '# What faults cost',
    HEAD,
    '## At a glance',
    glance(embedded, srs),
    markdownTable(['promise', 'with', 'at most', 'measured, at worst', 'verdict'], targetRows(embedded, srs)),
    READING,
    ...GROUPS.flatMap((group) => section(group, embedded, srs)),
    ...soakSection(soak),
    method.trim(),
    ...machines(embedded, srs),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

const HEAD =
  '<!-- Written by `npm run torture docs` from tests/torture/results/: change it there, or in tests/torture/report/. -->\n\n' +
  'Everything fails some day: encoders, media servers, networks, disks, the daemon itself. This page says what each failure ' +
  'costs somebody who listens, and it says so from measurements: every fault below was done to a vibe on air, and what its ' +
  'listener heard was held against what its creator sent, sample by sample.';

const READING = [
  'In the tables below:',
  '',
  '- **lost**: samples of the creator’s that were acknowledged and not heard. 48 samples are a millisecond.',
  '- **inserted**: samples heard that are none of the creator’s: silence while nothing came. What the start of an encoder sounds like (1024 samples of priming) does not count.',
  '- **without a frame**: the longest time in which the listener got nothing; **sound after**: from the fault on.',
  '- **metrics**: what `/metrics` says was lost and filled with silence, and by how many samples that is off what was heard. `0` is exact.',
].join('\n');

function glance(embedded: Results, srs: Results): string {
  const [own, theirs] = [embedded, srs].map(({ groups }) => groups.flatMap(({ rows }) => rows));
  const count = (rows: readonly Row[]): string =>
    `${rows.filter(isKept).length} of ${rows.length} faults cost no more than they may`;
  const withSrs =
    theirs && theirs.length > 0
      ? `; with ${theirs[0]?.mediaServer ?? 'SRS'} as the media server, ${count(theirs)}`
      : '';
  return `With the embedded media server, ${count(own ?? [])}${withSrs}.`;
}

function section({ title, files, promise }: Group, embedded: Results, srs: Results): string[] {
  const rowsOf = ({ groups }: Results): Row[] =>
    files.flatMap((file) => groups.find(({ group }) => group === file)?.rows ?? []);
  const [own, theirs] = [rowsOf(embedded), rowsOf(srs)];
  if (own.length + theirs.length === 0) return [];
  return [
    `## ${title}`,
    promise,
    faultTable(own),
    ...(theirs.length > 0 ? [`With ${theirs[0]?.mediaServer ?? 'SRS'}:`, faultTable(theirs)] : []),
    remarks([...own, ...theirs]),
  ];
}

function faultTable(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const [head, ...rest] = HEADINGS;
  return markdownTable(
    [head, 'seen', ...rest],
    rows.map((row) => {
      const [, ...cells] = cellsOf(row);
      return [row.fault, row.verdict?.witness ?? '–', ...cells];
    }),
  );
}

/** Why some faults may cost more, or accounts be off. */
function remarks(rows: readonly Row[]): string {
  return [...new Set(rows.flatMap(({ because = [] }) => because))]
    .map((why) => `- ${why.charAt(0).toUpperCase()}${why.slice(1)}.`)
    .join('\n');
}

function machines(...all: readonly Results[]): string[] {
  const groups = all.flatMap((results) => results.groups);
  if (groups.length === 0) return [];
  const kinds = new Map(groups.map(({ machine }) => [describe(machine), machine]));
  const dates = groups.map(({ date }) => date).sort();
  const [first, last] = [dates[0] as string, dates.at(-1) as string];
  const when = first === last ? `on ${first}` : `between ${first} and ${last}`;
  return [`Measured ${when}, on ${[...kinds.keys()].join('; and on ')}.`];
}

function describe({ cores, cpu, memoryGiB, system, kernel, node, ffmpeg }: Machine): string {
  const where = system ? `${system}, Linux ${kernel}` : `Linux ${kernel}`;
  return `${cores} cores of ${cpu}, ${memoryGiB} GiB; ${where}; Node ${node}, FFmpeg ${ffmpeg}`;
}
