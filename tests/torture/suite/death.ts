import { performance } from 'node:perf_hooks';
import { eventually } from '../../helpers/eventually';
import { httpRequest, jsonRequest } from '../../helpers/http-request';
import { isAlive, type ProcessEntry } from '../../helpers/processes';
import { checkContinuity } from '../continuity/continuity';
import { noise } from '../continuity/noise';
import { CHUNK_SAMPLES, type Creator, type CreatorOptions, NumberedCreator } from './creator';
import { Ear } from './ear';
import type { Bite } from './fault';
import type { Verdict } from './table';
import { ReturningCreator } from './websocket-creator';

/** A relay as it is seen from outside, over its deaths: another process has its addresses then. */
export interface Mortal {
  readonly apiUrl: string;
  flvUrl(vibeId: string): string;
  /** Of all its processes so far. */
  log(): string;
  /** It, and all that it has started. */
  family(): ProcessEntry[];
}

/** A way to die, and what it may cost those who listen. */
export interface Death {
  /** For the table. */
  readonly name: string;
  readonly vibeId: string;
  /** Resolves when it is dead; somebody starts it again, or `die` does. @throws {Error} where it did not die */
  readonly die: () => Promise<Bite>;
  /** The longest time without sound: a start, and what the creator needs to see that it has to come back. */
  readonly soundWithinMs: number;
  /** Samples that may be heard once more; none unless told. */
  readonly heardTwice?: number;
  /** In order: what was taken is played out. */
  readonly inOrder?: boolean;
  /** How the log speaks of it. */
  readonly says: string;
}

const FRAME = 1_024;
/** A frame of silence has some twenty bytes, one of noise some hundreds. */
const SOUND_BYTES = 100;
const STEADY_FRAMES = 94;
/** What FFmpeg takes with it: two frames of look-ahead, and one that it is at. */
const HELD_BY_ENCODER = 3 * FRAME;
/** The edges of what a decoder makes of a break are found to some hundred samples. */
const EDGE = 512;
/** Nothing of a dead relay may run on for longer. */
const GONE_WITHIN_MS = 1_000;
const BACK_WITHIN_MS = 30_000;

interface Mourner {
  readonly how: string;
  readonly vibeId: string;
  readonly seed: number;
  readonly ownerKey: string;
  readonly ear: Ear;
  readonly creator: Creator;
}

/**
 * Two vibes on a relay that dies: one whose creator posts numbered chunks, and one whose creator comes by WebSocket and is
 * told how far it was played. @returns a verdict for each, with what was promised and not kept
 */
export async function outlive(
  relay: Mortal,
  death: Death,
  seed: number,
): Promise<{ verdicts: Verdict[]; fromMs: number; untilMs: number }> {
  const fromMs = performance.now();
  const posts = (options: CreatorOptions): Creator => new NumberedCreator(options);
  const sends = (options: CreatorOptions): Creator => new ReturningCreator(options);
  const mourners = [
    await putOnAir(relay, { how: 'a creator that posts', vibeId: `${death.vibeId}-posted`, seed }, posts),
    await putOnAir(
      relay,
      { how: 'one on the WebSocket door', vibeId: `${death.vibeId}-sent`, seed: seed + 2 },
      sends,
    ),
  ];
  try {
    await Promise.all(mourners.map(({ ear }) => ear.hears(STEADY_FRAMES)));
    const mark = relay.log().length;
    const family = relay.family();
    const bite = await death.die();
    await eventually('nothing of it runs on', () => family.every((entry) => !isAlive(entry)), {
      withinMs: GONE_WITHIN_MS,
    });
    await Promise.all(mourners.map((mourner) => hearsSound(mourner, bite.atMs)));
    await Promise.all(mourners.map((mourner) => playOut(relay, mourner)));
    const untilMs = performance.now();
    const log = relay.log().slice(mark);
    const verdicts = await Promise.all(mourners.map((mourner) => judge(mourner, death, bite, log)));
    return { verdicts, fromMs, untilMs };
  } finally {
    await Promise.allSettled(mourners.map(({ creator }) => creator.stop()));
    await Promise.allSettled(mourners.map(({ ear }) => ear.leave()));
  }
}

async function putOnAir(
  { apiUrl, flvUrl }: Mortal,
  who: Pick<Mourner, 'how' | 'vibeId' | 'seed'>,
  make: (options: CreatorOptions) => Creator,
): Promise<Mourner> {
  const { vibeId, seed } = who;
  const start = { method: 'POST', json: { creator: 'noise', claim: true } };
  const { status, json } = await jsonRequest(`${apiUrl}/stream/${vibeId}/start`, start);
  if (status !== 201) throw new Error(`start: ${status} ${JSON.stringify(json)}`);
  const ownerKey = json['ownerKey'] as string;
  const ear = await Ear.open(flvUrl(vibeId));
  const creator = make({ apiUrl, vibeId, seed, ownerKey });
  creator.start();
  return { ...who, ownerKey, ear, creator };
}

/** Sound of the relay that came after, for two seconds. What is under way when one dies may still arrive. */
async function hearsSound({ ear, vibeId }: Mourner, sinceMs: number): Promise<void> {
  await eventually(
    `${vibeId} is heard again`,
    () => {
      const { untilMs } = silenceOf(ear, sinceMs, performance.now());
      return ear.frames.filter(({ aac, atMs }) => isSound(aac) && atMs >= untilMs).length > STEADY_FRAMES;
    },
    { withinMs: BACK_WITHIN_MS, everyMs: 100 },
  );
}

