import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../helpers/eventually';
import { describeWithEach } from '../helpers/media-servers';
import { seededRandom } from '../helpers/music';
import { cut } from './faults/sockets';
import { kill, stop, stopFor } from './faults/signals';
import type { Fault, Scene } from './suite/fault';
import type { LogLine } from './suite/stage';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

const FRAME = 1_024;
/** What an FFmpeg has read and not published, and what lies in its pipe, when it is killed. */
const HELD_BY_ENCODER = 3 * FRAME;
/** FFmpeg's pipe in the kernel holds a second of audio: what it never read is lost with it. */
const PIPE = 48_000 + HELD_BY_ENCODER;
const KILLS = 5;

const ofVictim =
  (reason: string) =>
  (line: LogLine, { victim }: Scene): boolean =>
    line.vibeId === victim.vibeId && line['reason'] === reason && line.msg.startsWith('an FFmpeg ended');

const faults: Fault[] = [
  {
    name: 'FFmpeg is killed (SIGKILL)',
    vibeId: 'killed',
    inject: async ({ stage, victim }) => {
      const encoder = stage.encoderOf(victim.vibeId);
      return { atMs: await kill(encoder), witness: `process ${encoder.pid} was gone` };
    },
    price: { lost: HELD_BY_ENCODER, stallMs: 1_000, restarts: 1 },
    says: ofVictim('killed'),
  },
  {
    name: `FFmpeg is killed ${KILLS} times, at any moment`,
    vibeId: 'killed-often',
    inject: async ({ stage, victim }) => {
      const random = seededRandom(5);
      const atMs = performance.now();
      for (let count = 0; count < KILLS; count += 1) {
        await kill(stage.encoderOf(victim.vibeId));
        const againMs = performance.now();
        await victim.ear.hears(20, againMs);
        await delay(random() * 50);
      }
      return { atMs, witness: `${KILLS} processes were gone` };
    },
    // From the second failure on, the wait is a random one of up to 250 ms · 2ⁿ; and what waited meanwhile is handed over
    // at once, so that more than usual lies in the pipe of one that is killed soon after its start.
    price: { lost: 2 * KILLS * HELD_BY_ENCODER, stallMs: 5_000, restarts: KILLS },
    says: ofVictim('killed'),
  },
  {
    name: 'FFmpeg stands still for 3 s (SIGSTOP)',
    vibeId: 'stopped',
    inject: async ({ stage, victim }) => {
      const atMs = await stopFor(stage.encoderOf(victim.vibeId), 3_000);
      return { atMs, witness: 'the process stood still to the end' };
    },
    price: { lost: 0, stallMs: 3_500 },
  },
  {
    name: 'FFmpeg stands still for good (SIGSTOP)',
    vibeId: 'stopped-for-good',
    inject: async ({ stage, victim }) => {
      const encoder = stage.encoderOf(victim.vibeId);
      const atMs = await stop(encoder);
      await eventually('another FFmpeg', () => stage.encoderOf(victim.vibeId).pid !== encoder.pid);
      return { atMs, witness: `process ${encoder.pid} stood still until the watchdog killed it` };
    },
    price: { lost: PIPE, stallMs: 8_000, restarts: 1 },
    says: ofVictim('stalled'),
  },
  {
    name: 'FFmpeg’s RTMP connection is cut (ss -K)',
    vibeId: 'cut',
    inject: async ({ stage, victim }) => {
      const atMs = await cut(stage.encoderOf(victim.vibeId).pid, stage.daemon.rtmpPort);
      return { atMs, witness: 'the kernel had closed the connection' };
    },
    price: { lost: HELD_BY_ENCODER, stallMs: 1_000, restarts: 1 },
    says: ofVictim('output-failed'),
  },
];

describeWithEach('a vibe whose encoder fails', (media) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({}, { media });
  });
  afterAll(async () => stage?.close());

  testFaults(() => stage, faults, media);
});
