import { performance } from 'node:perf_hooks';
import { Canary, notJudged } from '../helpers/canary';
import { delay } from '../helpers/eventually';
import { quantile } from '../helpers/quantile';
import { seededRandom } from '../helpers/music';
import { checkContinuity } from './continuity/continuity';
import { noise } from './continuity/noise';
import { kill } from './faults/signals';
import { NumberedCreator } from './suite/creator';
import { Ear } from './suite/ear';
import { Stage } from './suite/stage';
import { keep } from './suite/table';

const ROUNDS = 5;
const VIBES = 10;
const KILLS = ROUNDS * VIBES;
const FRAME = 1_024;
/** Steady before, and heard after: two seconds, in AAC frames. */
const STEADY_FRAMES = 94;
/** Each kill comes up to so much after the one before, at any moment of a frame. */
const APART_MS = 600;
const PROMISED_GAP_MS = 1_000;
/** What an AAC encoder holds; but the next one is fed it, so that the account of it must be 0. */
const PROMISED_LOST = 3 * FRAME;
/** A machine that stood still for longer made gaps of its own. */
const DISTURBED_MS = 200;
const LIMIT_MS = 300_000;

/** What one kill cost. */
interface Gap {
  readonly gapMs: number;
  /** Samples accepted and not heard, exactly; and what the metrics of its vibe say. */
  readonly lost: number;
  readonly counted: number;
}

describe(`${KILLS} FFmpegs killed (SIGKILL), each of a vibe that is well, ten vibes at a time`, () => {
  const gaps: Gap[] = [];
  let stage: Stage;
  let canary: Canary;
  let stalledMs = 0;

  beforeAll(async () => {
    canary = await Canary.start();
    stage = await Stage.open();
    for (let round = 0; round < ROUNDS; round += 1) {
      const fromMs = performance.now();
      const looks = await playRound(round);
      stalledMs = Math.max(stalledMs, (await canary.look()).worstStallMs(fromMs, performance.now()));
      for (const look of looks) gaps.push(await look());
    }
  }, LIMIT_MS);
  afterAll(async () => {
    await canary?.stop();
    await stage?.close();
  });

  /** Ten vibes, one kill each. @returns what looks at each afterwards: that takes the CPU that the next round needs */
  async function playRound(round: number): Promise<(() => Promise<Gap>)[]> {
    const random = seededRandom(round + 1);
    const vibes = await Promise.all(
      Array.from({ length: VIBES }, async (_, index) => {
        const vibeId = `kill-${round}-${index}`;
        const seed = 100_000 + 10 * (round * VIBES + index);
        const ownerKey = await stage.claim(vibeId);
        const ear = await Ear.open(stage.daemon.flvUrl(vibeId));
        const creator = new NumberedCreator({ apiUrl: stage.daemon.apiUrl, vibeId, seed, ownerKey });
        creator.start();
        return { vibeId, seed, ownerKey, ear, creator };
      }),
    );
    await Promise.all(vibes.map(({ ear }) => ear.hears(STEADY_FRAMES)));
    const killedMs: number[] = [];
    for (const { vibeId } of vibes) {
      await delay(random() * APART_MS);
      killedMs.push(await kill(stage.encoderOf(vibeId)));
    }
    return Promise.all(
      vibes.map(async ({ vibeId, seed, ownerKey, ear, creator }, index) => {
        await ear.hears(STEADY_FRAMES, performance.now());
        const counted = (await stage.daemon.status(vibeId))?.['lostSamples'] as number;
        await creator.stop();
        await stage.playOut(vibeId, ownerKey, ear);
        const { fromMs, untilMs } = ear.longestStall((killedMs[index] as number) - 50);
        return async (): Promise<Gap> => {
          const [left] = await ear.decoded();
          const report = checkContinuity(left, noise(seed, 0, creator.sentSamples));
          // The frame that each encoder begins with is none of the creator's.
          return { gapMs: untilMs - fromMs, lost: report.net + FRAME, counted };
        };
      }),
    );
  }

  it('are heard again within a second at the 95th percentile, and cost no more than the encoder held', () => {
    const gapsMs = gaps.map(({ gapMs }) => gapMs);
    const p95 = quantile(gapsMs, 0.95);
    const lost = Math.max(...gaps.map((gap) => gap.lost));
    const counted = gaps.reduce((sum, gap) => sum + gap.counted, 0);
    const difference = Math.max(...gaps.map((gap) => Math.abs(gap.counted - gap.lost)));
    const complaints = [
      ...(p95 > PROMISED_GAP_MS
        ? [`ms without a frame: ${Math.round(p95)}, at most ${PROMISED_GAP_MS}`]
        : []),
      ...(lost > PROMISED_LOST ? [`samples lost: ${lost}, at most ${PROMISED_LOST}`] : []),
      ...(difference > 0 ? [`the metrics’ account is ${difference} samples off, at most 0`] : []),
    ];
    console.info(
      `without a frame: median ${quantile(gapsMs, 0.5).toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, ` +
        `worst ${Math.max(...gapsMs).toFixed(0)} ms; lost ${lost} at most, counted ${counted} in all; ${canary.summary}`,
    );
    const fault = `FFmpeg is killed, ${KILLS} times; 95th percentile`;
    const why = `the machine stood still for ${stalledMs.toFixed(0)} ms; ${complaints.join('; ')}`;
    const isDisturbed = complaints.length > 0 && stalledMs > DISTURBED_MS;
    keep({
      ...{ fault, group: 'kills', mediaServer: 'embedded' },
      ...(isDisturbed && { unjudged: why }),
      verdict: {
        ...{
          fault,
          witness: `${KILLS} processes were gone`,
          lost: Math.max(0, lost),
          inserted: 0,
          net: lost - FRAME,
        },
        ...{ stallMs: Math.round(p95), recoveryMs: Math.round(p95), reconnects: 0, restarts: 1 },
        ...{ counted: { lost: counted, silence: 0, discarded: 0 }, difference, complaints },
      },
    });
    expect(gaps).toHaveLength(KILLS);
    if (isDisturbed) return notJudged(fault, why);
    expect(complaints).toEqual([]);
  });
});
