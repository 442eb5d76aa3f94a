import type { SoakResult, ToldEvent } from './result';
import { countsOf, summaryOf } from './summary';

const flat = {
  mibPer10Minutes: 0.1,
  firstMib: 20,
  lastMib: 20.1,
  verdict: 'flat',
  why: 'at most 1 MiB',
} as const;
const event: ToldEvent = {
  ...{ vibeId: 'steady-3', kind: 'lost', net: 1_024, foreign: 0, fromMs: 0, untilMs: 40, atSeconds: 61.5 },
  explanation: undefined,
  log: ['{"level":"warn","msg":"what the relay said"}'],
};

function resultOf(parts: Partial<SoakResult> = {}): SoakResult {
  return {
    at: '2026-11-21',
    machine: {} as SoakResult['machine'],
    ...{ seed: 7, minutes: 2, stalls: 'the machine stalled for 1 s', verdict: 'passed', judgements: [] },
    load: { steadyVibes: 10, shortVibes: 25, listeners: 300, chunks: 1_000, hoursOfSound: 0.4 },
    faults: [],
    events: { explained: 3, unexplained: [], notJudged: [], ofControl: 1 },
    account: { accepted: 100, silence: 0, lost: 0, difference: 0, within: 8 },
    memory: { daemonHeap: flat, daemonRss: flat, mediaServerHeap: flat, mediaServerRss: flat },
    ...parts,
  };
}

describe('what a soak came to', () => {
  it('names what nothing explains, and what the relay said about that time', () => {
    const text = summaryOf(
      resultOf({ events: { explained: 0, unexplained: [event], notJudged: [], ofControl: 0 } }),
    );
    expect(text).toContain('UNEXPLAINED: steady-3 at 61.5 s: lost, net 1024, 0 foreign');
    expect(text).toContain('what the relay said');
  });

  it('says loudly what could not be judged, but not that a short run is short', () => {
    const judgements = [
      { what: 'events', verdict: 'not judged', detail: 'the machine stood still' },
      { what: 'memory', verdict: 'not judged', detail: 'too short', isTooShort: true },
      { what: 'log', verdict: 'failed', detail: 'fatal: x' },
      { what: 'control', verdict: 'passed', detail: 'well' },
    ] as const;
    const result = resultOf({ judgements, verdict: 'failed' });
    const text = summaryOf(result);
    expect(text).toContain('NOT JUDGED: events: the machine stood still');
    expect(text).not.toContain('NOT JUDGED: memory');
    expect(text).toContain('? memory: too short');
    expect(countsOf(result)).toEqual({
      passed: 1,
      failed: ['log (seed 7): fatal: x'],
      unjudged: ['events (seed 7): the machine stood still'],
    });
  });
});
