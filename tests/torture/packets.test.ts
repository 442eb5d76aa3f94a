import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../helpers/eventually';
import { NetworkNamespace, whyNoNamespace } from './faults/network-namespace';
import { TcpProxy } from './faults/tcp-proxy';
import { NumberedCreator } from './suite/creator';
import type { Fault, Scene } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';
import { ReturningCreator } from './suite/websocket-creator';

const RATE = 48_000;
const PCM_BYTES = RATE * 4;

const missing = whyNoNamespace();
const describeWithNamespaces = missing === undefined ? describe : describe.skip;
const name = 'a vibe whose creator’s packets the kernel drops';

describeWithNamespaces(missing === undefined ? name : `${name} [SKIPPED: ${missing}]`, () => {
  let stage: Stage;
  let network: NetworkNamespace;
  let door: TcpProxy;
  beforeAll(async () => {
    stage = await Stage.open({ HOST: '0.0.0.0' });
    network = await NetworkNamespace.create(Number(new URL(stage.daemon.apiUrl).port));
    door = await TcpProxy.start(network.socketPath);
  });
  afterAll(async () => {
    await door?.close();
    await network?.dispose();
    await stage?.close();
  });

  /** What a creator connects to that comes by way of the namespace. */
  const insideUrl = (): string => {
    door.target = network.socketPath;
    return `http://127.0.0.1:${door.port}`;
  };
  const fromInside: Fault['creator'] = (options) => new NumberedCreator({ ...options, apiUrl: insideUrl() });

  const saysUnderrun: Fault['says'] = (line, { victim }: Scene) =>
    line.vibeId === victim.vibeId && line['cause'] === 'underrun';

  const faults: Fault[] = [
    {
      name: 'one in ten of a creator’s packets is lost, for 8 s (nft)',
      vibeId: 'lossy',
      creator: fromInside,
      inject: async () => {
        const atMs = performance.now();
        await network.drop(10);
        await delay(8_000);
        const dropped = await network.dropped();
        await network.heal();
        if (dropped < 10) throw new Error(`${dropped} packets were dropped`);
        return { atMs, witness: `${dropped} packets were dropped` };
      },
      // What TCP sends again may come after its turn; the pause it makes is no fault of the relay's.
      price: { lost: 0, inserted: 8 * RATE, stallMs: 500 },
    },
    {
      name: 'a creator’s cable is pulled for 3 s (nft)',
      vibeId: 'cable',
      creator: fromInside,
      inject: async () => {
        const atMs = performance.now();
        await network.drop(100);
        await delay(3_000);
        const dropped = await network.dropped();
        await network.heal();
        if (dropped === 0) throw new Error('no packet was dropped');
        return { atMs, witness: `all ${dropped} packets were dropped` };
      },
      // TCP tries again after 0.2, 0.4, 0.8, 1.6 and 3.2 s: up to twice the pause.
      price: { lost: 0, inserted: 7 * RATE, stallMs: 500 },
      says: saysUnderrun,
    },
    {
      name: 'a creator’s uplink carries 60 % of the audio, for 8 s (tbf)',
      vibeId: 'bucket',
      creator: fromInside,
      inject: async ({ victim }) => {
        const sent = victim.creator.sentSamples;
        const atMs = performance.now();
        await network.limit(PCM_BYTES * 0.6);
        await delay(8_000);
        const part = (victim.creator.sentSamples - sent) / (8 * RATE);
        await network.heal();
        if (part > 0.75) throw new Error(`${part} of the audio came through`);
        return { atMs, witness: `${Math.round(part * 100)} % of the audio came through` };
      },
      price: { lost: 0, inserted: 8 * RATE, stallMs: 500 },
      says: saysUnderrun,
      // Once a second, as audio is held again and runs out again.
      lines: 8,
    },
    {
      name: 'a creator’s machine is gone for good, and it comes back from elsewhere (half open)',
      vibeId: 'elsewhere',
      creator: (options) => new ReturningCreator({ ...options, apiUrl: insideUrl() }),
      inject: async ({ stage: { daemon }, victim }) => {
        const creator = victim.creator as ReturningCreator;
        const takeovers = (await daemon.metrics()).sum('vibesflow_takeovers_total');
        const before = creator.connections;
        const atMs = performance.now();
        await network.drop(100);
        await delay(500);
        const dropped = await network.dropped();
        if (dropped === 0) throw new Error('no packet was dropped');
        // From now on it comes in by another way; the old connection hangs in the dead network.
        door.target = Number(new URL(daemon.apiUrl).port);
        await eventually('it is back', () => creator.connections > before);
        await eventually(
          'the relay knows',
          async () => (await daemon.metrics()).sum('vibesflow_takeovers_total') === takeovers + 1,
        );
        await network.heal();
        return { atMs, witness: `${dropped} packets were dropped before it came in by another way` };
      },
      // It takes the creator 2.5 s to see that nobody answers.
      price: { lost: 0, inserted: 4 * RATE, stallMs: 500 },
      says: (line) => line.msg.includes('took over'),
    },
  ];

  testFaults(() => stage, faults);
});
