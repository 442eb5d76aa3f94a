import { describeMachine } from '../../../bench/lib/machine';
import { eventually } from '../../helpers/eventually';
import { residueOf } from '../suite/residue';
import { type Counted, differenceOf, toleranceOf, unaccounted, type VibeAccount } from './account';
import { explanationOf, type HeardEvent } from './explain';
import { type Flatness, flatnessOf, HEAP_RULE, RSS_RULE } from './flatness';
import type { Holdings, LifeMemory } from './memory';
import type { DoneFault, Judgement, SoakResult, ToldEvent } from './result';
import type { Doing, Witnessed } from './soak';
import type { SoakVibe } from './soak-vibe';

/** A machine that stood still for longer made events of its own: what creators are ahead by is not much more. */
const DISTURBED_MS = 200;
/** So did one on which somebody who wanted to run had to wait for such a part of the time. */
const DISTURBED_PART = 0.25;
/** What was held when it stood still is heard as missing that much later at most. */
const HELD_MS = 2_000;
const DESCRIPTORS = 3;
const SETTLES_WITHIN_MS = 12_000;
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
    passedIf('accounts', account.complaints),
    passedIf('people', seen.complaints),
    passedIf('listeners', listenersOf(seen)),
    passedIf('nothing left', left.residue),
    passedIf('descriptors', left.descriptors),
    left.handles,
    passedIf('log', fatalOf(seen)),
    memoryJudged('memory of the daemon: heap', flat.daemonHeap),
    memoryJudged('memory of the daemon: resident', flat.daemonRss),
    memoryJudged('memory of the media server: heap', flat.mediaServerHeap, memory.serverUnknown),
    memoryJudged('memory of the media server: resident', flat.mediaServerRss, memory.serverUnknown),
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
      const part = canary.stalledMs(sinceMs, event.untilMs) / (event.untilMs - sinceMs);
      const isMachines = stalledMs > DISTURBED_MS || part > DISTURBED_PART;
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

function accountOf(seen: Witnessed): { told: SoakResult['account']; complaints: string[] } {
  const { vibes, stage, before, metrics } = seen;
  const log = stage.log();
  const accounts = vibes.flatMap(
    ({ vibeId, heard, sentSamples, lostSamples, silenceSamples }): VibeAccount[] => {
      if (!heard) return [];
      const runs = log.filter((line) => line.vibeId === vibeId && line.msg === 'encoder running').length;
      const restarts = Math.max(0, runs - 1);
      return [{ vibeId, heard, restarts, sent: sentSamples, lost: lostSamples, silence: silenceSamples }];
    },
  );
  const grown = (name: keyof Counted): number =>
    metrics.sumOrZero(`vibesflow_samples_${name}_total`) -
    before.standing.metrics.sumOrZero(`vibesflow_samples_${name}_total`);
  const counted: Counted = {
    accepted: grown('accepted'),
    played: grown('played'),
    discarded: grown('discarded'),
    silence: grown('silence'),
    lost: grown('lost'),
  };
  const { accepted, silence, lost } = counted;
  const within = accounts.reduce((sum, vibe) => sum + toleranceOf(vibe), 0);
  return {
    told: { accepted, silence, lost, difference: differenceOf(accounts, counted), within },
    complaints: unaccounted(accounts, counted),
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

/** What has to be as before, when everybody is gone: it may take some seconds. */
async function whatIsLeft(
  seen: Witnessed,
): Promise<{ residue: string[]; descriptors: string[]; handles: Judgement }> {
  const { stage, before, memory } = seen;
  const residue = await residueOf(stage, before.standing);
  let [descriptors, handles]: [string[], string[]] = [[], []];
  let isKnown = true;
  await eventually(
    'as before',
    async () => {
      const now = await memory.holdings();
      isKnown = now.mediaServer.handles !== undefined && before.holdings.mediaServer.handles !== undefined;
      descriptors = both(seen, now, ({ descriptors: open }) => open, DESCRIPTORS);
      handles = both(seen, now, (holdings) => holdings.handles ?? {}, 0);
      return descriptors.length + handles.length === 0;
    },
    { withinMs: SETTLES_WITHIN_MS, everyMs: 1_000 },
  ).catch(() => undefined);
  const unknown = `of the daemon equal; ${memory.serverUnknown ?? 'the media server’s inspector did not answer'}`;
  const isUnknown = handles.length === 0 && !isKnown;
  const judged = passedIf('handles', handles);
  return {
    residue,
    descriptors,
    handles: isUnknown ? { ...judged, verdict: 'not judged', detail: unknown } : judged,
  };
}

function both(
  { before }: Witnessed,
  now: { daemon: Holdings; mediaServer: Holdings },
  of: (holdings: Holdings) => Readonly<Record<string, number>>,
  allowed: number,
): string[] {
  return (['daemon', 'mediaServer'] as const).flatMap((who) => {
    const [was, is] = [of(before.holdings[who]), of(now[who])];
    const kinds = [...new Set([...Object.keys(was), ...Object.keys(is)])];
    const grown = kinds.map((kind) => ({ kind, by: (is[kind] ?? 0) - (was[kind] ?? 0) }));
    const sum = grown.reduce((total, { by }) => total + by, 0);
    const differs = allowed === 0 ? grown.some(({ by }) => by !== 0) : Math.abs(sum) > allowed;
    if (!differs || Object.keys(is).length === 0) return [];
    const types = grown
      .filter(({ by }) => by !== 0)
      .map(({ kind, by }) => `${by > 0 ? '+' : ''}${by} ${kind}`);
    return [`${who === 'daemon' ? 'the daemon' : 'the media server'}: ${types.join(', ')}`];
  });
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
  const stall = stalledMs > DISTURBED_MS ? ` (the machine stood still for ${stalledMs} ms)` : '';
  return `${vibeId} at ${atSeconds} s: ${kind}, net ${net}${stall}`;
}

function passedIf(what: string, complaints: readonly string[], praise = 'as it should be'): Judgement {
  return complaints.length === 0
    ? { what, verdict: 'passed', detail: praise }
    : { what, verdict: 'failed', detail: complaints.join('; ') };
}
