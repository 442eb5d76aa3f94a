import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isKept, keep, keptRows, renderTable, type Row, ROWS_VARIABLE, type Verdict } from './table';

const VERDICT: Verdict = {
  fault: 'FFmpeg is killed',
  witness: 'process 1 was gone',
  ...{ lost: 3_072, inserted: 0, net: 2_048, stallMs: 574, recoveryMs: 560, reconnects: 0, restarts: 1 },
  counted: { lost: 3_072, silence: 0, discarded: 0 },
  difference: 0,
  complaints: [],
};
const ROW: Row = { fault: VERDICT.fault, group: 'encoder', mediaServer: 'embedded', verdict: VERDICT };

describe('the table of faults', () => {
  it('says in samples and in milliseconds what was lost, and whether promises were kept', () => {
    const worse = { ...VERDICT, recoveryMs: 0, complaints: ['samples lost: 9, at most 0'] };
    const rows = [ROW, { ...ROW, fault: 'worse', mediaServer: 'SRS 7.0.18', verdict: worse }];
    const [head, first, second] = renderTable(rows).split('\n');
    expect(head).toMatch(/^fault +lost +inserted/);
    expect(first).toMatch(
      /^FFmpeg is killed +3072 \(64 ms\) +0 +574 ms +560 ms +3072 \(64 ms\) +0 +0 +as promised$/,
    );
    expect(second).toMatch(/^worse \[SRS 7\.0\.18\] .* – .* samples lost: 9, at most 0$/);
    expect(rows.map(isKept)).toEqual([true, false]);
  });

  it('has a row for a fault that came to no verdict, which is no kept promise', () => {
    const rows: Row[] = [
      { fault: 'a', group: 'host', mediaServer: 'embedded', failure: 'it did not bite' },
      { ...ROW, unjudged: 'the machine stood still for 900 ms' },
    ];
    const [, failed, unjudged] = renderTable(rows).split('\n');
    expect(failed).toMatch(/^a +–( +–)+ +failed: it did not bite$/);
    expect(unjudged).toMatch(/ not judged: the machine stood still for 900 ms$/);
    expect(rows.map(isKept)).toEqual([false, false]);
  });

  it('keeps rows for the end of a run, where it is told a file', () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-rows-'));
    const file = path.join(directory, 'rows', 'all.jsonl');
    const before = process.env[ROWS_VARIABLE];
    try {
      process.env[ROWS_VARIABLE] = file;
      keep(ROW);
      keep(ROW);
      expect(keptRows(file)).toEqual([ROW, ROW]);
      expect(keptRows(path.join(directory, 'none'))).toEqual([]);
    } finally {
      if (before === undefined) delete process.env[ROWS_VARIABLE];
      else process.env[ROWS_VARIABLE] = before;
      rmSync(directory, { recursive: true });
    }
  });
});
