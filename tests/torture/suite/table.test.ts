import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { keep, keptRows, renderTable, type Row, ROWS_VARIABLE } from './table';

const ROW: Row = {
  fault: 'FFmpeg is killed',
  witness: 'process 1 was gone',
  ...{ lost: 3_072, inserted: 0, net: 2_048, stallMs: 574, recoveryMs: 560, reconnects: 0, restarts: 1 },
  counted: { lost: 3_072, silence: 0, discarded: 0 },
  difference: 0,
  complaints: [],
};

describe('the table of faults', () => {
  it('says in samples and in milliseconds what was lost, and whether promises were kept', () => {
    const table = renderTable([
      ROW,
      { ...ROW, fault: 'worse', recoveryMs: 0, complaints: ['samples lost: 9, at most 0'] },
    ]);
    const [head, first, second] = table.split('\n');
    expect(head).toMatch(/^fault +lost +inserted/);
    expect(first).toMatch(
      /^FFmpeg is killed +3072 \(64 ms\) +0 +574 ms +560 ms +3072 \(64 ms\) +0 +0 +as promised$/,
    );
    expect(second).toMatch(/ – .* samples lost: 9, at most 0$/);
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
