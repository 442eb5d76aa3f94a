import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../../helpers/eventually';
import { jsonRequest } from '../../helpers/http-request';
import { type ProcessEntry, readProcess } from '../../helpers/processes';
import { findSystemProgram } from '../../helpers/system-program';
import { cut } from '../faults/sockets';
import { kill, stop, stopFor } from '../faults/signals';
import { NumberedCreator } from '../suite/creator';
import type { Stage } from '../suite/stage';
import { ReturningCreator } from '../suite/websocket-creator';
import { FAULTS, type FaultName } from './plan';
import type { SoakVibe } from './soak-vibe';

/** Whom faults are done to. */
export interface Cast {
  readonly stage: Stage;
  /** Every vibe that lasts from the beginning to the end, the control as well. */
  readonly steady: readonly SoakVibe[];
  /** The steady vibe that a fault of one vibe is done to; never the control. */
  readonly target: SoakVibe;
}

/** One kind of fault: what it does, and what it may be heard as. */
export interface SoakFault {
  readonly isEverybodys: boolean;
  /** Whether samples may be missing because of it, and whether silence may be put in. */
  readonly mayLose: boolean;
  readonly mayInsert: boolean;
  /**
   * Does it. Resolves when it has bitten and is over, as far as it goes; who hears what comes after that.
   * @returns the witness, in words
   * @throws {Error} where it did not bite
   */
  readonly inject: (cast: Cast) => Promise<string>;
}

/** Shorter than the buffers and the kernel's pipe are long. */
const ENCODER_STANDS_MS = 3_000;
const SERVER_STANDS_MS = 3_000;
const DAEMON_STANDS_MS = 2_000;
const AWAY_MS = 2_000;
const CUTS = 3;
const BURST_MS = 8_000;

const ONE = { isEverybodys: false, mayLose: true, mayInsert: true };
const ALL = { isEverybodys: true, mayLose: true, mayInsert: true };
const UNHEARD = { mayLose: false, mayInsert: false };

export const SOAK_FAULTS: Readonly<Record<FaultName, SoakFault>> = {
  'encoder-killed': {
    ...ONE,
    inject: async ({ stage, target: { vibeId } }) => {
      const encoder = stage.encoderOf(vibeId);
      await kill(encoder);
      return `${encoder.pid} was gone, ${await anotherEncoder(stage, vibeId, encoder.pid)} is there`;
    },
  },
  'encoder-stopped': {
    ...ONE,
    ...UNHEARD,
    inject: async ({ stage, target: { vibeId } }) => {
      const encoder = stage.encoderOf(vibeId);
      await stopFor(encoder, ENCODER_STANDS_MS);
      return `${encoder.pid} stood still for ${ENCODER_STANDS_MS} ms`;
    },
  },
  'encoder-stopped-for-good': {
    ...ONE,
    inject: async ({ stage, target: { vibeId } }) => {
      const encoder = stage.encoderOf(vibeId);
      await stop(encoder);
      return `${encoder.pid} stood still, ${await anotherEncoder(stage, vibeId, encoder.pid)} is there`;
    },
  },
  'encoder-cut': {
    ...ONE,
    inject: async ({ stage, target: { vibeId } }) => {
      const encoder = stage.encoderOf(vibeId);
      await cut(encoder.pid, stage.daemon.rtmpPort);
      const other = await anotherEncoder(stage, vibeId, encoder.pid);
      return `the connection of ${encoder.pid} was closed, ${other} is there`;
    },
  },
  'creator-cut': {
    ...ONE,
    ...UNHEARD,
    inject: async ({ target }) => {
      const { creator, proxy } = target;
      const returns = (): number =>
        creator instanceof ReturningCreator ? creator.connections : proxy.accepted;
      for (let cuts = 0; cuts < CUTS; cuts += 1) {
        const before = returns();
        if (creator instanceof ReturningCreator) creator.drop();
        else proxy.reset();
        await eventually('the creator sends again', () => returns() > before, { withinMs: 5_000 });
        await delay(300);
      }
      return `${CUTS} connections broke, and others took their place`;
    },
  },
  'creator-away': {
    ...ONE,
    mayLose: false,
    inject: async ({ target: { proxy, creator } }) => {
      const before = creator.sentSamples;
      proxy.set({ up: { blackHole: true } });
      await delay(AWAY_MS);
      proxy.heal();
      if (creator instanceof NumberedCreator && creator.sentSamples - before > 20_000)
        throw new Error(`${creator.sentSamples - before} samples came through`);
      return `nothing came through for ${AWAY_MS} ms`;
    },
  },
  'creator-burst': {
    ...ONE,
    ...UNHEARD,
    inject: async ({ stage, target: { vibeId, creator } }) => {
      if (!(creator instanceof NumberedCreator)) throw new Error('another kind of creator');
      creator.aheadMs += BURST_MS;
      const held = await eventually('it is held', async () => {
        const bufferedMs = (await stage.daemon.status(vibeId))?.['bufferedMs'] as number;
        return bufferedMs > BURST_MS - 1_500 && bufferedMs;
      });
      creator.aheadMs -= BURST_MS;
      return `${Math.round(held)} ms were held`;
    },
  },
  'server-stopped': {
    ...ALL,
    ...UNHEARD,
    inject: async ({ stage }) => {
      const server = stage.mediaServer();
      await stopFor(server, SERVER_STANDS_MS);
      return `${server.pid} stood still for ${SERVER_STANDS_MS} ms`;
    },
  },
  'server-killed': {
    ...ALL,
    inject: async ({ stage, steady }) => {
      const server = stage.mediaServer();
      const before = new Map(steady.map(({ vibeId }) => [vibeId, stage.encoderOf(vibeId).pid]));
      await kill(server);
      for (const [vibeId, pid] of before) await anotherEncoder(stage, vibeId, pid);
      return `${server.pid} was gone, ${stage.mediaServer().pid} is there`;
    },
  },
  'daemon-blocked': {
    ...ALL,
    mayLose: false,
    inject: async ({ stage }) => {
      const ms = (await stage.inspector.evaluate(
        '(() => { const from = performance.now(); while (performance.now() - from < 1000); return performance.now() - from; })()',
      )) as number;
      if (ms < 1_000) throw new Error(`blocked for ${ms} ms only`);
      return `its loop stood still for ${Math.round(ms)} ms`;
    },
  },
  'daemon-stopped': {
    ...ALL,
    mayLose: false,
    inject: async ({ stage }) => {
      await stopFor(readProcess(stage.daemon.pid) as ProcessEntry, DAEMON_STANDS_MS);
      return `it stood still for ${DAEMON_STANDS_MS} ms`;
    },
  },
};