function isSound(aac: Buffer): boolean {
  return aac.length > SOUND_BYTES;
}

/** The longest time without sound after a moment. @param nowMs where it may last */
function silenceOf(ear: Ear, sinceMs: number, nowMs?: number): { fromMs: number; untilMs: number } {
  const times = ear.frames.filter(({ aac }) => isSound(aac)).map(({ atMs }) => atMs);
  if (nowMs !== undefined) times.push(nowMs);
  let worst = { fromMs: sinceMs, untilMs: sinceMs };
  for (let at = 1; at < times.length; at += 1) {
    const [fromMs, untilMs] = [times[at - 1] as number, times[at] as number];
    if (untilMs > sinceMs && untilMs - fromMs > worst.untilMs - worst.fromMs) worst = { fromMs, untilMs };
  }
  return worst;
}

async function playOut({ apiUrl }: Mortal, { vibeId, ownerKey, ear, creator }: Mourner): Promise<void> {
  await creator.stop();
  const answer = await httpRequest(`${apiUrl}/stream/${vibeId}/end`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ownerKey}` },
    body: JSON.stringify({ creator: 'noise' }),
    withinMs: 60_000,
  });
  if (answer.status !== 200) throw new Error(`end: ${answer.status} ${answer.body.toString()}`);
  await eventually(`${vibeId} has ended`, () => !ear.isConnected, { withinMs: 60_000 });
  await ear.leave();
}

async function judge(mourner: Mourner, death: Death, bite: Bite, log: string): Promise<Verdict> {
  const { how, vibeId, seed, ear, creator } = mourner;
  const [left, right] = await ear.decoded();
  const report = checkContinuity(left, noise(seed, 0, creator.sentSamples));
  const other = checkContinuity(right, noise(seed + 1, 0, creator.sentSamples));
  const { fromMs, untilMs } = silenceOf(ear, bite.atMs - 50);
  // What was heard between the last of the creator's samples and the next is silence, priming, and a decoder's edges.
  const moved = report.events.reduce((sum, { net, foreign }) => sum + net + foreign, 0);
  const inserted = report.events.reduce((sum, { foreign }) => sum + foreign, 0);
  const [lost, twice] = [Math.max(0, moved), Math.max(0, -moved)];
  const said = heldBy(log, vibeId);
  // The chunk that was begun is not asked for again; one that posts has nothing older left to send.
  const isPosted = creator instanceof NumberedCreator;
  const mayLose = death.inOrder ? 0 : HELD_BY_ENCODER + CHUNK_SAMPLES + (isPosted ? said : 0);

  const complaints: string[] = [];
  const atMost = (what: string, value: number, most: number): void => {
    if (value > most) complaints.push(`${what}: ${Math.round(value)}, at most ${most}`);
  };
  atMost('ms without sound', untilMs - fromMs, death.soundWithinMs);
  atMost('samples lost', lost, mayLose + EDGE);
  atMost('samples heard twice', twice, (death.heardTwice ?? 0) + EDGE);
  atMost('reconnects', ear.reconnects, 1);
  const channels = Math.abs(report.net - other.net);
  if (channels > 0) complaints.push(`the channels differ by ${channels} samples`);
  const breaks = report.events.filter(({ at }) => !isAtTheBreak(ear, at, fromMs, untilMs));
  for (const { kind, net, foreign, at } of breaks)
    complaints.push(`${kind} ${net} (${foreign}) at sample ${at}, where nothing died`);
  const missing = creator.sentSamples - report.end;
  if (report.first > 3 * FRAME) complaints.push(`heard from sample ${report.first} on only`);
  if (missing > 3 * FRAME) complaints.push(`the last ${missing} samples were not heard`);
  if (ear.timestampFault) complaints.push(ear.timestampFault);
  if (!log.includes(death.says)) complaints.push('no line of the log names the fault');
  return {
    ...{ fault: `${death.name}; ${how}`, witness: bite.witness },
    ...{ lost, inserted, net: report.net },
    // Silence of the next relay's is no sound.
    stallMs: Math.round(untilMs - fromMs),
    recoveryMs: Math.round(untilMs - bite.atMs),
    reconnects: ear.reconnects,
    restarts: 1,
    counted: { lost: isPosted ? said : 0, silence: 0, discarded: 0 },
    difference: isPosted ? said - lost : -lost,
    complaints,
  };
}

/** Whether a place in what was heard lies about the time without sound. */
function isAtTheBreak(ear: Ear, at: number, fromMs: number, untilMs: number): boolean {
  const { atMs } = ear.frames[Math.min(Math.floor(at / FRAME), ear.frames.length - 1)] as { atMs: number };
  return atMs > fromMs - 250 && atMs < untilMs + 250;
}

/** What the relay that came after says it could not bring back, in samples. */
function heldBy(log: string, vibeId: string): number {
  const line = log
    .split('\n')
    .find((each) => each.includes('what was held is lost') && each.includes(`"${vibeId}"`));
  if (line === undefined) return 0;
  return ((JSON.parse(line) as { heldMs: number }).heldMs * 48_000) / 1_000;
}
