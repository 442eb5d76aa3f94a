import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readReports, reportText, saveReport } from '../../bench/lib/results';
import { reportOf } from '../helpers/report';

describe('kept reports', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-results-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('come back as they were kept, the newest of each benchmark', () => {
    const older = reportOf({ bench: 'startup', notes: ['older'] });
    const newer = reportOf({ bench: 'startup', notes: ['newer'] });
    const other = reportOf({ bench: 'latency' });
    for (const report of [older, newer, other]) saveReport(report, directory);
    expect(readReports(directory)).toEqual([other, newer]);
  });

  it('are none where nothing was kept', () => {
    expect(readReports(path.join(directory, 'never'))).toEqual([]);
  });

  it('have a row of numbers on one line, and no digits that nobody measured', () => {
    const text = reportText(
      reportOf({
        measures: [{ name: 'relay', unit: 'ms', each: [1.23456789, -2e-9, 3] }],
        plots: [
          {
            name: 'p',
            title: 't',
            xLabel: 'x',
            yLabel: 'y',
            series: [{ name: 's', points: [[1, 2.00000001]] }],
          },
        ],
        notes: ['[ 1, 2 ] stays as it is'],
      }),
    );
    expect(text).toContain('"each": [1.23457, -2e-9, 3]');
    expect(text).toContain('[1, 2]');
    expect(text).toContain('"[ 1, 2 ] stays as it is"');
    expect(JSON.parse(text)).toMatchObject({ measures: [{ each: [1.23457, -2e-9, 3] }] });
  });
});
