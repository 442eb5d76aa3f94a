import { isKept, type Row, type Verdict } from '../suite/table';
import type { Results } from './results';

/** One of the promises, as a figure of one fault or of several. */
interface Target {
  readonly promise: string;
  readonly with: 'the embedded server' | 'SRS';
  /** Of these files, the faults with these names. */
  readonly files: readonly string[];
  readonly faults: RegExp;
  readonly figure: keyof typeof FIGURES;
  readonly most: number;
}

/** The worst of the faults counts. */
const FIGURES = {
  ms: { of: ({ stallMs }: Verdict) => stallMs, unit: 'ms' },
  samples: { of: ({ lost }: Verdict) => lost, unit: 'samples' },
} as const;

const FRAME = 1_024;

const TARGETS: readonly Target[] = [
  {
    promise: 'FFmpeg is killed: the longest wait for sound, of 95 kills in 100',
    ...{ with: 'the embedded server', files: ['kills'], faults: /killed/, figure: 'ms', most: 1_000 },
  },
  {
    promise: 'FFmpeg is killed: accepted and never heard, of the worst kill',
    ...{
      with: 'the embedded server',
      files: ['kills'],
      faults: /killed/,
      figure: 'samples',
      most: 3 * FRAME,
    },
  },
  {
    promise: 'FFmpeg or the media server stands still for 3 s: lost',
    ...{ with: 'the embedded server', files: ['encoder', 'media-server'], faults: /still for 3 s/ },
    ...{ figure: 'samples', most: 0 },
  },
  {
    promise: 'FFmpeg or SRS stands still for 3 s: lost',
    ...{
      with: 'SRS',
      files: ['encoder', 'media-server'],
      faults: /still for 3 s/,
      figure: 'samples',
      most: 0,
    },
  },
  {
    promise: 'The RTMP connection is cut: the longest wait for sound',
    ...{
      with: 'the embedded server',
      files: ['encoder'],
      faults: /connection is cut/,
      figure: 'ms',
      most: 1_000,
    },
  },
  {
    promise: 'The media server is killed: the longest wait for sound',
    ...{
      with: 'the embedded server',
      files: ['media-server'],
      faults: /is killed/,
      figure: 'ms',
      most: 3_000,
    },
  },
  {
    promise: 'SRS is killed: the longest wait for sound',
    ...{ with: 'SRS', files: ['media-server'], faults: /is killed/, figure: 'ms', most: 6_000 },
  },
  {
    promise: 'The daemon is killed (`kill -9`): the longest wait for sound',
    ...{ with: 'the embedded server', files: ['daemon'], faults: /is killed/, figure: 'ms', most: 5_000 },
  },
  {
    promise: 'A disk, a directory or descriptors are gone: lost by listeners of HTTP-FLV',
    ...{ with: 'the embedded server', files: ['storage', 'resources'], faults: /disk|DATA_DIR|descriptors/ },
    ...{ figure: 'samples', most: 0 },
  },
];

/** The promises that are figures: what, at most, measured, verdict. */
export function targetRows(embedded: Results, srs: Results): string[][] {
  return TARGETS.map(({ promise, with: server, files, faults, figure, most }) => {
    const { groups } = server === 'SRS' ? srs : embedded;
    const rows = groups
      .filter(({ group }) => files.includes(group))
      .flatMap((group) => group.rows)
      .filter(({ fault }) => faults.test(fault));
    const { of, unit } = FIGURES[figure];
    const values = rows.flatMap(({ verdict }) => (verdict ? [of(verdict)] : []));
    const worst = Math.max(...values);
    const is = values.length === 0 ? '–' : `${worst} ${unit}`;
    return [promise, server, `${most} ${unit}`, is, verdictOn(rows, values.length > 0 && worst <= most)];
  });
}

function verdictOn(rows: readonly Row[], isWithin: boolean): string {
  if (rows.length === 0) return 'not measured';
  if (rows.every(({ unjudged }) => unjudged !== undefined)) return 'not judged';
  return isWithin && rows.some(isKept) ? 'met' : '**missed**';
}
