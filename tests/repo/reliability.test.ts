import { readdirSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../helpers/sources';
import { checkPage } from '../torture/report/docs';
import { GROUPS } from '../torture/report/groups';
import { readResults } from '../torture/report/results';

const FILES = readdirSync(path.join(ROOT, 'tests/torture'))
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => path.basename(file, '.test.ts'));

describe('docs/reliability.md', () => {
  it('is what `npm run torture docs` makes of the kept results', () => {
    expect(checkPage()).toBe(false);
  });

  it('has a place for the faults of each file, once', () => {
    const placed = GROUPS.flatMap(({ files }) => files);
    expect(FILES.filter((file) => placed.filter((one) => one === file).length !== 1)).toEqual([]);
  });

  it('tells of every fault that is kept', () => {
    const kept = (['embedded', 'srs'] as const).flatMap((kind) => readResults(kind).groups);
    expect(kept.map(({ group }) => group).filter((group) => !FILES.includes(group))).toEqual([]);
  });
});
