import { eventually } from '../helpers/eventually';
import { exhaustDescriptors } from './faults/descriptors';
import { kill, stop, stopFor } from './faults/signals';
import type { Fault } from './suite/fault';
import type { LogLine } from './suite/stage';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

const FRAME = 1_024;
/** Who was with the dead media server cannot say what it received: FFmpeg's progress counts, every half second. */
const NO_WITNESS = {
  within: 2 * (24_000 + 4 * FRAME),
  because:
    'what a dead media server received is known from FFmpeg’s progress alone, which comes every half second',
};

const ended = (line: LogLine): boolean => line.msg.startsWith('The media server process ended');

const faults: Fault[] = [
  {
    name: 'the media server is killed (SIGKILL)',
    vibeId: 'server-killed',
    inject: async ({ stage }) => {
      const server = stage.mediaServer();
      return { atMs: await kill(server), witness: `process ${server.pid} was gone` };
    },
    price: { lost: 10 * FRAME, stallMs: 3_000, reconnects: 1, restarts: 1 },
    says: ended,
    hitsAll: true,
    account: NO_WITNESS,
  },
  {
    name: 'the media server stands still for 3 s (SIGSTOP)',
    vibeId: 'server-stopped',
    inject: async ({ stage }) => {
      const atMs = await stopFor(stage.mediaServer(), 3_000);
      return { atMs, witness: 'the process stood still to the end' };
    },
    price: { lost: 0, stallMs: 3_500 },
    hitsAll: true,
  },
  {
    name: 'the media server stands still for good (SIGSTOP)',
    vibeId: 'server-stopped-for-good',
    inject: async ({ stage }) => {
      const server = stage.mediaServer();
      const atMs = await stop(server);
      await eventually('another media server', () => {
        const other = stage.daemon.mediaServerProcess();
        return other !== undefined && other.pid !== server.pid;
      });
      return { atMs, witness: `process ${server.pid} stood still until it was killed` };
    },
    price: { lost: 10 * 48_000, stallMs: 10_000, reconnects: 1, restarts: 1 },
    says: (line) => line.msg.includes('does not answer'),
    hitsAll: true,
    account: { ...NO_WITNESS, within: 2 * 7 * 48_000 },
  },
  {
    name: 'the media server has no descriptors left for 5 s (prlimit)',
    vibeId: 'server-descriptors',
    inject: async ({ stage }) =>
      exhaustDescriptors({ pid: stage.mediaServer().pid, url: stage.daemon.mediaUrl }, 5_000),
    price: { lost: 0, stallMs: 500 },
  },
];

describe('vibes whose media server fails', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(async () => stage?.close());

  testFaults(() => stage, faults);
});
