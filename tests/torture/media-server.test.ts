import { eventually } from '../helpers/eventually';
import { describeWithEach } from '../helpers/media-servers';
import { exhaustDescriptors } from './faults/descriptors';
import { stop, stopFor } from './faults/signals';
import type { Fault } from './suite/fault';
import type { LogLine } from './suite/stage';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

const FRAME = 1_024;
/** The media server says every 20 ms what it has received: what came after that is sent again, and may be heard twice. */
const TOLD_LATE = {
  within: 2 * FRAME,
  because:
    'of what a media server received in the last 20 ms before its death nobody knows: an AAC frame a vibe',
};

const ended = (line: LogLine): boolean => line.msg.startsWith('The media server process ended');

const faults: Fault[] = [
  {
    name: 'the media server is killed (SIGKILL)',
    vibeId: 'server-killed',
    inject: async ({ stage }) => {
      const { atMs, pid } = await stage.killMediaServer();
      return { atMs, witness: `process ${pid} was gone` };
    },
    price: { lost: FRAME, inserted: FRAME, stallMs: 3_000, reconnects: 1, restarts: 1 },
    says: ended,
    hitsAll: true,
    account: TOLD_LATE,
    withSrs: {
      price: { lost: 10 * FRAME, stallMs: 6_000, reconnects: 1 },
      says: (line) => line.msg === 'SRS was restarted',
      because: 'SRS keeps for its listeners what they have not got yet: that is gone with it',
    },
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
    price: { lost: FRAME, inserted: FRAME, stallMs: 8_000, reconnects: 1, restarts: 1 },
    says: (line) => line.msg.includes('does not answer'),
    hitsAll: true,
    account: TOLD_LATE,
    withSrs: { isNone: 'who watches SRS is its supervisor, and not the daemon' },
  },
  {
    name: 'the media server has no descriptors left for 5 s (prlimit)',
    vibeId: 'server-descriptors',
    inject: async ({ stage }) =>
      exhaustDescriptors({ pid: stage.mediaServer().pid, url: stage.daemon.mediaUrl }, 5_000),
    price: { lost: 0, stallMs: 500 },
    withSrs: { isNone: 'SRS keeps no descriptor in reserve to hang up with: it keeps waiting who knocks' },
  },
];

describeWithEach('vibes whose media server fails', (media) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({}, { media });
  });
  afterAll(async () => stage?.close());

  testFaults(() => stage, faults, media);
});
