import { BenchRun } from '../../bench/lib/bench';
import { figure, reportTable, table, verdict } from '../../bench/lib/report';
import { reportOf } from '../helpers/report';

describe('a verdict', () => {
  it.each([
    [1.15, { most: 1.15 }, 1, 'met'],
    [1.16, { most: 1.15 }, 1, 'missed'],
    [1.16, { most: 1.15 }, 1.1, 'met'],
    [80, { least: 80 }, 1, 'met'],
    [79, { least: 80 }, 1, 'missed'],
    [79, { least: 80 }, 1.1, 'met'],
    [0, { most: 0 }, 2, 'met'],
    [1, { most: 0 }, 2, 'missed'],
  ] as const)('of %d against %j with a slack of %d is: %s', (value, bound, slack, expected) => {
    expect(verdict(value, bound, slack)).toBe(expected);
  });

  it('is none where there is no figure, however wide the bound', () => {
    expect(verdict(NaN, { most: Infinity })).toBe('not judged');
    expect(verdict(Infinity, { least: 1 })).toBe('not judged');
  });
});

describe('a figure', () => {
  it.each([
    [1234.5, '1235'],
    [87.64, '87.6'],
    [1.234, '1.23'],
    [0.01234, '0.012'],
    [-45.67, '-45.7'],
    [0, '0'],
    [80, '80'],
    [NaN, '–'],
  ])('of %d is written %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });
});

describe('a table', () => {
  it('has columns as wide as their widest cell, and a rule under its head', () => {
    expect(
      table([
        ['what', 'is'],
        ['a long name', '1'],
        ['×', '22'],
      ]),
    ).toEqual(['what         is', '-----------  --', 'a long name  1', '×            22']);
  });
});

describe('a report', () => {
  it('shows medians, spreads, verdicts and notes', () => {
    const text = reportTable(
      reportOf({
        measures: [{ name: 'relay', unit: 'ms', each: [30, 10, NaN, 20.5] }],
        comparisons: [{ name: 'relay', unit: '× by hand', value: 1.3, target: { most: 1.15 } }],
        notes: ['one round was left out'],
      }),
    );
    expect(text).toContain('startup: rounds 3, seconds 1');
    expect(text).toMatch(/^relay +20\.5 +10 to 30 +ms +3$/m);
    expect(text).toMatch(/^relay +1\.30 × by hand +≤ 1\.15 × by hand +missed$/m);
    expect(text).toContain('note: one round was left out');
  });

  it('is what a run was told and what it found', () => {
    const said: string[] = [];
    const run = new BenchRun('startup', { rounds: 2, seconds: 5, quick: true, options: {} }, (line) =>
      said.push(line),
    );
    run.measure('relay', 'ms', 1);
    run.measure('relay', 'ms', 2);
    run.parameter('vibes', 8);
    run.note('icecast2 is not installed');
    expect(run.values('relay')).toEqual([1, 2]);
    expect(run.values('nothing')).toEqual([]);
    expect(run.report).toMatchObject({
      bench: 'startup',
      quick: true,
      parameters: { rounds: 2, seconds: 5, vibes: 8 },
      measures: [{ name: 'relay', unit: 'ms', each: [1, 2] }],
      notes: ['icecast2 is not installed'],
    });
    expect(run.report.machine.node).toBe(process.version);
    expect(said).toEqual(['startup: icecast2 is not installed']);
  });
});
