import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { burn } from './faults/burners';
import { exhaustDescriptors } from './faults/descriptors';
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

describe('vibes on a machine that runs out of something', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(async () => stage?.close());

  testFaults(() => stage, faults);
});
