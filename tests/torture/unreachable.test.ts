import { eventually } from '../helpers/eventually';
import { FfmpegProgram } from './faults/ffmpeg-program';
import { kill } from './faults/signals';
import { SynBlackHole } from './faults/syn-black-hole';
import { TcpProxy } from './faults/tcp-proxy';
import type { Bite, Fault, Scene } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

/**
 * FFmpeg gives up a connection that nobody answers after 5 s, and one that is accepted and silent after 6 s; until the next
 * one goes the right way again the backoff adds up to half a second.
 */
const GIVES_UP_WITHIN_MS = 9_000;
const FAILURES_LOGGED = 2;

describe('a vibe whose way to the media server leads nowhere', () => {
  let stage: Stage;
  let program: FfmpegProgram;
  beforeAll(async () => {
    program = new FfmpegProgram();
    stage = await Stage.open({ FFMPEG_PATH: program.path });
  });
  afterAll(async () => {
    await stage?.close();
    program?.dispose();
  });

  /** The next encoder goes that way; when it has given up, those that follow go the right one. */
  async function leadAstray({ victim }: Scene, port: number, proof: () => string): Promise<Bite> {
    const failed = async (): Promise<number> =>
      (await stage.daemon.metrics()).sum('vibesflow_encoder_exits_total');
    const before = await failed();
    program.detour(port);
    const atMs = await kill(stage.encoderOf(victim.vibeId));
    try {
      await eventually('an encoder gave up', async () => (await failed()) - before >= 2);
    } finally {
      program.detour(stage.daemon.rtmpPort);
    }
    return { atMs, witness: proof() };
  }

  const faults: Fault[] = [
    {
      name: 'what the media server’s port leads to takes connections and says nothing',
      vibeId: 'no-handshake',
      inject: async (scene) => {
        const proxy = await TcpProxy.start(stage.daemon.rtmpPort);
        proxy.set({ up: { blackHole: true }, down: { blackHole: true } });
        try {
          return await leadAstray(scene, proxy.port, () => {
            if (proxy.accepted === 0) throw new Error('nobody connected');
            return `${proxy.accepted} connections, ${proxy.bytes.up} bytes handed on`;
          });
        } finally {
          await proxy.close();
        }
      },
      price: { lost: 0, stallMs: GIVES_UP_WITHIN_MS, restarts: 1 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['reason'] === 'output-failed',
      lines: FAILURES_LOGGED,
    },
    {
      name: 'packets to the media server’s port vanish (SYN)',
      vibeId: 'no-answer',
      inject: async (scene) => {
        const hole = await SynBlackHole.open();
        try {
          return await leadAstray(scene, hole.port, () => 'nobody who connects is answered');
        } finally {
          await hole.close();
        }
      },
      price: { lost: 0, stallMs: GIVES_UP_WITHIN_MS, restarts: 1 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['reason'] === 'output-failed',
      lines: FAILURES_LOGGED,
    },
  ];

  testFaults(() => stage, faults);
});
