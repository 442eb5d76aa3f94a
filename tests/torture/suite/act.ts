import { performance } from 'node:perf_hooks';
import type { Canary } from '../../helpers/canary';
import { httpRequest } from '../../helpers/http-request';
import type { MetricsText } from '../../helpers/metrics-text';
import { checkContinuity, type ContinuityReport } from '../continuity/continuity';
import { judge } from './judge';
import { NumberedCreator, sentBy } from './creator';
import type { Bite, Fault, OnAir, Scene } from './fault';
import { type LoopDelay, LoopWatch } from './loop-watch';
import { residueOf, secretsAnswered } from './residue';
import type { Stage } from './stage';
import type { Verdict } from './table';

/** Heard before the fault, and after it is over: 2 s of AAC frames. */
const STEADY_FRAMES = 94;
const AAC_FRAME = 1_024;
let acts = 0;

/** What one vibe's listener heard, and what the relay did for it. */
export interface Heard {
  readonly onAir: OnAir;
  readonly report: ContinuityReport;
  /** Samples by which the right channel's account differs from the left's: 0, or they were mixed up. */
  readonly channelsDiffer: number;
  /** Encoders that came to run after the first. */
  readonly restarts: number;
}

/** All that is known of an act when it is over. */
export interface Evidence {
  readonly fault: Fault;
  readonly scene: Scene;
  readonly bite: Bite;
  readonly victim: Heard;
  readonly control: Heard;
  /** By how much each counter of samples has grown. */
  readonly counted: Counted;
  readonly log: ReturnType<Stage['log']>;
  readonly ready: number;
  /** Silence that stands behind the last sample of each vibe, for listeners to hear that out. */
  readonly tailSamples: number;
  /** The daemon's event loop before the fault, and after it. */
  readonly loops: readonly LoopDelay[];
  readonly residue: readonly string[];
}

export interface Counted {
  readonly accepted: number;
  readonly played: number;
  readonly silence: number;
  readonly discarded: number;
  readonly lost: number;
}

/** What came of a fault, and when the vibes were on air: what comes after keeps this process busy. */
export interface Performance {
  readonly verdict: Verdict;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Puts two vibes on air, does the fault to one of them, and holds what everybody heard against what everybody says. */
export async function perform(
  stage: Stage,
  fault: Fault,
  canary: Pick<Canary, 'look' | 'latenessMs'>,
): Promise<Performance> {
  const fromMs = performance.now();
  const before = await stage.standing();
  const mark = stage.mark;
  const seed = 1_000 + 10 * ++acts;
  const control = await putOnAir(stage, `${fault.vibeId}-control`, seed + 2, {
    creator: fault.controlCreator,
  });
  const victim = await putOnAir(stage, fault.vibeId, seed, fault);
  const scene: Scene = { stage, victim, control };
  const vibes = [victim, control];
  const watch = new LoopWatch(stage.inspector, canary);
  try {
    let endOfWatch = await watch.begin();
    await Promise.all(vibes.map(({ ear }) => ear.hears(STEADY_FRAMES)));
    const loops = [await endOfWatch()];
    const bite = await fault.inject(scene);
    const overMs = performance.now();
    endOfWatch = await watch.begin();
    await Promise.all(vibes.map(({ ear }) => ear.hears(STEADY_FRAMES, overMs)));
    loops.push(await endOfWatch());
    for (const { vibeId } of vibes) stage.encoderOf(vibeId);
    const shown = await secretsAnswered(
      stage,
      vibes.map(({ vibeId }) => vibeId),
    );
    const ready = (await httpRequest(`${stage.daemon.apiUrl}/ready`)).status;

    await Promise.all(
      vibes.map(async ({ vibeId, ownerKey, ear, creator }) => {
        await creator.stop();
        // At once: silence would follow the last sample otherwise.
        await stage.playOut(vibeId, ownerKey, ear);
      }),
    );

    const untilMs = performance.now();
    const log = stage.log(mark);
    const counted = await countedSince(stage, before.metrics);
    const residue = [...shown, ...(await residueOf(stage, before))];
    const [heardVictim, heardControl] = [await hear(victim, log), await hear(control, log)];
    const verdict = judge({
      ...{ fault, scene, bite, counted, log, ready, loops, residue },
      ...{ victim: heardVictim, control: heardControl },
      tailSamples: stage.media.tailFrames * AAC_FRAME,
    });
    return { verdict, fromMs, untilMs };
  } finally {
    await Promise.allSettled(vibes.map(({ creator }) => creator.stop()));
    await Promise.allSettled(vibes.map(({ ear }) => ear.leave()));
    await Promise.allSettled(vibes.map(({ vibeId, ownerKey }) => stage.end(vibeId, ownerKey)));
  }
}

async function putOnAir(
  stage: Stage,
  vibeId: string,
  seed: number,
  {
    creator: make = (options) => new NumberedCreator(options),
    listenAt,
  }: Pick<Fault, 'creator' | 'listenAt'>,
): Promise<OnAir> {
  const ownerKey = await stage.claim(vibeId);
  const ear = await stage.listen(vibeId, listenAt?.(vibeId));
  const creator = make({ apiUrl: stage.daemon.apiUrl, vibeId, seed, ownerKey });
  creator.start();
  return { vibeId, seed, ownerKey, ear, creator };
}

async function hear(onAir: OnAir, log: Evidence['log']): Promise<Heard> {
  const { ear, creator, seed, vibeId } = onAir;
  const [left, right] = await ear.decoded();
  const report = checkContinuity(left, sentBy(creator, seed));
  const other = checkContinuity(right, sentBy(creator, seed + 1));
  const runs = log.filter((line) => line.vibeId === vibeId && line.msg === 'encoder running').length;
  return { onAir, report, channelsDiffer: Math.abs(report.net - other.net), restarts: Math.max(0, runs - 1) };
}

async function countedSince(stage: Stage, before: MetricsText): Promise<Counted> {
  const now = await stage.daemon.metrics();
  const grown = (name: string): number =>
    now.sumOrZero(`vibesflow_samples_${name}_total`) - before.sumOrZero(`vibesflow_samples_${name}_total`);
  return {
    accepted: grown('accepted'),
    played: grown('played'),
    silence: grown('silence'),
    discarded: grown('discarded'),
    lost: grown('lost'),
  };
}
