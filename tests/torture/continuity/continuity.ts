import { driftOf } from './drift';
import { beginOf, edgesBetween, endOf } from './edges';
import { Likeness } from './likeness';
import { ALIKE, type Stretch, stretches, WINDOW } from './stretches';

/** One place where what was heard is not what was sent. Counts are samples of one channel. */
export interface ContinuityEvent {
  /**
   * `lost`: the reference goes on later than it should. `inserted`: it goes on earlier, because silence or a
   * repetition was put in. `damaged`: it goes on where it should, and something else was heard meanwhile.
   */
  readonly kind: 'lost' | 'inserted' | 'damaged';
  /** Where in what was heard. */
  readonly at: number;
  /** Samples lost less samples inserted, exactly. */
  readonly net: number;
  /** Samples heard there that are not the reference: silence, fades, what a decoder makes of a break. To a few. */
  readonly foreign: number;
}

export interface ContinuityReport {
  readonly events: readonly ContinuityEvent[];
  /** Samples lost less samples inserted, over all events. */
  readonly net: number;
  /** Samples of the reference, between the first and the last heard, that were not heard. */
  readonly lost: number;
  /** Samples heard, between the first and the last of the reference, that are none of it or had been heard before. */
  readonly inserted: number;
  /** How much faster than it was made the reference was heard, in parts per million; steps that make it up are no events. */
  readonly driftPpm: number;
  /** The first sample of the reference that was heard, and the one behind the last; both 0 where none was. */
  readonly first: number;
  readonly end: number;
  /** Where in what was heard the reference began: 1024 samples of an AAC encoder's priming, for one. */
  readonly heardFrom: number;
  /** Where in what was heard it ended. */
  readonly heardUntil: number;
  readonly meanLikeness: number;
}

/** The short pass: holes of 5 ms and more, which long windows do not see. */
const SHORT_WINDOW = 480;
const SHORT_HOP = 96;

/**
 * Holds what a listener heard against the noise that a creator sent, sample by sample. A lost sample is found as one
 * lost sample, through AAC at 48 kbit/s a channel and more; a clean stream has no events.
 * @param heard one channel at 48 kHz
 * @param reference the same channel of what was sent (`noise`)
 * @param expectedLag where what was heard first is looked for first: so many samples on in the reference
 */
export function checkContinuity(
  heard: Float32Array,
  reference: Float32Array,
  expectedLag?: number,
): ContinuityReport {
  const likeness = new Likeness(heard, reference);
  const { found, meanLikeness } = stretches(likeness, expectedLag);
  const [first] = found;
  const last = found.at(-1);
  if (!first || !last)
    return {
      events: [],
      net: 0,
      lost: 0,
      inserted: 0,
      driftPpm: 0,
      first: 0,
      end: 0,
      heardFrom: 0,
      heardUntil: 0,
      meanLikeness: 0,
    };

  const heardFrom = beginOf(likeness, first.lag, Math.max(0, first.from - WINDOW), first.from + WINDOW);
  const heardUntil = endOf(
    likeness,
    last.lag,
    last.until - WINDOW,
    Math.min(heard.length, last.until + WINDOW),
  );
  const { drift, rest } = driftOf(found);
  const events = [...rest.flatMap((pair) => between(likeness, pair)), ...holes(likeness, found)]
    .sort((a, b) => a.at - b.at)
    .filter(isNew);
  return {
    events,
    net: events.reduce((sum, { net }) => sum + net, 0),
    lost: events.reduce((sum, { net, foreign }) => sum + Math.max(0, net + foreign), 0),
    inserted: events.reduce((sum, { net, foreign }) => sum + foreign + Math.max(0, -net - foreign), 0),
    driftPpm: drift,
    first: heardFrom + first.lag,
    end: heardUntil + last.lag,
    heardFrom,
    heardUntil,
    meanLikeness,
  };
}

function between(likeness: Likeness, [a, b]: readonly [Stretch, Stretch]): ContinuityEvent[] {
  const { end, begin } = edgesBetween(likeness, a, b);
  const net = b.lag - a.lag;
  // One look that saw the place a sample off, and the next one back.
  if (net === 0 && begin === end) return [];
  return [{ kind: kindOf(net), at: end, net, foreign: begin - end }];
}

function kindOf(net: number): ContinuityEvent['kind'] {
  if (net > 0) return 'lost';
  return net < 0 ? 'inserted' : 'damaged';
}

/** Damage within the stretches. */
function holes(likeness: Likeness, found: readonly Stretch[]): ContinuityEvent[] {
  return found.flatMap((stretch, index) => {
    const before = found[index - 1];
    const after = found[index + 1];
    const from = before ? edgesBetween(likeness, before, stretch).begin : stretch.from + WINDOW;
    const until = after ? edgesBetween(likeness, stretch, after).end : stretch.until - WINDOW;
    return holesIn(likeness, { ...stretch, from, until });
  });
}

function holesIn(likeness: Likeness, { from, until, lag }: Stretch): ContinuityEvent[] {
  const events: ContinuityEvent[] = [];
  const isBad = (at: number): boolean =>
    at + SHORT_WINDOW <= until && likeness.at(at, SHORT_WINDOW, lag) < ALIKE;
  for (let at = from; at + SHORT_WINDOW <= until; at += SHORT_HOP) {
    if (!isBad(at)) continue;
    const begin = at;
    while (isBad(at + SHORT_HOP)) at += SHORT_HOP;
    const middle = Math.floor((begin + at + SHORT_WINDOW) / 2);
    const end = endOf(likeness, lag, Math.max(from, begin - SHORT_WINDOW), middle);
    const next = beginOf(likeness, lag, middle, Math.min(until, at + 2 * SHORT_WINDOW));
    events.push({ kind: 'damaged', at: end, net: 0, foreign: next - end });
  }
  return events;
}

/** What the short pass sees at the edge of an event is that event. */
function isNew(event: ContinuityEvent, index: number, all: readonly ContinuityEvent[]): boolean {
  if (event.net !== 0) return true;
  return !all.some(
    (other, at) =>
      at !== index &&
      (other.net !== 0 || at < index) &&
      event.at <= other.at + other.foreign + SHORT_WINDOW &&
      other.at <= event.at + event.foreign + SHORT_WINDOW,
  );
}
