import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Machine } from '../../../bench/lib/machine';
import type { SoakResult } from '../soak/result';
import type { Row } from '../suite/table';

/** What a run has found of the faults of one file, with one media server. */
export interface GroupResult {
  readonly group: string;
  /** `2026-08-01`. */
  readonly date: string;
  readonly machine: Machine;
  readonly rows: readonly Row[];
}

/** What is kept of all runs with one kind of media server; of each group that of the last. */
export interface Results {
  readonly groups: readonly GroupResult[];
}

/** With the embedded media server, and with SRS. */
export type Kind = 'embedded' | 'srs';

const FILES: Readonly<Record<Kind, string>> = { embedded: 'faults.json', srs: 'faults-srs.json' };
const DIRECTORY = path.resolve(__dirname, '../results');

/** What is kept; no groups where nothing is. */
export function readResults(kind: Kind, directory = DIRECTORY): Results {
  const file = path.join(directory, FILES[kind]);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : { groups: [] };
}

/** The last soak that was kept; nothing where none is. */
export function readSoak(directory = DIRECTORY): SoakResult | undefined {
  const file = path.join(directory, 'soak.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as SoakResult) : undefined;
}

/**
 * Keeps rows in the place of older ones of their groups. What could not be judged this time does not replace a verdict.
 * @param isPart whether other faults of the groups were left out: their older rows stay then
 * @returns the files written
 */
export function saveRows(
  rows: readonly Row[],
  made: Pick<GroupResult, 'date' | 'machine'>,
  { isPart = false, directory = DIRECTORY }: { isPart?: boolean; directory?: string } = {},
): string[] {
  const kinds = (['embedded', 'srs'] as const).filter((kind) => rows.some((row) => kindOf(row) === kind));
  mkdirSync(directory, { recursive: true });
  return kinds.map((kind) => {
    const own = rows.filter((row) => kindOf(row) === kind);
    const kept = new Map(readResults(kind, directory).groups.map((result) => [result.group, result]));
    for (const group of new Set(own.map((row) => row.group))) {
      const fresh = own.filter((row) => row.group === group);
      kept.set(group, { group, ...made, rows: merged(kept.get(group)?.rows ?? [], fresh, isPart) });
    }
    const groups = [...kept.values()].sort((a, b) => (a.group < b.group ? -1 : 1));
    const file = path.join(directory, FILES[kind]);
    writeFileSync(file, `${JSON.stringify({ groups }, null, 2)}\n`);
    return file;
  });
}

function kindOf({ mediaServer }: Row): Kind {
  return mediaServer === 'embedded' ? 'embedded' : 'srs';
}

function merged(old: readonly Row[], fresh: readonly Row[], isPart: boolean): Row[] {
  const find = (rows: readonly Row[], { fault }: Row): Row | undefined =>
    rows.find((row) => row.fault === fault);
  const better = (row: Row): Row => (row.unjudged === undefined ? row : (find(old, row) ?? row));
  if (!isPart) return fresh.map(better);
  return [...old.map((row) => better(find(fresh, row) ?? row)), ...fresh.filter((row) => !find(old, row))];
}
