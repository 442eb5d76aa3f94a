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

const KILLS = 5;

const ofVictim =
  (reason: string) =>
  (line: LogLine, { victim }: Scene): boolean =>
    line.vibeId === victim.vibeId && line['reason'] === reason && line.msg.startsWith('an FFmpeg ended');

/** The next FFmpeg is fed what this one had not published: nothing is lost, but for the time that it takes to start one. */
function dies(name: string, vibeId: string, signal: NodeJS.Signals, reason: string): Fault {
  return {
    name,
    vibeId,
    inject: async ({ stage, victim }) => {
      const encoder = stage.encoderOf(victim.vibeId);
      return { atMs: await kill(encoder, signal), witness: `process ${encoder.pid} was gone` };
    },
    price: { lost: 0, stallMs: 1_000, restarts: 1 },
    says: ofVictim(reason),
  };
}

const faults: Fault[] = [
  dies('FFmpeg is killed (SIGKILL)', 'killed', 'SIGKILL', 'killed'),
  dies('FFmpeg crashes (SIGSEGV)', 'crashed', 'SIGSEGV', 'crashed'),
  dies('FFmpeg is told to end by somebody else (SIGTERM)', 'told-to-end', 'SIGTERM', 'killed'),
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
    // From the second failure on, the wait is a random one of up to 250 ms · 2ⁿ.
    price: { lost: 0, stallMs: 5_000, restarts: KILLS },
    lines: KILLS,
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
    price: { lost: 0, stallMs: 8_000, restarts: 1 },
    says: ofVictim('stalled'),
  },
  {
    name: 'FFmpeg’s RTMP connection is cut (ss -K)',
    vibeId: 'cut',
    inject: async ({ stage, victim }) => {
      const atMs = await cut(stage.encoderOf(victim.vibeId).pid, stage.daemon.rtmpPort);
      return { atMs, witness: 'the kernel had closed the connection' };
    },
    price: { lost: 0, stallMs: 1_000, restarts: 1 },
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
