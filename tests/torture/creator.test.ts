import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../helpers/eventually';
import { TcpProxy } from './faults/tcp-proxy';
import { NumberedCreator } from './suite/creator';
import type { Fault, OnAir } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';
import { UnrulyCreator } from './suite/unruly-creator';
import { ReturningCreator } from './suite/websocket-creator';

const RATE = 48_000;
/** What a creator's PCM takes on the wire, in bytes a second, without what HTTP adds. */
const PCM_BYTES = RATE * 4;
/** Less than by default, so that what fills it is soon played out. */
const BUFFER_SECONDS = 14;
/** Held by the relay and sent ahead: an uplink may be away for less than this unheard. */
const HELD_MS = 800;
/** The worst of sound cards. */
const OFF_PPM = 300;

const numbered = ({ creator }: OnAir): NumberedCreator => {
  if (!(creator instanceof NumberedCreator)) throw new Error('another kind of creator');
  return creator;
};
const returning = ({ creator }: OnAir): ReturningCreator => {
  if (!(creator instanceof ReturningCreator)) throw new Error('another kind of creator');
  return creator;
};
const unruly = ({ creator }: OnAir): UnrulyCreator => {
  if (!(creator instanceof UnrulyCreator)) throw new Error('another kind of creator');
  return creator;
};

