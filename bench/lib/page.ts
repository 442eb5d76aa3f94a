import type { Bench } from './bench';
import type { Machine } from './machine';
import { boundText, type Comparison, figure, type Measure, type Report, verdict } from './report';
import { median, spread } from './stats';

/** What the page says beside the figures. */
export interface PageText {
  /** Written by hand: which targets are not met, and why. Markdown with headings from the third level on. */
  readonly limits: string;
}

/** docs/performance.md from the kept reports, in the order of the benchmarks. Deterministic. */
export function performancePage(
  benches: readonly Bench[],
  reports: readonly Report[],
  { limits }: PageText,
): string {
  const measured = benches.flatMap((bench) => {
    const report = reports.find((candidate) => candidate.bench === bench.name);
    return report ? [{ bench, report }] : [];
  });
  return [
    '# How fast it is',
    HEAD,
    '## At a glance',
    glance(measured.map(({ report }) => report)),
    '## How to read it',
    READING,
    machines(measured.map(({ report }) => report)),
    ...measured.flatMap(({ bench, report }) => section(bench, report)),
    ...(limits.trim() === '' ? [] : ['## Targets that are not met, and why', limits.trim()]),
    '## Measure it yourself',
    AGAIN,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

const HEAD =
  '<!-- Written by `npm run bench docs` from bench/results/: change it there, or in bench/lib/page.ts. -->\n\n' +
  'Whatever the relay adds to FFmpeg and the media server is ours to remove. So every figure here stands beside a **floor**: ' +
  'the same work done without the relay, on the same machine, in the same run, in turns with it.';

const READING = [
  '- **Median and spread**: a bench repeats what it measures; the spread is the smallest and the largest value. Where it is wide, the machine was restless.',
  '- **Floor**: what nobody can go below here: FFmpeg by hand with the best flags, a bare server that writes the same bytes.',
  '- **×**: a ratio to the floor of the same run. Ratios carry over to other machines; milliseconds and shares of a core do so only roughly.',
  '- **Target**: what we want on two cores that FFmpeg, the media server and the load generator share. A target that is missed stays here, with the reason.',
  '- **Not judged**: the machine was too busy with other things for a statement, or what was to be compared with is not installed.',
  '- **PSS**: memory of a process; what it shares with others counts in parts.',
].join('\n');

const AGAIN = [
  '```console',
  '$ npm run bench                                  # what there is',
  '$ npm run bench startup -- --help                # what one measures, and its options',
  '$ npm run bench startup -- --rounds 5            # a table, and a line of JSON',
  '$ npm run bench all -- --save                    # all of them, kept in bench/results/',
  '$ npm run bench docs                             # this page and its plots, from what was kept',
  '$ npm run bench:check                            # the guard: quick, and fails where a ratio is out of bounds',
  '```',
  '',
  'Let nothing else run meanwhile. Peers run in the same bench where they are installed (`icecast2`; `nginx` with',
  '`libnginx-mod-rtmp`), and SRS where `SRS_BINARY` names one; a bench says which ones it missed.',
].join('\n');

function glance(reports: readonly Report[]): string {
  const rows = reports.flatMap((report) =>
    report.comparisons.map((comparison) => [`[${report.bench}](#${report.bench})`, ...cells(comparison)]),
  );
  if (rows.length === 0) return 'Nothing was measured yet.';
  return markdownTable(['bench', 'what', 'is', 'target', 'verdict'], rows);
}

function section(bench: Bench, report: Report): string[] {
  const { measures, comparisons, plots, notes } = report;
  return [
    `## ${bench.name}`,
    `${sentence(bench.summary)}`,
    bench.description,
    comparisons.length > 0
      ? markdownTable(['held against', 'is', 'target', 'verdict'], comparisons.map(cells))
      : '',
    measures.length > 0
      ? markdownTable(['measured', 'median', 'spread', 'unit', 'values'], measures.map(measureCells), 'lrrlr')
      : '',
    ...plots.map(({ name, title }) => `![${title}](performance/${name}.svg)`),
    notes.map((note) => `- ${sentence(note)}`).join('\n'),
    made(report),
  ];
}

function cells({ name, unit, value, target }: Comparison): string[] {
  const is = verdict(value, target);
  return [name, `${figure(value)} ${unit}`, boundText(target, unit), is === 'missed' ? '**missed**' : is];
}

function measureCells({ name, unit, each }: Measure): string[] {
  const finite = each.filter(Number.isFinite);
  const { least, most } = spread(finite);
  return [name, figure(median(finite)), `${figure(least)} to ${figure(most)}`, unit, String(finite.length)];
}

/** When, of what, and how. */
function made({ bench, date, machine, parameters, quick }: Report): string {
  const told = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  const rough = quick ? 'In a quick run, and rough: ' : '';
  return `${rough}\`npm run bench ${bench}\` on ${date.slice(0, 10)}, commit \`${machine.commit}\`: ${told.join(', ')}.`;
}

/** One list where all ran on the same machine, one for each otherwise. */
function machines(reports: readonly Report[]): string {
  const kinds = new Map<string, string[]>();
  for (const { bench, machine } of reports) {
    const text = describeMachine(machine);
    kinds.set(text, [...(kinds.get(text) ?? []), bench]);
  }
  const [only] = kinds.keys();
  if (kinds.size === 0) return '';
  if (kinds.size === 1) return `All of it was measured on ${only as string}.`;
  return [...kinds].map(([text, names]) => `- ${names.join(', ')}: on ${text}`).join('\n');
}

function describeMachine({ cores, cpu, memoryGiB, system, kernel, node, ffmpeg }: Machine): string {
  const where = system ? `${system}, Linux ${kernel}` : `Linux ${kernel}`;
  return `${cores} cores of ${cpu}, ${memoryGiB} GiB; ${where}; Node ${node}, FFmpeg ${ffmpeg}`;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[], align = ''): string {
  const rule = head.map((_, column) => (align[column] === 'r' ? '---:' : '---'));
  return [head, rule, ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function sentence(text: string): string {
  const trimmed = text.trim();
  const end = /[.!?:]$/.test(trimmed) ? '' : '.';
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + end;
}
