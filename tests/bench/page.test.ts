import { performancePage } from '../../bench/lib/page';
import type { Report } from '../../bench/lib/report';
import { benchOf, reportOf } from '../helpers/report';

const startup = reportOf({
  measures: [{ name: 'relay', unit: 'ms', each: [80, 90, 100] }],
  comparisons: [
    { name: 'relay', unit: '× by hand', value: 1.02, target: { most: 1.15 } },
    { name: 'relay', unit: 'ms', value: 300, target: { most: 250 } },
  ],
  plots: [{ name: 'startup', title: 'How it starts', xLabel: 'ms', yLabel: 'share of starts', series: [] }],
  notes: ['one | two'],
});
const density = reportOf({
  bench: 'density',
  comparisons: [{ name: 'vibes on air', unit: 'vibes', value: NaN, target: { least: 80 } }],
});
const benches = [benchOf('startup'), benchOf('join'), benchOf('density')];
const page = (reports: readonly Report[], limits = ''): string =>
  performancePage(benches, reports, { limits });

describe('the page of performance', () => {
  it('shows at a glance what is held against what, misses included', () => {
    const text = page([startup, density]);
    expect(text).toContain('| [startup](#startup) | relay | 1.02 × by hand | ≤ 1.15 × by hand | met |');
    expect(text).toContain('| [startup](#startup) | relay | 300 ms | ≤ 250 ms | **missed** |');
    expect(text).toContain('| [density](#density) | vibes on air | – vibes | ≥ 80 vibes | not judged |');
  });

  it('has a section for each benchmark, in their order, with median, spread, pictures, notes and how it was made', () => {
    const text = page([density, startup]);
    expect(text.indexOf('## startup')).toBeLessThan(text.indexOf('## density'));
    expect(text).toContain('What startup does.');
    expect(text).toContain('| relay | 90 | 80 to 100 | ms | 3 |');
    expect(text).toContain('![How it starts](performance/startup.svg)');
    expect(text).toContain('- One | two.');
    expect(text).toContain('`npm run bench startup` on 2026-11-21, commit `abc1234`: rounds 3, seconds 1.');
  });

  it('says where it was measured, once for all or for each', () => {
    expect(page([startup, density]).match(/Some CPU/g)).toHaveLength(1);
    const other = { ...density, machine: { ...density.machine, cores: 64 } };
    const text = page([startup, other]);
    expect(text).toContain(
      '- startup: on 2 cores of Some CPU, 4 GiB; Some Linux 1, Linux 6.1.0; Node v20.19.0, FFmpeg 5.1.9',
    );
    expect(text).toContain('- density: on 64 cores');
  });

  it('has no section of a benchmark of which no report was kept', () => {
    expect(page([startup])).not.toContain('## density');
    expect(page([])).toContain('Nothing was measured yet.');
  });

  it('says of a quick run that it is rough', () => {
    expect(page([{ ...startup, quick: true }])).toContain('In a quick run, and rough:');
  });

  it('takes in what people wrote about targets that are missed', () => {
    expect(page([startup], '### startup\n\nBecause.\n')).toContain(
      '## Targets that are not met, and why\n\n### startup\n\nBecause.\n\n## Measure',
    );
    expect(page([startup])).not.toContain('## Targets that are not met');
  });
});
