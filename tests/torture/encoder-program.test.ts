import { eventually } from '../helpers/eventually';
import { describeWithEach } from '../helpers/media-servers';
import { FfmpegProgram } from './faults/ffmpeg-program';
import { kill } from './faults/signals';
import type { Bite, Fault, Scene } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

/** So many starts fail before the program is whole again. */
const FAILURES = 3;

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

  const faults: Fault[] = [
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
