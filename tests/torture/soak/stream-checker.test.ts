import type { ContinuityEvent } from '../continuity/continuity';
import { NOISE_RATE } from '../continuity/noise';
import { Reference } from './reference';
import { type HeardInAll, StreamChecker } from './stream-checker';

const sent = new Reference(5);
const PRIMING = 1_024;
/** Where a break begins and ends is found to so many samples; what it comes to is exact. */
const EDGE = 200;

/** What a listener hears: stretches of what is sent (from, until), and silence (a length). */
type Part = readonly [from: number, until: number] | number;

function hear(parts: readonly Part[]): { events: ContinuityEvent[]; inAll: HeardInAll } {
  const events: ContinuityEvent[] = [];
  const checker = new StreamChecker(sent, (event) => events.push(event));
  const push = (samples: Float32Array): void => {
    for (let at = 0; at < samples.length; at += 9_600) checker.push(samples.subarray(at, at + 9_600));
  };
  push(new Float32Array(PRIMING));
  for (const part of parts) {
    if (typeof part === 'number') push(new Float32Array(part));
    else push(sent.left(part[0], part[1] - part[0]));
  }
  return { events, inAll: checker.finish() };
}

const s = (seconds: number): number => Math.round(seconds * NOISE_RATE);

describe('a listener who is listened in on', () => {
  it('hears all of it, however long that is', () => {
    expect(hear([[0, s(17)]])).toEqual({
      events: [],
      inAll: { samples: s(17) + PRIMING, net: 0, first: 0, end: s(17), lead: -PRIMING, trailing: 0 },
    });
  });

  // A piece is 5 s long: events at its edges, and far from them.
  it.each([2.2, 4.9, 4.9786, 5, 5.02, 5.106, 7.77])('hears one sample missing at %d s, once', (at) => {
    const { events, inAll } = hear([
      [0, s(at)],
      [s(at) + 1, s(14)],
    ]);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ kind: 'lost', net: 1 });
    expect(Math.abs((events[0]?.at as number) - s(at) - PRIMING)).toBeLessThan(4_096);
    expect(inAll).toMatchObject({ net: 1, end: s(14) });
  });

  it.each([4.7, 4.95, 4.98, 5, 5.05, 6.3])(
    'hears 10 ms of silence in the place of sound at %d s, once',
    (at) => {
      const { events } = hear([[0, s(at)], 480, [s(at) + 480, s(15)]]);
      expect(events).toHaveLength(1);
      expect(events[0]).toMatchObject({ kind: 'damaged', net: 0 });
    },
  );

  it('hears what an encoder’s restart costs, exactly', () => {
    const { events, inAll } = hear([[0, s(12.3)], PRIMING, [s(12.3) + 3_072, s(20)]]);
    expect(events).toHaveLength(1);
    const [event] = events as [ContinuityEvent];
    expect(event.net).toBe(3_072 - PRIMING);
    expect(Math.abs(event.foreign - PRIMING)).toBeLessThan(EDGE);
    expect(Math.abs(event.at - s(12.3) - PRIMING)).toBeLessThan(EDGE);
    expect(inAll.net).toBe(3_072 - PRIMING);
  });

  it.each([3, 9, 25])('hears %d s of silence put in, and where it goes on', (seconds) => {
    const { events, inAll } = hear([[0, s(8)], s(seconds), [s(8), s(16)]]);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ kind: 'inserted', net: -s(seconds) });
    expect(inAll).toMatchObject({ net: -s(seconds), end: s(16) });
  });

  it('hears that 8 s are missing', () => {
    const { events } = hear([
      [0, s(9.5)],
      [s(17.5), s(28)],
    ]);
    expect(events.map(({ net }) => net)).toEqual([s(8)]);
  });

  it('finds it again after more silence than it waits for', () => {
    const { events, inAll } = hear([[0, s(8)], s(45), [s(8), s(20)]]);
    expect(events.map(({ kind, net }) => ({ kind, net }))).toEqual([{ kind: 'inserted', net: -s(45) }]);
    expect(inAll).toMatchObject({ net: -s(45), end: s(20) });
  });

  it('tells the beginning and the end that were not heard, and what came behind', () => {
    const { events, inAll } = hear([[s(1.5), s(17)], 30_000]);
    expect(events).toEqual([]);
    expect(Math.abs(inAll.first - s(1.5))).toBeLessThan(EDGE);
    expect(inAll.lead).toBe(s(1.5) - PRIMING);
    expect(Math.abs(inAll.end - s(17))).toBeLessThan(EDGE);
    expect(Math.abs(inAll.trailing - 30_000)).toBeLessThan(EDGE);
  });

  it('says so where nothing was heard of it', () => {
    expect(hear([s(3)]).inAll).toMatchObject({ net: 0, first: 0, end: 0, trailing: s(3) + PRIMING });
    expect(hear([s(80)]).inAll).toMatchObject({ end: 0, trailing: s(80) + PRIMING });
  });
});
