import { check, checkTable, describe as describeJudgement, judge } from '../../bench/lib/check';
import { TookTooLong } from '../../bench/lib/child-bench';
import type { Report } from '../../bench/lib/report';
import { benchOf, reportOf } from '../helpers/report';

const calm = { seconds: 20, disturbed: 2, summary: 'the machine stalled a little' };
const busy = { seconds: 20, disturbed: 3, summary: 'the machine stalled a lot' };

/** A report with one ratio, whose target is 1.2. */
function ratio(value: number, guard?: Report['comparisons'][number]['guard']): Report {
  return reportOf({
    comparisons: [{ name: 'relay', unit: '× the floor', value, target: { most: 1.2 }, guard }],
  });
}

const verdicts = (...args: Parameters<typeof judge>): string[] =>
  judge(...args).map(({ verdict }) => verdict);

describe('the guard', () => {
  it('takes what is within the bound, and within its slack', () => {
    expect(verdicts(ratio(1.2), 1, calm)).toEqual(['met']);
    expect(verdicts(ratio(1.5), 1.25, calm)).toEqual(['met']);
  });

  it('refuses what is out of bounds', () => {
    expect(verdicts(ratio(1.21), 1, calm)).toEqual(['missed']);
    expect(verdicts(ratio(1.51), 1.25, calm)).toEqual(['missed']);
  });

  it('does not accuse the relay where the machine kept everybody waiting, and says why', () => {
    const [judgement] = judge(ratio(5), 1, busy);
    expect(judgement).toMatchObject({ verdict: 'not judged', why: 'the machine stalled a lot' });
  });

  it('takes a good figure on any machine', () => {
    expect(verdicts(ratio(1.1), 1, busy)).toEqual(['met']);
  });

  it('never takes no figure for a good one', () => {
    expect(verdicts(ratio(NaN), 100, calm)).toEqual(['not judged']);
  });

  it('has bounds of its own where a benchmark gives it some, and leaves alone what is no use to it', () => {
    expect(verdicts(ratio(1.9, { most: 2 }), 1, calm)).toEqual(['met']);
    expect(verdicts(ratio(2.1, { most: 2 }), 1, calm)).toEqual(['missed']);
    expect(verdicts(ratio(2.1, 'none'), 1, calm)).toEqual([]);
  });

  it('runs those that are for it, and goes on behind one that breaks', async () => {
    const ran: string[] = [];
    const benches = [benchOf('broken'), benchOf('long', { isGuard: false }), benchOf('startup')];
    const judgements = await check(benches, {
      slack: 1,
      say: () => undefined,
      run: async (name) => {
        ran.push(name);
        if (name === 'broken') throw new Error('ended with 1');
        return ratio(1);
      },
    });
    expect(ran).toEqual(['broken', 'startup']);
    expect(judgements).toMatchObject([
      { bench: 'broken', verdict: 'missed', why: 'ended with 1' },
      { bench: 'startup', verdict: 'met' },
    ]);
  });

  it('never takes a benchmark that took too long for a good one', async () => {
    const judgements = await check([benchOf('endless')], {
      slack: 100,
      say: () => undefined,
      run: () => Promise.reject(new TookTooLong('took longer than 120 s')),
    });
    // Whose fault it was, the machine says.
    expect(judgements).toHaveLength(1);
    expect(['missed', 'not judged']).toContain(judgements[0]?.verdict);
    expect(judgements[0]?.why).toContain('took longer than 120 s');
  });

  it('tells people what failed and what was not judged, in a line each', () => {
    const judgements = [...judge(ratio(1.9), 1, calm), ...judge(ratio(3), 1, busy)];
    const text = checkTable(judgements, 1);
    expect(text).toContain('FAILED: startup, relay: 1.90 × the floor, ≤ 1.20 × the floor');
    expect(text).toContain(
      'NOT JUDGED: startup, relay: 3 × the floor, ≤ 1.20 × the floor (the machine stalled a lot)',
    );
    expect(judgements.map(describeJudgement)[0]).toBe('startup, relay: 1.90 × the floor, ≤ 1.20 × the floor');
  });
});
