import { performance } from 'node:perf_hooks';
import { delay } from '../helpers/eventually';
import { SmallDisk } from './faults/small-disk';
import type { Fault } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

const describeAsRoot = process.getuid?.() === 0 && process.platform === 'linux' ? describe : describe.skip;

describeAsRoot('a vibe whose disk fails (needs root: a file system of its own is mounted)', () => {
  let stage: Stage;
  let disk: SmallDisk;
  beforeAll(async () => {
    disk = await SmallDisk.mount(1);
    stage = await Stage.open({ DATA_DIR: disk.path });
  });
  afterAll(async () => {
    await stage?.close();
    await disk?.unmount();
  });

  const faults: Fault[] = [
    {
      name: 'the disk of DATA_DIR is full for 5 s (ENOSPC)',
      vibeId: 'disk-full',
      inject: async () => {
        const atMs = performance.now();
        const witness = disk.fill();
        await delay(5_000);
        disk.free();
        return { atMs, witness };
      },
      price: { lost: 0, stallMs: 500 },
    },
  ];

  testFaults(() => stage, faults);
});
