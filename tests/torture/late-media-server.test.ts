import { createServer } from 'node:net';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../helpers/eventually';
import { httpRequest } from '../helpers/http-request';
import { checkContinuity } from './continuity/continuity';
import { noise } from './continuity/noise';
import { kill, stop } from './faults/signals';
import { NumberedCreator } from './suite/creator';
import { Ear } from './suite/ear';
import { Stage } from './suite/stage';
import { keep } from './suite/table';

/** The creator sends for so long into a vibe that nobody can hear. */
const DOWN_MS = 5_000;
const PLAYS_WITHIN_MS = 3_000;
const STEADY_FRAMES = 94;
/** What the end of a stream may lack: the encoder's look-ahead, and a window of the checker's. */
const TAIL_SAMPLES = 3 * 1_024;
/** A listener who comes when the media server is up may miss what was played by then. */
const JOINS_WITHIN_SAMPLES = 48_000;
const LIMIT_MS = 120_000;

interface Lateness {
  readonly name: string;
  readonly vibeId: string;
  /** Takes the media server away. @returns what brings it back, and proves that it was away until then */
  readonly takeAway: (stage: Stage) => Promise<() => Promise<string>>;
}

const latenesses: Lateness[] = [
  {
    name: 'the media server is not there when a vibe starts (its port is another’s)',
    vibeId: 'not-there',
    takeAway: async (stage) => {
      await kill(stage.mediaServer());
      const other = createServer((socket) => socket.destroy());
      await eventually('the port is ours', async () => {
        other.listen(stage.daemon.rtmpPort, '127.0.0.1');
        await once(other, 'listening');
        return true;
      });
      return async () => {
        const refusals = stage.log().filter(({ msg }) => msg.includes('is in use')).length;
        if (refusals === 0) throw new Error('the port was never asked for');
        other.close();
        return `its port was refused ${refusals} times`;
      };
    },
  },
  {
    name: 'the media server takes connections and says nothing when a vibe starts (SIGSTOP)',
    vibeId: 'silent',
    takeAway: async (stage) => {
      const server = stage.mediaServer();
      await stop(server);
      return async () => {
        await eventually('another media server', () => {
          const now = stage.daemon.mediaServerProcess();
          return now !== undefined && now.pid !== server.pid;
        });
        return `process ${server.pid} stood still until it was killed`;
      };
    },
  },
];

describe('a vibe that starts while its media server', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(async () => stage?.close());

  const isUp = async (): Promise<boolean> =>
    (await httpRequest(`${stage.daemon.apiUrl}/ready`)).status === 200;

  it.each(latenesses.map((lateness) => [lateness.name, lateness] as const))(
    '%s',
    async (name, { vibeId, takeAway }) => {
      const seed = 50_000 + 10 * vibeId.length;
      const before = (await stage.daemon.metrics()).sumOrZero('vibesflow_samples_lost_total');
      const bringBack = await takeAway(stage);
      const ownerKey = await stage.claim(vibeId);
      const creator = new NumberedCreator({ apiUrl: stage.daemon.apiUrl, vibeId, seed, ownerKey });
      creator.start();
      await delay(DOWN_MS);
      const encoder = (await stage.daemon.status(vibeId))?.['encoder'] as { state: string } | undefined;
      const taken = creator.sentSamples;

      const witness = await bringBack();
      await eventually('it is up', isUp);
      const upMs = performance.now();
      const ear = await Ear.open(stage.daemon.flvUrl(vibeId));
      await ear.hears(1);
      const firstMs = (ear.frames[0]?.atMs as number) - upMs;
      await ear.hears(STEADY_FRAMES);
      await creator.stop();
      await stage.playOut(vibeId, ownerKey, ear);

      const [left] = await ear.decoded();
      const report = checkContinuity(left, noise(seed, 0, creator.sentSamples));
      const lost = (await stage.daemon.metrics()).sumOrZero('vibesflow_samples_lost_total') - before;
      const missing = creator.sentSamples - report.end;
      const complaints = [
        ...(encoder?.state === 'running' ? ['its encoder is said to publish'] : []),
        ...(taken < (DOWN_MS - 1_000) * 48 ? [`${taken} samples taken in ${DOWN_MS} ms`] : []),
        ...(firstMs > PLAYS_WITHIN_MS
          ? [`plays after ${Math.round(firstMs)} ms, at most ${PLAYS_WITHIN_MS}`]
          : []),
        ...report.events.map(({ kind, net, at }) => `${kind} ${net} at ${(at / 48_000).toFixed(3)} s`),
        ...(report.first > JOINS_WITHIN_SAMPLES ? [`heard from sample ${report.first} on only`] : []),
        ...(missing > TAIL_SAMPLES ? [`the last ${missing} samples were not heard`] : []),
        ...(lost > 0 ? [`the metrics call ${lost} samples lost`] : []),
      ];
      const verdict = {
        ...{ fault: name, witness, lost: Math.max(0, report.net), inserted: 0, net: report.net },
        ...{ stallMs: Math.round(firstMs), recoveryMs: Math.round(firstMs), reconnects: 0, restarts: 0 },
        ...{ counted: { lost, silence: 0, discarded: 0 }, difference: lost - report.net, complaints },
      };
      console.info(
        `${name}: ${witness}; sound ${Math.round(firstMs)} ms after it was back; net ${report.net}, first ${report.first}`,
      );
      keep({ fault: name, group: 'late-media-server', mediaServer: 'embedded', verdict });
      expect(complaints).toEqual([]);
    },
    LIMIT_MS,
  );
});