/** Those that can be done here: cutting connections in the kernel takes root and `ss`. */
export function possibleFaults(): FaultName[] {
  const canCut = process.getuid?.() === 0 && findSystemProgram('ss') !== undefined;
  return FAULTS.filter((name) => name !== 'encoder-cut' || canCut);
}

/** Waits until the vibe has another FFmpeg than that one. @returns its process id */
async function anotherEncoder(stage: Stage, vibeId: string, pid: number): Promise<number> {
  return eventually(
    `another FFmpeg of ${vibeId}`,
    () => {
      const other = stage.encoderOf(vibeId).pid;
      return other !== pid && other;
    },
    { everyMs: 50 },
  );
}

/**
 * What has to hold for a vibe that a fault was done to: it is live again, and heard, and has been for a second. Creators who
 * post are still behind when the relay goes on after it stood still, and may be late once more.
 */
export async function healed(stage: Stage, vibes: readonly SoakVibe[], sinceMs: number): Promise<void> {
  const FRAMES = 5;
  const STEADY_MS = 1_000;
  const ids = new Set(vibes.map(({ vibeId }) => vibeId));
  let wellSinceMs: number | undefined;
  await eventually(
    'all is well again',
    async () => {
      const before = wellSinceMs;
      wellSinceMs = undefined;
      const active = await activeVibes(stage.daemon.apiUrl);
      const well = active.filter(
        ({ vibeId, state, encoder }) => ids.has(vibeId) && state === 'live' && encoder?.state === 'running',
      );
      if (well.length < ids.size) throw new Error(`${well.length} of ${ids.size} vibes are live`);
      const deaf = vibes.filter(({ ear }) => ear.arrivals.since(sinceMs) < FRAMES);
      if (deaf.length > 0) throw new Error(`nothing is heard of ${deaf.map(({ vibeId }) => vibeId).join()}`);
      wellSinceMs = before ?? performance.now();
      return performance.now() - wellSinceMs >= STEADY_MS;
    },
    { withinMs: 30_000, everyMs: 50 },
  );
}

interface ActiveVibe {
  readonly vibeId: string;
  readonly state: string;
  readonly encoder: { readonly state: string } | null;
}

async function activeVibes(apiUrl: string): Promise<readonly ActiveVibe[]> {
  const { json } = await jsonRequest(`${apiUrl}/streams/active`);
  return json['activeStreams'] as readonly ActiveVibe[];
}
