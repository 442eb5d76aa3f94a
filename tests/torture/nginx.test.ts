import { performance } from 'node:perf_hooks';
import { eventually } from '../helpers/eventually';
import { Nginx } from '../helpers/nginx';
import { NGINX_NEEDS } from '../helpers/nginx-house';
import { readProcess } from '../helpers/processes';
import { describeWith } from '../helpers/system-program';
import { trust } from '../helpers/web';
import { kill } from './faults/signals';
import { NumberedCreator } from './suite/creator';
import type { Fault } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

const FRAME = 1_024;

describeWith(NGINX_NEEDS)('a vibe behind an nginx that fails', () => {
  let stage: Stage;
  let nginx: Nginx;
  beforeAll(async () => {
    stage = await Stage.open();
    nginx = await Nginx.start(stage.daemon);
    trust(nginx.ca);
  });
  afterAll(async () => {
    trust(undefined);
    await nginx?.stop();
    await stage?.close();
  });

  const behindNginx: Pick<Fault, 'creator' | 'listenAt'> = {
    creator: (options) => new NumberedCreator({ ...options, apiUrl: nginx.url }),
    listenAt: (vibeId) => `${nginx.url}/live/${vibeId}.flv`,
  };

  const faults: Fault[] = [
    {
      ...behindNginx,
      name: 'nginx is reloaded',
      vibeId: 'reload',
      inject: async () => {
        const before = nginx.workers();
        const atMs = performance.now();
        await nginx.reload();
        const after = nginx.workers();
        const fresh = after.filter((pid) => !before.includes(pid));
        if (fresh.length === 0) throw new Error('no new worker');
        return { atMs, witness: `workers ${fresh.join(', ')} took over` };
      },
      price: { lost: 0, stallMs: 500 },
    },
    {
      ...behindNginx,
      name: 'nginx’s workers are killed (SIGKILL): every connection breaks',
      vibeId: 'workers-killed',
      inject: async () => {
        const before = nginx.workers();
        const atMs = performance.now();
        for (const pid of before) {
          const worker = readProcess(pid);
          if (worker) await kill(worker);
        }
        await eventually('new workers', () => nginx.workers().some((pid) => !before.includes(pid)));
        return { atMs, witness: `workers ${before.join(', ')} were gone` };
      },
      // Who is not connected misses what is sent meanwhile.
      price: { lost: 24 * FRAME, stallMs: 1_000, reconnects: 1 },
      account: { within: 24 * FRAME, because: 'a listener who is away misses what the relay has not lost' },
    },
  ];

  testFaults(() => stage, faults);
});
