import { describeMachine } from '../../../bench/lib/machine';
import { accountOf } from './account-verdict';
import { explanationOf, type HeardEvent } from './explain';
import { type Flatness, flatnessOf, HEAP_RULE, RSS_RULE } from './flatness';
import { isDisturbed, passedIf } from './judging';
import { whatIsLeft } from './leftovers';
import type { LifeMemory } from './memory';
import type { DoneFault, Judgement, SoakResult, ToldEvent } from './result';
import type { Doing, Witnessed } from './soak';
import type { SoakVibe } from './soak-vibe';

/** What was held when the machine stood still is heard as missing that much later at most. */
const HELD_MS = 2_000;
/** Lines of the log about an event that nothing explains: of so long before and after. */
const LOG_AROUND_MS = 1_500;
const LOG_LINES = 20;

/** Holds all that was witnessed against what has to hold. */
export async function verdictsOf(seen: Witnessed): Promise<SoakResult> {
  const { plan, churn, memory } = seen;
  // First of all: what is left is not to wait for anything that is only arithmetic.
  const left = await whatIsLeft(seen);
  const told = explained(seen);
  const account = accountOf(seen);
  const flat = flatnessesOf(seen);
  const judgements: Judgement[] = [
    faultsJudged(seen.doings),
    eventsJudged(told),
    controlJudged(seen),
    account.judged,
    passedIf('people', seen.complaints),
    passedIf('listeners', listenersOf(seen)),
    passedIf('nothing left', left.residue),
    passedIf('descriptors', left.descriptors),
    left.handles,
    passedIf('log', fatalOf(seen)),
    memoryJudged('memory of the daemon: heap', flat.daemonHeap),
    memoryJudged('memory of the daemon: resident', flat.daemonRss),
    memoryJudged('memory of the media server: heap', flat.mediaServerHeap, memory.serverUnknown),
    memoryJudged('memory of the media server: resident', flat.mediaServerRss),
  ];
  const sent = seen.vibes.reduce((sum, vibe) => sum + vibe.sentSamples, 0);
  return {
    at: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    seed: plan.seed,
    minutes: plan.seconds / 60,
    stalls: seen.canary.summary,
    load: {
      steadyVibes: plan.steadyVibes + 1,
      shortVibes: churn.over.length,
      listeners: churn.listeners,
      chunks: seen.metrics.sumOrZero('vibesflow_ingest_chunks_total'),
      hoursOfSound: Math.round((sent / 48_000 / 3_600) * 100) / 100,
    },
    faults: seen.doings.map((doing) => doneFault(doing, seen, told)),
    events: {
      explained: told.filter(({ explanation }) => typeof explanation === 'number').length,
      unexplained: told.filter(({ explanation }) => explanation === undefined),
      notJudged: told.filter(({ explanation }) => explanation === 'machine'),
      ofControl: seen.control.events.length,
    },
    account: account.told,
    memory: flat,
    judgements,
    verdict: judgements.some(({ verdict }) => verdict === 'failed') ? 'failed' : 'passed',
  };
}

function explained({ vibes, doings, stage, startMs, canary }: Witnessed): ToldEvent[] {
  const windows = doings.map(({ window }) => window);
  const log = stage.log();
  const epochMs = performance.timeOrigin;
  const logAround = ({ fromMs, untilMs, vibeId }: HeardEvent): string[] =>
    log
      .filter((line) => {
        const atMs = Date.parse(String(line['time'])) - epochMs;
        const isNear = atMs > fromMs - LOG_AROUND_MS && atMs < untilMs + LOG_AROUND_MS;
        return isNear && (line.vibeId === vibeId || line.level !== 'info');
      })
      .slice(0, LOG_LINES)
      .map((line) => JSON.stringify(line));
  return vibes
    .flatMap(({ events }) => events)
    .sort((a, b) => a.fromMs - b.fromMs)
    .map((event) => {
      const sinceMs = event.fromMs - HELD_MS;
      const stalledMs = Math.round(canary.worstStallMs(sinceMs, event.untilMs));
      const isMachines = isDisturbed(canary, sinceMs, event.untilMs);
      const explanation = explanationOf(event, windows) ?? (isMachines ? 'machine' : undefined);
      const atSeconds = Math.round((event.fromMs - startMs) / 100) / 10;
      const isNamed = typeof explanation === 'number';
      return { ...event, atSeconds, explanation, ...(isNamed ? {} : { log: logAround(event), stalledMs }) };
    });
}

