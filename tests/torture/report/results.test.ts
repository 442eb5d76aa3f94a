import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Machine } from '../../../bench/lib/machine';
import type { Row } from '../suite/table';
import { readResults, saveRows } from './results';

const machine = { cores: 2 } as Machine;
const row = (fault: string, more: Partial<Row> = {}): Row => ({
  ...{ fault, group: 'encoder', mediaServer: 'embedded' },
  ...more,
});

describe('the kept results', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-results-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  const save = (rows: readonly Row[], isPart = false, date = '2026-01-01'): string[] =>
    saveRows(rows, { date, machine }, { directory, isPart });
  const faults = (): string[] =>
    readResults('embedded', directory).groups.flatMap(({ group, rows }) =>
      rows.map(({ fault }) => `${group}: ${fault}`),
    );

  it('are none at first', () => {
    expect(readResults('embedded', directory)).toEqual({ groups: [] });
  });

  it('are those of the last run of each group, so that the suite can be run in pieces', () => {
    save([row('a'), row('b'), row('c', { group: 'host' })]);
    save([row('b'), row('d')], false, '2026-01-02');
    expect(faults()).toEqual(['encoder: b', 'encoder: d', 'host: c']);
    expect(readResults('embedded', directory).groups.map(({ date }) => date)).toEqual([
      '2026-01-02',
      '2026-01-01',
    ]);
  });

  it('keep the rest of a group of which only a part was run', () => {
    save([row('a'), row('b')]);
    save([row('b', { failure: 'it did not bite' }), row('c')], true);
    expect(faults()).toEqual(['encoder: a', 'encoder: b', 'encoder: c']);
    expect(readResults('embedded', directory).groups[0]?.rows[1]?.failure).toBe('it did not bite');
  });

  it('keep a verdict where a later run could come to none', () => {
    save([row('a', { because: ['judged'] }), row('b', { unjudged: 'busy' })]);
    save([row('a', { unjudged: 'busy' }), row('b', { unjudged: 'busy again' })]);
    const [{ rows } = { rows: [] }] = readResults('embedded', directory).groups;
    expect(rows.map(({ because, unjudged }) => because ?? unjudged)).toEqual([['judged'], 'busy']);
  });

  it('of SRS are kept apart', () => {
    const files = save([row('a'), row('a', { mediaServer: 'SRS 7.0.18' })]);
    expect(files.map((file) => path.basename(file))).toEqual(['faults.json', 'faults-srs.json']);
    expect(readResults('srs', directory).groups[0]?.rows[0]?.mediaServer).toBe('SRS 7.0.18');
  });
});
