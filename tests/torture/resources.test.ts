import type net from 'node:net';
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { Daemon } from '../helpers/daemon';
import { delay, eventually } from '../helpers/eventually';
import { httpRequest, jsonRequest } from '../helpers/http-request';
import { describeWithEach, EMBEDDED } from '../helpers/media-servers';
import { burn } from './faults/burners';
import { MemoryCeiling, whyNoCeiling } from './faults/memory-ceiling';
import { kill } from './faults/signals';
import { askAnew, askOn, exhaustDescriptors, knock, starveOfDescriptors } from './faults/descriptors';
import type { Fault } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

const BURN_MS = 20_000;
/** Twice as many as there are cores: everybody gets a part of what is wanted. */
const BURNERS = 2 * os.availableParallelism();

const faults: Fault[] = [
  {
    name: 'the daemon has no descriptors left for 5 s (prlimit)',
    vibeId: 'daemon-descriptors',
    inject: async ({ stage: { daemon } }) =>
      exhaustDescriptors({ pid: daemon.pid, url: daemon.apiUrl }, 5_000),
    price: { lost: 0, stallMs: 500 },
  },
  {
    name: 'the daemon may have fewer descriptors than it uses, for 5 s (prlimit)',
    vibeId: 'daemon-starved',
    inject: async ({ stage: { daemon } }) =>
      starveOfDescriptors({ pid: daemon.pid, url: daemon.apiUrl }, 5_000),
    price: { lost: 0, stallMs: 500 },
  },
  {
    name: 'the media server may have fewer descriptors than it uses, for 5 s (prlimit)',
    vibeId: 'server-starved',
    inject: async ({ stage }) =>
      starveOfDescriptors({ pid: stage.mediaServer().pid, url: stage.daemon.mediaUrl }, 5_000),
    price: { lost: 0, stallMs: 500 },
    withSrs: {
      isNone:
        'an SRS that could not take in one connection takes in no other until it is started again (7.0.18); so its ' +
        '`max_connections` stays below the limit that it is started with',
    },
  },
  {
    name: `two other programs on each core want all of it, for ${BURN_MS / 1000} s`,
    vibeId: 'busy-machine',
    inject: async () => {
      const atMs = performance.now();
      const cores = await burn(BURNERS, BURN_MS);
      const available = os.availableParallelism();
      if (cores < available / 2) throw new Error(`they got ${cores.toFixed(2)} of ${available} cores`);
      return { atMs, witness: `${BURNERS} processes got ${cores.toFixed(1)} of ${available} cores` };
    },
    // Half a percent of it.
    price: { lost: 0, inserted: 0.005 * BURN_MS * 48, stallMs: 500 },
    hitsAll: true,
  },
];

describeWithEach('vibes on a machine that runs out of something', (media) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({}, { media });
  });
  afterAll(async () => stage?.close());

  testFaults(() => stage, faults, media);
});

const noCeiling = whyNoCeiling();
/** Less than what has to be free for another vibe (`MIN_FREE_MEMORY_MB`), and more than two vibes take. */
const CEILING_BYTES = 100 * 2 ** 20;

const shortOfMemory: Fault = {
  name: 'the daemon has less memory than another vibe needs, for 4 s (cgroup)',
  vibeId: 'memory-short',
  inject: async ({ stage: { daemon } }) => {
    const ready = async (): Promise<number> => (await httpRequest(`${daemon.apiUrl}/ready`)).status;
    const ceiling = new MemoryCeiling(CEILING_BYTES);
    const atMs = performance.now();
    const letOut = ceiling.add(daemon.pid);
    try {
      await eventually('/ready says what is wrong', async () => (await ready()) === 503);
      const url = `${daemon.apiUrl}/stream/one-too-many/start`;
      const { status, json } = await jsonRequest(url, { method: 'POST', json: { creator: 'ann' } });
      if (status !== 503 || json['code'] !== 'overloaded') throw new Error(`another vibe was told ${status}`);
      await delay(4_000);
      if (ceiling.kills > 0) throw new Error('the kernel killed somebody');
      return { atMs, witness: `another vibe was refused: ${String(json['detail'])}` };
    } finally {
      letOut();
      await ceiling.empty();
      ceiling.dispose();
      await eventually('there is room again', async () => (await ready()) === 200);
    }
  },
  price: { lost: 0, stallMs: 500 },
};

const OPEN_FILES = 256;
const STRANGERS = 300;

/** Half of the descriptors are for connections; an eighth more for telling that there is no room. */
const crowded: Fault = {
  name: `${STRANGERS} strangers hold connections to a daemon that may have ${OPEN_FILES} descriptors`,
  vibeId: 'crowded',
  inject: async ({ stage: { daemon } }) => {
    const atMs = performance.now();
    const sockets: net.Socket[] = [];
    const closed = (): number => sockets.filter((socket) => socket.closed).length;
    try {
      while (sockets.length < OPEN_FILES / 2 + 8) sockets.push(await knock(daemon.apiUrl));
      const told = await askOn(sockets.at(-1) as net.Socket);
      if (!told.includes(' 503 ') || !told.includes('too-many-connections')) throw new Error(`told: ${told}`);
      while (sockets.length < STRANGERS) sockets.push(await knock(daemon.apiUrl));
      await eventually('the rest is closed', () => closed() > STRANGERS / 3);
      const askedMs = performance.now();
      if (await askAnew(daemon.apiUrl)) throw new Error('somebody new was answered');
      const tookMs = performance.now() - askedMs;
      if (tookMs > 500) throw new Error(`somebody new was kept waiting for ${tookMs} ms`);
      await delay(3_000);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await eventually('somebody new is answered', () => askAnew(daemon.apiUrl), { withinMs: 5_000 });
    return { atMs, witness: 'who came late was told 503, and who came later was closed at once' };
  },
  price: { lost: 0, stallMs: 500 },
  says: (line) => line.msg.startsWith('there are too many connections'),
};

/** A quarter of the media server's descriptors is for encoders. */
const besieged: Fault = {
  name: `${STRANGERS} strangers hold connections to a media server that may have ${OPEN_FILES} descriptors, and FFmpeg is killed`,
  vibeId: 'besieged',
  inject: async ({ stage, victim }) => {
    const sockets: net.Socket[] = [];
    const closed = (): number => sockets.filter((socket) => socket.closed).length;
    try {
      while (sockets.length < STRANGERS) sockets.push(await knock(stage.daemon.mediaUrl));
      await eventually('the rest is closed', () => closed() > STRANGERS / 3);
      if (await askAnew(stage.daemon.mediaUrl)) throw new Error('somebody new was answered');
      const atMs = await kill(stage.encoderOf(victim.vibeId));
      await victim.ear.hears(94, performance.now());
      return { atMs, witness: `${closed()} of ${STRANGERS} were hung up on, and FFmpeg was gone` };
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  },
  price: { lost: 0, stallMs: 1_000, restarts: 1 },
  says: (line, { victim }) => line.vibeId === victim.vibeId && line['reason'] === 'killed',
};

describe('vibes of a daemon that may have little', () => {
  let stage: Stage;
  beforeAll(async () => {
    const through = ['prlimit', `--nofile=${OPEN_FILES}`];
    stage = await Stage.open({}, { media: { ...EMBEDDED, start: (env) => Daemon.start(env, through) } });
  });
  afterAll(async () => stage?.close());

  testFaults(() => stage, [crowded, besieged, ...(noCeiling === undefined ? [shortOfMemory] : [])]);
});
