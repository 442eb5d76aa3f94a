import { performance } from 'node:perf_hooks';
import { Canary, notJudged } from '../helpers/canary';
import { eventually } from '../helpers/eventually';
import { httpRequest } from '../helpers/http-request';
import { checkContinuity, type ContinuityReport } from './continuity/continuity';
import { chunkOf, NumberedCreator, sentBy } from './suite/creator';
import { Stage } from './suite/stage';
import { keep } from './suite/table';

const FRAME = 1_024;
const RATE = 48_000;
/** Instead of 30 s, so that it is soon over. */
const HOLD_SECONDS = 4;
/** FFmpeg fills its last frame up and looks a frame ahead, and a frame is what silence is made of. */
const FRAMES_MORE = 3;
/** A machine that stood still for longer says nothing of when something happened. */
const DISTURBED_MS = 200;
const VIBE = 'silent-for-good';

describe(`a creator who falls silent for longer than HOLD_SECONDS (${HOLD_SECONDS} s)`, () => {
  let stage: Stage;
  let canary: Canary;
  let report: ContinuityReport;
  let sent: number;
  /** Samples of silence: what was heard behind the creator's last one, and what the metrics say. */
  let heard: number;
  let counted: number;
  /** From the creator's last frame to the end of the connection. */
  let stayedMs: number;
  let stallMs: number;
  let reconnects: number;
  let after: { status: number; state: unknown };

  beforeAll(async () => {
    canary = await Canary.start();
    stage = await Stage.open({ HOLD_SECONDS: String(HOLD_SECONDS) });
    const ownerKey = await stage.claim(VIBE);
    const ear = await stage.listen(VIBE);
    const silence = async (): Promise<number> =>
      (await stage.daemon.metrics()).sumOrZero('vibesflow_samples_silence_total');
    const before = await silence();
    const creator = new NumberedCreator({ apiUrl: stage.daemon.apiUrl, vibeId: VIBE, seed: 18, ownerKey });
    creator.start();
    await ear.hears(94);
    await creator.stop();
    sent = creator.sentSamples;
    await eventually('the vibe has ended', () => !ear.isConnected, { withinMs: 30_000 });
    const endedMs = performance.now();
    counted = (await silence()) - before;
    // The vibe is over; audio begins another one, which nobody has claimed.
    const answer = await httpRequest(`${stage.daemon.apiUrl}/stream/${VIBE}/audio?creator=noise`, {
      method: 'POST',
      headers: { 'content-type': 'audio/pcm;rate=48000;channels=2' },
      body: chunkOf(18, 0),
    });
    after = { status: answer.status, state: (await stage.daemon.status(VIBE))?.['claimed'] };
    await ear.leave();
    await canary.look();

    const [left] = await ear.decoded();
    report = checkContinuity(left, sentBy(creator, 18));
    heard = left.length - FRAME - sent;
    const lastFrame = ear.frames[Math.ceil(sent / FRAME)];
    stayedMs = endedMs - (lastFrame?.atMs ?? NaN);
    stallMs = ear.longestStall(0).untilMs - ear.longestStall(0).fromMs;
    reconnects = ear.reconnects;
  }, 90_000);
  afterAll(async () => {
    await canary?.stop();
    await stage?.close();
  });

  it('is waited for with silence to the end of its time, and nobody is cut off before', () => {
    console.info(
      `${stayedMs.toFixed(0)} ms of silence, ${heard} samples heard, ${counted} counted; ` +
        `${stallMs.toFixed(0)} ms without a frame at worst; ${canary.summary}`,
    );
    expect(report.events).toEqual([]);
    expect(sent - report.end).toBeLessThan(FRAMES_MORE * FRAME);
    expect(reconnects).toBe(0);
    if (canary.worstStallMs(0, performance.now()) > DISTURBED_MS)
      return notJudged('the length of the silence', canary.summary);
    expect(Math.abs(heard - HOLD_SECONDS * RATE)).toBeLessThan(RATE / 2);
    expect(stallMs).toBeLessThan(500);
  });

  it('costs as much silence as the metrics say', () => {
    expect(heard - counted).toBeGreaterThanOrEqual(0);
    expect(heard - counted).toBeLessThanOrEqual(FRAMES_MORE * FRAME);
    keep({
      ...{ fault: `a creator falls silent for good; HOLD_SECONDS is ${HOLD_SECONDS}`, group: 'silence' },
      mediaServer: 'embedded',
      verdict: {
        fault: 'a creator falls silent for good',
        witness: `${(heard / RATE).toFixed(2)} s of silence, then the end`,
        ...{ lost: 0, inserted: heard, net: -heard, stallMs: Math.round(stallMs), recoveryMs: 0 },
        ...{ reconnects, restarts: 0, counted: { lost: 0, silence: counted, discarded: 0 } },
        ...{ difference: heard - counted, complaints: [] },
      },
    });
  });

  it('finds another vibe when it is back', () => {
    expect(after).toEqual({ status: 202, state: false });
  });
});
