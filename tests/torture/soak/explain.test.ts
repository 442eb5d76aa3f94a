import { explanationOf, type FaultWindow, type HeardEvent } from './explain';

const window: FaultWindow = {
  fault: 3,
  vibeId: 'a',
  fromMs: 10_000,
  untilMs: 11_000,
  mayLose: true,
  mayInsert: true,
};
const event: HeardEvent = {
  ...{ vibeId: 'a', kind: 'lost', net: 1_024, foreign: 0 },
  ...{ fromMs: 10_100, untilMs: 10_600 },
};

describe('an event that a listener heard', () => {
  it('is explained by the fault in whose time it lies', () => {
    expect(explanationOf(event, [{ ...window, fault: 1, fromMs: 0, untilMs: 500 }, window])).toBe(3);
  });

  it('may be 100 ms off, and the priming of a new encoder behind it', () => {
    const at = (fromMs: number, untilMs = fromMs): HeardEvent => ({ ...event, fromMs, untilMs });
    expect(explanationOf(at(9_890, 9_901), [window])).toBe(3);
    expect(explanationOf(at(9_800, 9_899), [window])).toBeUndefined();
    expect(explanationOf(at(11_120), [window])).toBe(3);
    expect(explanationOf(at(11_130), [window])).toBeUndefined();
  });

  it('is not explained by a fault that was done to somebody else', () => {
    expect(explanationOf({ ...event, vibeId: 'b' }, [window])).toBeUndefined();
    expect(explanationOf({ ...event, vibeId: 'b' }, [{ ...window, vibeId: undefined }])).toBe(3);
  });

  it('is not explained by a fault that may not cost what it cost', () => {
    const silence: HeardEvent = { ...event, kind: 'inserted', net: -5_000, foreign: 5_100 };
    expect(explanationOf(silence, [{ ...window, mayLose: false }])).toBe(3);
    expect(explanationOf(event, [{ ...window, mayLose: false }])).toBeUndefined();
    // 5000 samples of silence in the place of 6000 of the creator's.
    const both: HeardEvent = { ...event, net: 1_000, foreign: 5_000 };
    expect(explanationOf(both, [{ ...window, mayLose: false }])).toBeUndefined();
    expect(
      explanationOf({ ...both, kind: 'damaged', net: 0 }, [{ ...window, mayLose: false }]),
    ).toBeUndefined();
    expect(explanationOf(silence, [{ ...window, mayLose: false, mayInsert: false }])).toBeUndefined();
  });

  it('is unexplained where nothing was done', () => {
    expect(explanationOf(event, [])).toBeUndefined();
  });
});
