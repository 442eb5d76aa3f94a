import { NOISE_RATE } from '../continuity/noise';
import type { Evidence, Heard } from './act';
import type { Verdict } from './table';

/** An AAC encoder's first frame carries nothing: whoever stays connected hears it as 1024 samples put in. */
const PRIMING = 1_024;
/** What the account may be off by where nothing is told: rounding, at a creator's rate of 48 kHz none. */
export const ACCOUNT_WITHIN = 8;
/** The edges of what a decoder makes of a break are found to some hundred samples. */
const EDGE = 512;
/** How late the daemon's event loop may be where no fault holds it up, in one of a hundred looks. */
const LOOP_P99_MS = 50;
/** More lines of one kind are a line for each chunk, or each frame. */
const CHATTER_LINES = 20;
/** What the end of a stream may lack: the encoder's look-ahead, and a window of the checker's. */
const TAIL_SAMPLES = 3 * 1_024;

/** Holds what was heard against what was promised and against what the metrics say. */
export function judge(evidence: Evidence): Verdict {
  const { fault, bite, victim, control, counted } = evidence;
  const stall = victim.onAir.ear.longestStall(bite.atMs - 50);
  const stallMs = stall.untilMs - stall.fromMs;
  const { lost, inserted } = paidBy(victim);
  const complaints = [
    ...priceOf(evidence, { stallMs, lost, inserted }),
    ...accountOf(evidence),
    ...(fault.hitsAll ? [] : untouched(control)),
    ...[victim, control].flatMap(soundOf),
    ...logOf(evidence),
    ...loopsOf(evidence),
    ...(evidence.ready === 200 ? [] : [`/ready says ${evidence.ready} when all is well again`]),
    ...evidence.residue,
  ];
  return {
    fault: fault.name,
    witness: bite.witness,
    lost,
    inserted,
    net: victim.report.net,
    stallMs: Math.round(stallMs),
    recoveryMs:
      stallMs < victim.onAir.ear.usualGapMs
        ? 0
        : Math.round(stall.untilMs - Math.max(bite.atMs, stall.fromMs)),
    reconnects: victim.onAir.ear.reconnects,
    restarts: victim.restarts,
    counted: { lost: counted.lost, silence: silenceOf(evidence), discarded: counted.discarded },
    difference: differenceOf(evidence),
    complaints,
  };
}

/**
 * What was lost and what was put in, without what each start of an encoder sounds like: 1024 samples of priming, and a
 * frame that is cut off. Beside them the sum is exact, and so is what was lost where nothing was put in.
 */
function paidBy({ report, restarts }: Heard): { lost: number; inserted: number } {
  const primed = PRIMING * restarts;
  const foreign = report.inserted - primed;
  const inserted = foreign > EDGE * restarts ? foreign : 0;
  return { lost: Math.max(0, report.net + primed + inserted), inserted };
}

function priceOf(
  { fault, victim }: Evidence,
  paid: { stallMs: number; lost: number; inserted: number },
): string[] {
  const { price } = fault;
  const complaints: string[] = [];
  const atMost = (what: string, value: number, most: number): void => {
    if (value > most) complaints.push(`${what}: ${Math.round(value)}, at most ${most}`);
  };
  const edges = paid.inserted > 0 ? EDGE : 0;
  atMost('samples lost', paid.lost, price.lost + edges);
  atMost('samples inserted', paid.inserted, (price.inserted ?? 0) + edges);
  atMost('ms without a frame', paid.stallMs, price.stallMs);
  atMost('reconnects', victim.onAir.ear.reconnects, price.reconnects ?? 0);
  atMost('restarts', victim.restarts, price.restarts ?? 0);
  return complaints;
}

/** What the metrics say was lost and put in, less what was heard: 0 where the account is right. */
function differenceOf({ counted, victim, control, tailSamples }: Evidence): number {
  const heard = victim.report.net + control.report.net;
  const primed = PRIMING * (victim.restarts + control.restarts);
  return counted.lost - silenceOf({ counted, tailSamples }) - primed - heard;
}

