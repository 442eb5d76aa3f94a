import type { Machine } from '../../../bench/lib/machine';
import type { SoakResult } from '../soak/result';
import type { Row, Verdict } from '../suite/table';
import { reliabilityPage } from './page';
import type { Results } from './results';
import { targetRows } from './targets';

const machine = { cores: 2, cpu: 'a CPU', memoryGiB: 8, kernel: '6', node: 'v20', ffmpeg: '5' } as Machine;

function row(group: string, fault: string, verdict: Partial<Verdict> = {}, more: Partial<Row> = {}): Row {
  return {
    ...{ fault, group, mediaServer: 'embedded' },
    verdict: {
      ...{ fault, witness: 'it was seen', lost: 0, inserted: 0, net: 0, stallMs: 480, recoveryMs: 480 },
      ...{ reconnects: 0, restarts: 0, counted: { lost: 0, silence: 0, discarded: 0 }, difference: 0 },
      complaints: [],
      ...verdict,
    },
    ...more,
  };
}

function results(...rows: Row[]): Results {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return {
    groups: groups.map((group) => ({
      ...{ group, date: '2026-01-01', machine },
      rows: rows.filter((one) => one.group === group),
    })),
  };
}

const page = (embedded: Results, srs = results(), soak?: SoakResult): string =>
  reliabilityPage({ embedded, srs, soak, method: '## How\n\nSo.' });

describe('the page of what faults cost', () => {
  it('has a row for each fault, with its witness, in the section it belongs to', () => {
    const text = page(
      results(row('encoder', 'FFmpeg is killed'), row('host', 'the clock jumps', { complaints: ['it did'] })),
    );
    expect(text).toContain('1 of 2 faults cost no more than they may.');
    expect(text).toMatch(/## The encoder[^#]*\| FFmpeg is killed \| it was seen \| 0 .* as promised \|/);
    expect(text).toMatch(/## The host[^#]*\| the clock jumps .*\| it did \|/);
    expect(text).not.toContain('## The daemon');
    expect(text).toContain(
      'Measured on 2026-01-01, on 2 cores of a CPU, 8 GiB; Linux 6; Node v20, FFmpeg 5.',
    );
  });

  it('shows what SRS cannot keep, and why', () => {
    const srs = { mediaServer: 'SRS 7.0.18', because: ['it is gone with it'] };
    const text = page(
      results(row('media-server', 'the media server is killed')),
      results(row('media-server', 'the media server is killed', {}, srs)),
    );
    expect(text).toContain('with SRS 7.0.18 as the media server, 1 of 1 faults cost no more than they may.');
    expect(text).toMatch(/With SRS 7\.0\.18:\n\n\| fault [^#]*\n\n- It is gone with it\./);
  });

  it('tells of the soak where one is kept', () => {
    const soak = {
      ...{ at: '2026-01-02', machine, seed: 7, minutes: 20, verdict: 'passed' },
      load: { steadyVibes: 10, shortVibes: 5, listeners: 60, chunks: 9, hoursOfSound: 3 },
      faults: [{ name: 'encoder-cut' }, { name: 'encoder-cut' }],
      events: { explained: 4, unexplained: [], notJudged: [], ofControl: 0 },
      account: { accepted: 1_000, silence: 0, lost: 0, difference: 0, within: 8 },
      judgements: [{ what: 'events', verdict: 'passed', detail: 'all 4' }],
    } as unknown as SoakResult;
    const text = page(results(), results(), soak);
    expect(text).toContain('seed 7, has **passed**: 2 faults (encoder-cut 2×), 4 events explained and 0 not');
    expect(text).toContain('| events | passed | all 4 |');
  });
});

describe('the promises that are figures', () => {
  const verdicts = (embedded: Results): Map<string, string[]> =>
    new Map(targetRows(embedded, results()).map(([promise = '', ...cells]) => [promise, cells]));
  const CUT = 'The RTMP connection is cut: the longest wait for sound';

  it('are met, missed, or not measured', () => {
    const cut = (stallMs: number): Results => results(row('encoder', 'its connection is cut', { stallMs }));
    expect(verdicts(results()).get(CUT)).toEqual(['the embedded server', '1000 ms', '–', 'not measured']);
    expect(verdicts(cut(480)).get(CUT)?.slice(2)).toEqual(['480 ms', 'met']);
    expect(verdicts(cut(1_001)).get(CUT)?.slice(2)).toEqual(['1001 ms', '**missed**']);
  });

  it('are not judged where no run was quiet enough', () => {
    const busy = row('encoder', 'its connection is cut', { stallMs: 9_000 }, { unjudged: 'busy' });
    expect(verdicts(results(busy)).get(CUT)?.slice(2)).toEqual(['9000 ms', 'not judged']);
  });
});
