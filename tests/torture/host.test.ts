import { performance } from 'node:perf_hooks';
import { delay } from '../helpers/eventually';
import { describeWithEach } from '../helpers/media-servers';
import { type ProcessEntry, readProcess } from '../helpers/processes';
import { stopFor } from './faults/signals';
import type { Fault } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';
import { ReturningCreator } from './suite/websocket-creator';

const HOUR_MS = 3_600_000;
/** How long a clock that is wrong stays so. */
const WRONG_FOR_MS = 2_000;
/**
 * A creator that posts chunk after chunk has a round trip before each: while it catches up with three seconds, what is
 * held may run out for a moment.
 */
const CATCHING_UP = 0.25 * 48_000;

/** Moves what the daemon takes for the time of day; its monotonic clock goes on. */
function clockJump(name: string, vibeId: string, byMs: number): Fault {
  return {
    name,
    vibeId,
    inject: async ({ stage }) => {
      const atMs = performance.now();
      const movedMs = (await stage.inspector.evaluate(
        `(() => { const { now } = Date; globalThis.rightNow = now; const was = now();
           Date.now = () => now() + ${byMs}; return Date.now() - was; })()`,
      )) as number;
      if (Math.abs(movedMs - byMs) > 1_000) throw new Error(`the clock was moved by ${movedMs} ms`);
      const { timestamp } = (await stage.daemon.status(vibeId)) ?? {};
      await delay(WRONG_FOR_MS);
      await stage.inspector.evaluate('Date.now = globalThis.rightNow');
      return {
        atMs,
        witness: `the daemon’s clock was ${movedMs / HOUR_MS} h off for 2 s (${typeof timestamp})`,
      };
    },
    price: { lost: 0, stallMs: 500 },
    hitsAll: true,
  };
}

function daemonOf(stage: Stage): ProcessEntry {
  const daemon = readProcess(stage.daemon.pid);
  if (!daemon) throw new Error('the daemon is gone');
  return daemon;
}

const faults: Fault[] = [
  {
    name: 'the daemon’s event loop is blocked for 2 s; a creator that posts',
    vibeId: 'blocked',
    inject: async ({ stage }) => {
      const atMs = performance.now();
      const blockedMs = (await stage.inspector.evaluate(
        '(() => { const from = performance.now(); while (performance.now() - from < 2000); return performance.now() - from; })()',
      )) as number;
      if (blockedMs < 2_000) throw new Error(`blocked for ${blockedMs} ms only`);
      return { atMs, witness: `the loop stood still for ${Math.round(blockedMs)} ms` };
    },
    price: { lost: 0, stallMs: 2_500 },
    hitsAll: true,
  },
  {
    name: 'the daemon stands still for 3 s (SIGSTOP); a creator on the WebSocket door',
    vibeId: 'daemon-stopped-websocket',
    creator: (options) => new ReturningCreator(options),
    inject: async ({ stage }) => ({
      atMs: await stopFor(daemonOf(stage), 3_000),
      witness: 'the process stood still to the end',
    }),
    price: { lost: 0, stallMs: 3_500 },
    hitsAll: true,
  },
  {
    name: 'the daemon stands still for 3 s (SIGSTOP); a creator that posts',
    vibeId: 'daemon-stopped',
    inject: async ({ stage }) => ({
      atMs: await stopFor(daemonOf(stage), 3_000),
      witness: 'the process stood still to the end',
    }),
    price: { lost: 0, inserted: CATCHING_UP, stallMs: 3_500 },
    hitsAll: true,
  },
  clockJump('the wall clock jumps an hour ahead', 'clock-ahead', HOUR_MS),
  clockJump('the wall clock jumps an hour back', 'clock-back', -HOUR_MS),
];

describeWithEach('vibes on a machine that fails', (media) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({}, { media });
  });
  afterAll(async () => stage?.close());

  testFaults(() => stage, faults, media);
});