function doneFault(
  { planned, target, witness, failure, window }: Doing,
  seen: Witnessed,
  told: readonly ToldEvent[],
): DoneFault {
  const own = told.filter(({ explanation }) => explanation === window.fault);
  return {
    atSeconds: Math.round((window.fromMs - seen.startMs) / 100) / 10,
    name: planned.name,
    target,
    witness: failure ?? witness,
    seconds: Math.round((window.untilMs - window.fromMs) / 100) / 10,
    events: own.length,
    net: own.reduce((sum, { net }) => sum + net, 0),
    longestMs: Math.round(Math.max(0, ...own.map(({ fromMs, untilMs }) => untilMs - fromMs))),
  };
}

function flatnessesOf({ memory }: Witnessed): SoakResult['memory'] {
  // A new life begins with nothing: the longest one has the most to tell.
  const longest = memory.serverLives.reduce<LifeMemory>(
    (best, life) => (life.samples.length > best.samples.length ? life : best),
    { pid: 0, samples: [] },
  );
  return {
    daemonHeap: flatnessOf(memory.daemon, 'heapBytes', HEAP_RULE),
    daemonRss: flatnessOf(memory.daemon, 'rssBytes', RSS_RULE),
    mediaServerHeap: flatnessOf(longest.samples, 'heapBytes', HEAP_RULE),
    mediaServerRss: flatnessOf(longest.samples, 'rssBytes', RSS_RULE),
  };
}

function faultsJudged(doings: readonly Doing[]): Judgement {
  const failures = doings.flatMap(({ window, planned, failure }) =>
    failure === undefined ? [] : [`fault ${window.fault} (${planned.name}): ${failure}`],
  );
  if (doings.length === 0) failures.push('no fault was done');
  return passedIf('faults', failures, `${doings.length} done, each with its witness, and over`);
}

function eventsJudged(told: readonly ToldEvent[]): Judgement {
  const [unexplained, machines] = [
    told.filter(({ explanation }) => explanation === undefined),
    told.filter(({ explanation }) => explanation === 'machine'),
  ];
  if (unexplained.length > 0)
    return { what: 'events', verdict: 'failed', detail: unexplained.map(inWords).join('; ') };
  if (machines.length > 0)
    return {
      what: 'events',
      verdict: 'not judged',
      detail: `the machine stood still: ${machines.map(inWords).join('; ')}`,
    };
  return { what: 'events', verdict: 'passed', detail: `all ${told.length} lie in the time of a fault` };
}

/** Faults of one vibe are heard by that one alone. */
function controlJudged({ control, doings }: Witnessed): Judgement {
  const own = doings.filter(({ window }) => window.vibeId === undefined).map(({ window }) => window);
  const strange = control.events.filter((event) => explanationOf(event, own) === undefined);
  const detail = `${control.events.length} events, all of faults that hit everybody`;
  return strange.length === 0
    ? { what: 'control', verdict: 'passed', detail }
    : { what: 'control', verdict: 'not judged', detail: `${strange.length} events: see events` };
}

function listenersOf({ vibes }: Witnessed): string[] {
  return vibes.flatMap(({ vibeId, ear }: SoakVibe) => [
    ...(ear.timestampFaults > 0 ? [`${vibeId}: time went back ${ear.timestampFaults} times`] : []),
    ...(ear.complaints && ear.arrivals.count > 0
      ? [`${vibeId}: the decoder says ${ear.complaints.slice(0, 200)}`]
      : []),
  ]);
}

function fatalOf({ stage }: Witnessed): string[] {
  return stage
    .log()
    .filter(({ level }) => level === 'fatal')
    .map(({ msg }) => `fatal: ${msg}`);
}

/** Too short a run tells of growth only; its slope is not judged, and nobody has to be told loudly. */
function memoryJudged(what: string, flat: Flatness, unknown?: string): Judgement {
  const figures = `${flat.firstMib.toFixed(1)} → ${flat.lastMib.toFixed(1)} MiB, ${flat.mibPer10Minutes.toFixed(2)} MiB in 10 min`;
  const detail = `${figures}: ${unknown ?? flat.why}`;
  if (flat.verdict === 'not judged')
    return { what, verdict: 'not judged', detail, isTooShort: unknown === undefined };
  return { what, verdict: flat.verdict === 'flat' ? 'passed' : 'failed', detail };
}

function inWords({ vibeId, atSeconds, kind, net, stalledMs = 0 }: ToldEvent): string {
  const stall = stalledMs > 0 ? ` (the machine stood still for up to ${stalledMs} ms)` : '';
  return `${vibeId} at ${atSeconds} s: ${kind}, net ${net}${stall}`;
}
