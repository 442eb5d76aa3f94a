import { existsSync } from 'node:fs';
import path from 'node:path';
import { checkDocs } from '../../bench/lib/docs';
import { readReports } from '../../bench/lib/results';
import { BENCHES } from '../../bench/main';
import { ROOT } from '../helpers/sources';

describe('docs/performance.md', () => {
  it('and its plots are what `npm run bench docs` makes of the kept reports', () => {
    expect(checkDocs(BENCHES)).toEqual([]);
  });

  it('leaves out no kept report', () => {
    const names = BENCHES.map(({ name }) => name);
    expect(readReports().filter(({ bench }) => !names.includes(bench))).toEqual([]);
  });
});

describe('the benchmarks', () => {
  it('have names, each its own and that of a file', () => {
    const names = BENCHES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !existsSync(path.join(ROOT, 'bench', `${name}.ts`)))).toEqual([]);
  });
});
