import { performance } from 'node:perf_hooks';
import { eventually } from '../helpers/eventually';
import { describeWithEach } from '../helpers/media-servers';
import { FfmpegProgram } from './faults/ffmpeg-program';
import { kill } from './faults/signals';
import type { Bite, Fault, Scene } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

/** So many starts fail before the program is whole again. */
const FAILURES = 3;

/** Until a supervisor gives up trying soon, by chance; then it looks every 30 s. */
const GIVES_UP_WITHIN_MS = 60_000;
const MOST_STARTS = 8;
const HEALS_WITHIN_MS = 31_000;

describeWithEach('a vibe whose FFmpeg does not start', (media) => {
  let stage: Stage;
  let program: FfmpegProgram;
  beforeAll(async () => {
    program = new FfmpegProgram();
    stage = await Stage.open({ FFMPEG_PATH: program.path }, { media });
  });
  afterAll(async () => {
    await stage?.close();
    program?.dispose();
  });

  /** Kills the encoder, and mends the program when so many of its successors have failed for this reason. */
  async function failToStart({ victim }: Scene, reason: string, mend: () => void): Promise<Bite> {
    const failed = async (): Promise<number> =>
      (await stage.daemon.metrics()).sum('vibesflow_encoder_exits_total', { reason });
    const before = await failed();
    const atMs = await kill(stage.encoderOf(victim.vibeId));
    try {
      await eventually(`${FAILURES} failed starts`, async () => (await failed()) - before >= FAILURES);
    } finally {
      mend();
    }
    return { atMs, witness: `${FAILURES} starts failed: ${reason}` };
  }

  /** Kills the encoder, and mends the program when the supervisor has given up; and the vibe has to be heard again. */
  async function beGivenUp({ victim: { vibeId, ear } }: Scene): Promise<Bite> {
    const { mark } = stage;
    program.break();
    const atMs = await kill(stage.encoderOf(vibeId));
    try {
      const state = async (): Promise<unknown> =>
        ((await stage.daemon.status(vibeId))?.['encoder'] as { state: string } | undefined)?.state;
      await eventually('the encoder is given up', async () => (await state()) === 'failed', {
        withinMs: GIVES_UP_WITHIN_MS,
      });
    } finally {
      program.mend();
    }
    const mendedMs = performance.now();
    const startsMs = stage
      .log(mark)
      .filter((line) => line.vibeId === vibeId && line.msg === 'encoder starting')
      .map((line) => Date.parse(line['time'] as string));
    const apartMs = startsMs.slice(1).map((ms, index) => ms - (startsMs[index] as number));
    if (startsMs.length > MOST_STARTS) throw new Error(`${startsMs.length} starts`);
    if (new Set(apartMs).size < apartMs.length - 1)
      throw new Error(`starts at fixed times: ${apartMs.join()}`);
    await ear.hears(1, mendedMs, HEALS_WITHIN_MS);
    return {
      atMs,
      witness: `${startsMs.length} starts failed, ${apartMs.join(', ')} ms apart; healed ${Math.round(performance.now() - mendedMs)} ms after`,
    };
  }

  const faults: Fault[] = [
    {
      name: 'FFmpeg ends with 1 whenever it is started, until it is given up',
      vibeId: 'given-up',
      inject: beGivenUp,
      price: { lost: 0, stallMs: GIVES_UP_WITHIN_MS + HEALS_WITHIN_MS, restarts: 1 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line.msg === 'encoder failed',
    },
    {
      name: 'FFmpeg ends with 1 whenever it is started',
      vibeId: 'exit-1',
      inject: async (scene) => {
        program.break();
        return failToStart(scene, 'output-failed', () => program.mend());
      },
      price: { lost: 0, stallMs: 8_000, restarts: 1 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['reason'] === 'output-failed',
      lines: FAILURES + 1,
    },
    {
      name: 'FFmpeg is not there any more (ENOENT)',
      vibeId: 'no-ffmpeg',
      inject: async (scene) => {
        program.remove();
        return failToStart(scene, 'spawn-failed', () => program.bringBack());
      },
      price: { lost: 0, stallMs: 8_000, restarts: 1 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['reason'] === 'spawn-failed',
      lines: FAILURES + 1,
    },
  ];

  testFaults(() => stage, faults, media);
});