/** Silence between two samples of the creator's, and not behind the last. */
function silenceOf({ counted, tailSamples }: Pick<Evidence, 'counted' | 'tailSamples'>): number {
  return counted.silence - 2 * tailSamples;
}

function accountOf(evidence: Evidence): string[] {
  const { counted, fault, victim, control } = evidence;
  const complaints: string[] = [];
  const sent = victim.onAir.creator.sentSamples + control.onAir.creator.sentSamples;
  if (counted.accepted !== sent) complaints.push(`${counted.accepted} samples accepted of ${sent} sent`);
  const kept = counted.accepted - counted.played - counted.discarded;
  if (kept !== 0) complaints.push(`${kept} samples accepted and neither played nor discarded`);
  const difference = Math.abs(differenceOf(evidence));
  const within = fault.account?.within ?? ACCOUNT_WITHIN;
  if (difference > within)
    complaints.push(`the metrics’ account is ${differenceOf(evidence)} samples off, at most ${within}`);
  return complaints;
}

function untouched({ report, onAir, restarts }: Heard): string[] {
  const complaints: string[] = [];
  for (const { kind, net, foreign, at } of report.events)
    complaints.push(`the control vibe: ${kind} ${net} (${foreign}) at ${(at / NOISE_RATE).toFixed(3)} s`);
  if (onAir.ear.reconnects > 0)
    complaints.push(`the control’s listener was cut ${onAir.ear.reconnects} times`);
  if (restarts > 0) complaints.push(`the control’s encoder started again ${restarts} times`);
  return complaints;
}

/** Both channels, from the first sample to the last, in time that never goes back. */
function soundOf({ onAir, report, channelsDiffer }: Heard): string[] {
  const complaints: string[] = [];
  const { vibeId, ear, creator } = onAir;
  if (channelsDiffer > 0) complaints.push(`${vibeId}: the channels differ by ${channelsDiffer} samples`);
  if (report.first > TAIL_SAMPLES) complaints.push(`${vibeId}: heard from sample ${report.first} on only`);
  const missing = creator.sentSamples - report.end;
  if (missing > TAIL_SAMPLES) complaints.push(`${vibeId}: the last ${missing} samples were not heard`);
  if (ear.timestampFault) complaints.push(`${vibeId}: ${ear.timestampFault}`);
  return complaints;
}

/** One line names the fault, none is fatal, and nothing is told over and over. */
function logOf({ fault, scene, log }: Evidence): string[] {
  const { says, lines = 1 } = fault;
  const complaints: string[] = [];
  const naming = says ? log.filter((line) => says(line, scene)) : [];
  if (says && naming.length === 0) complaints.push('no line of the log names the fault');
  if (naming.length > lines)
    complaints.push(`${naming.length} lines of the log name the fault, at most ${lines}`);
  for (const line of log.filter(({ level }) => level === 'fatal')) complaints.push(`fatal: ${line.msg}`);
  const counts = new Map<string, number>();
  // Each refusal has its line, for whoever looks for an intruder; the relay bounds them itself.
  for (const { msg, audit } of log) if (audit === undefined) counts.set(msg, (counts.get(msg) ?? 0) + 1);
  for (const [msg, count] of counts)
    if (count > CHATTER_LINES) complaints.push(`“${msg}” stands in the log ${count} times`);
  return complaints;
}

/** What the machine made everybody wait is not the daemon's. */
function loopsOf({ loops }: Evidence): string[] {
  return loops.flatMap(({ p99Ms, machineMs }, index) => {
    const late = p99Ms - machineMs;
    if (late <= LOOP_P99_MS) return [];
    const when = index === 0 ? 'before' : 'after';
    return [`${when} the fault the event loop is ${Math.round(late)} ms late, at most ${LOOP_P99_MS}`];
  });
}