describe('a vibe whose creator, or the way to it, fails', () => {
  let stage: Stage;
  let proxy: TcpProxy;
  beforeAll(async () => {
    stage = await Stage.open({ MAX_BUFFER_SECONDS: String(BUFFER_SECONDS) });
    proxy = await TcpProxy.start(Number(new URL(stage.daemon.apiUrl).port));
  });
  afterAll(async () => {
    await proxy?.close();
    await stage?.close();
  });

  const viaProxy = (): string => `http://127.0.0.1:${proxy.port}`;

  const faults: Fault[] = [
    {
      name: 'a creator’s POSTs are cut in the middle of a chunk, 5 times (RST)',
      vibeId: 'post-cut',
      creator: (options) => new NumberedCreator({ ...options, apiUrl: viaProxy() }),
      inject: async ({ victim }) => {
        const creator = numbered(victim);
        const atMs = performance.now();
        for (let cuts = 0; cuts < 5; cuts += 1) {
          const retries = creator.retries;
          // So slow that a chunk is on the way for a while, and the cut comes when part of it has arrived.
          proxy.set({ up: { bytesPerSecond: PCM_BYTES / 2 } });
          const before = proxy.bytes.up;
          await eventually('part of a chunk on the way', () => proxy.bytes.up > before, { everyMs: 2 });
          await delay(30);
          proxy.reset();
          proxy.heal();
          await eventually('the chunk is sent again', () => creator.retries > retries);
          await delay(300);
        }
        return { atMs, witness: `${creator.retries} chunks were sent again under their numbers` };
      },
      price: { lost: 0, stallMs: 500 },
    },
    {
      name: 'a creator’s uplink is away for 3 s',
      vibeId: 'uplink-away',
      creator: (options) => new NumberedCreator({ ...options, apiUrl: viaProxy() }),
      inject: async ({ victim }) => {
        const sent = victim.creator.sentSamples;
        const atMs = performance.now();
        proxy.set({ up: { blackHole: true } });
        await delay(3_000);
        const got = victim.creator.sentSamples - sent;
        if (got > RATE / 5) throw new Error(`${got} samples came through`);
        proxy.heal();
        return { atMs, witness: 'no chunk was acknowledged for 3 s' };
      },
      price: { lost: 0, inserted: 3 * RATE, stallMs: 500 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['cause'] === 'underrun',
    },
    {
      name: 'a creator’s uplink carries 60 % of the audio for 8 s',
      vibeId: 'uplink-slow',
      creator: (options) => new NumberedCreator({ ...options, apiUrl: viaProxy() }),
      inject: async ({ victim }) => {
        const sent = victim.creator.sentSamples;
        const atMs = performance.now();
        proxy.set({ up: { bytesPerSecond: PCM_BYTES * 0.6 } });
        await delay(8_000);
        const part = (victim.creator.sentSamples - sent) / (8 * RATE);
        if (part > 0.75) throw new Error(`${part} of the audio came through`);
        proxy.heal();
        return { atMs, witness: `${Math.round(part * 100)} % of the audio came through` };
      },
      price: { lost: 0, inserted: 0.4 * 8 * RATE + 2 * RATE, stallMs: 500 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['cause'] === 'underrun',
      // Once a second, as audio is held again and runs out again.
      lines: 8,
    },
    {
      name: 'a creator pauses for 3 s',
      vibeId: 'pause',
      inject: async ({ stage: { daemon }, victim }) => {
        const creator = numbered(victim);
        const atMs = performance.now();
        creator.isPausing = true;
        await eventually(
          'silence is on air',
          async () => (await daemon.status('pause'))?.['state'] === 'holding',
        );
        await delay(3_000 - (performance.now() - atMs));
        creator.isPausing = false;
        await eventually(
          'it is live again',
          async () => (await daemon.status('pause'))?.['state'] === 'live',
        );
        return { atMs, witness: 'the vibe was holding, then live' };
      },
      price: { lost: 0, inserted: 4 * RATE, stallMs: 500 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['cause'] === 'underrun',
    },
    {
      name: 'a creator sends 10 s at once',
      vibeId: 'burst',
      inject: async ({ stage: { daemon }, victim }) => {
        const creator = numbered(victim);
        const atMs = performance.now();
        creator.aheadMs += 10_000;
        const held = await eventually('all of it is held', async () => {
          const bufferedMs = (await daemon.status('burst'))?.['bufferedMs'] as number;
          return bufferedMs > 9_500 && bufferedMs;
        });
        creator.aheadMs -= 10_000;
        return { atMs, witness: `the relay held ${Math.round(held)} ms` };
      },
      price: { lost: 0, stallMs: 500 },
    },
    {
      name: 'a creator sends 30 s at once into a buffer of 14 s',
      vibeId: 'flood',
      inject: async ({ stage: { daemon }, victim }) => {
        const creator = numbered(victim);
        const atMs = performance.now();
        const refused = (await daemon.metrics()).sum('vibesflow_problems_total', { code: 'buffer-full' });
        creator.aheadMs += 30_000;
        const grown = await eventually('the doors push back', async () => {
          const now = (await daemon.metrics()).sum('vibesflow_problems_total', { code: 'buffer-full' });
          return now > refused && now - refused;
        });
        creator.aheadMs -= 30_000;
        return { atMs, witness: `${grown} chunks were refused with 429` };
      },
      price: { lost: 0, stallMs: 500 },
    },
    {
      name: 'a creator sends its chunks shuffled, and a third of them twice',
      vibeId: 'shuffled',
      creator: (options) => new UnrulyCreator(options, { twice: 0.3 }),
      inject: async ({ victim }) => {
        const creator = unruly(victim);
        const atMs = performance.now();
        const { outOfOrder, duplicates } = creator;
        await eventually(
          'enough of both',
          () => creator.outOfOrder - outOfOrder > 20 && creator.duplicates - duplicates > 10,
        );
        const witness = `${creator.outOfOrder} chunks came out of order, ${creator.duplicates} twice`;
        return { atMs, witness };
      },
      price: { lost: 0, stallMs: 500 },
    },
    {
      name: 'a creator shuffles its chunks, leaves some out, and sends some twice or too late',
      vibeId: 'unruly',
      creator: (options) => new UnrulyCreator(options, { twice: 0.2, skipped: 0.08, late: 0.08 }),
      inject: async ({ stage: { daemon }, victim }) => {
        const creator = unruly(victim);
        const atMs = performance.now();
        const missing = async (): Promise<number> =>
          (await daemon.metrics()).sumOrZero('vibesflow_chunks_missing_total');
        const before = await missing();
        await eventually(
          'enough of all',
          () =>
            Math.min(creator.skipped, creator.tooLate, creator.duplicates) >= 5 && creator.outOfOrder > 20,
        );
        const counted = (await missing()) - before;
        if (counted < 8) throw new Error(`the relay missed ${counted} chunks`);
        const { skipped, tooLate, duplicates, outOfOrder } = creator;
        return {
          atMs,
          witness: `seed ${victim.seed}: ${skipped} were never sent, ${tooLate} too late, ${duplicates} twice, ${outOfOrder} out of order; the relay missed ${counted}`,
        };
      },
      // What never comes is missing in time, too; and where nothing is left, audio is held again.
      price: { lost: 0, inserted: 3 * RATE, stallMs: 500 },
    },
    {
      name: 'a creator’s clock is 300 ppm fast, another’s as slow, until it is followed',
      vibeId: 'clocks-off',
      creator: (options) => new NumberedCreator(options, OFF_PPM),
      controlCreator: (options) => new NumberedCreator(options, -OFF_PPM),
      inject: async ({ stage: { daemon }, victim, control }) => {
        const atMs = performance.now();
        const drift = async ({ vibeId }: OnAir): Promise<number> =>
          (await daemon.status(vibeId))?.['driftPpm'] as number;
        const found = await eventually(
          'the relay runs at their rates, within a tenth',
          async () => {
            const [fast, slow] = [await drift(victim), await drift(control)];
            const isFound =
              Math.abs(fast - OFF_PPM) <= OFF_PPM / 10 && Math.abs(slow + OFF_PPM) <= OFF_PPM / 10;
            return isFound && `${fast.toFixed(0)} and ${slow.toFixed(0)} ppm`;
          },
          { withinMs: 120_000, everyMs: 1_000 },
        );
        return { atMs, witness: `the relay said ${found}` };
      },
      price: { lost: 0, stallMs: 500 },
    },
    {
      name: 'a creator’s WebSocket comes 100 to 300 ms late, in pieces of 97 bytes, for 6 s',
      vibeId: 'uplink-jitter',
      creator: (options) => new ReturningCreator({ ...options, apiUrl: viaProxy() }),
      inject: async ({ stage: { daemon }, victim }) => {
        const held = async (): Promise<number> =>
          (await daemon.status(victim.vibeId))?.['bufferedMs'] as number;
        const [heldMs, bytes] = [await held(), proxy.bytes.up];
        const atMs = performance.now();
        proxy.set({ up: { latencyMs: 100, jitterMs: 200, sliceBytes: 97 } });
        await delay(6_000);
        const lessMs = heldMs - (await held());
        const part = (proxy.bytes.up - bytes) / (6 * PCM_BYTES);
        proxy.heal();
        if (part < 0.8) throw new Error(`${part} of the audio came through`);
        if (lessMs < 50) throw new Error(`it came ${lessMs} ms later`);
        return {
          atMs,
          witness: `${Math.round(part * 100)} % came through; the relay held ${Math.round(lessMs)} ms less`,
        };
      },
      price: { lost: 0, stallMs: 500 },
    },
    {
      name: 'a creator’s WebSocket breaks, 5 times',
      vibeId: 'websocket-cut',
      creator: (options) => new ReturningCreator(options),
      inject: async ({ victim }) => {
        const creator = returning(victim);
        const atMs = performance.now();
        const before = creator.connections;
        for (let drops = 1; drops <= 5; drops += 1) {
          creator.drop();
          await eventually('it is back', () => creator.connections >= before + drops);
          await delay(drops * 70);
        }
        return { atMs, witness: `${creator.connections - before} connections took over` };
      },
      price: { lost: 0, stallMs: 500 },
    },
    {
      name: 'a creator’s WebSocket is half open, and a newer one takes over',
      vibeId: 'half-open',
      creator: (options) => new ReturningCreator({ ...options, apiUrl: viaProxy() }),
      inject: async ({ stage: { daemon }, victim }) => {
        const creator = returning(victim);
        const takeovers = (await daemon.metrics()).sum('vibesflow_takeovers_total');
        const before = creator.connections;
        const atMs = performance.now();
        proxy.setStanding({ up: { blackHole: true }, down: { blackHole: true } });
        await eventually('a newer connection', () => creator.connections > before);
        await eventually(
          'the relay knows',
          async () => (await daemon.metrics()).sum('vibesflow_takeovers_total') === takeovers + 1,
        );
        return { atMs, witness: 'the old connection still stood when the newer one took over' };
      },
      // It takes the creator 2.5 s to see that nobody answers.
      price: { lost: 0, inserted: 3_500 * (RATE / 1000) - HELD_MS, stallMs: 500 },
      says: (line) => line.msg.includes('took over'),
    },
  ];

  testFaults(() => stage, faults);
});
