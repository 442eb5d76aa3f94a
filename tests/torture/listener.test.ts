import { once } from 'node:events';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../helpers/eventually';
import { FlvListener } from '../helpers/flv-listener';
import { TcpProxy } from './faults/tcp-proxy';
import type { Fault } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

const SLOW = 10;
const CHURN = 100;
const IDLE = 200;
/** What strangers say to an RTMP port: HTTP, TLS, an RTMP that is none, and nothing. */
const STRANGERS = [
  Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  Buffer.from('16030100c8010000c40303', 'hex'),
  Buffer.concat([Buffer.from([3]), Buffer.alloc(3_072, 0xff), Buffer.alloc(512, 0xa5)]),
  Buffer.alloc(0),
];

describe('a vibe whose other listeners, or strangers, misbehave', () => {
  let stage: Stage;
  let proxy: TcpProxy;
  beforeAll(async () => {
    stage = await Stage.open();
    proxy = await TcpProxy.start(Number(new URL(stage.daemon.mediaUrl).port));
  });
  afterAll(async () => {
    await proxy?.close();
    await stage?.close();
  });

  const faults: Fault[] = [
    {
      name: `${SLOW} other listeners read 1 kB/s`,
      vibeId: 'slow-listeners',
      inject: async ({ victim }) => {
        const atMs = performance.now();
        proxy.set({ down: { bytesPerSecond: 1_000 } });
        const url = `http://127.0.0.1:${proxy.port}/live/${victim.vibeId}.flv`;
        const slow = await Promise.all(Array.from({ length: SLOW }, () => FlvListener.join(url)));
        const before = proxy.bytes.down;
        await delay(8_000);
        const rate = (proxy.bytes.down - before) / SLOW / 8;
        for (const listener of slow) listener.leave();
        proxy.heal();
        if (rate > 1_500 || rate < 200) throw new Error(`they read ${rate} B/s`);
        return { atMs, witness: `each got ${Math.round(rate)} B/s of 16 kB/s` };
      },
      price: { lost: 0, stallMs: 500 },
    },
    {
      name: `${CHURN} other listeners come and are cut off at once (RST)`,
      vibeId: 'churn',
      inject: async ({ stage: { daemon }, victim }) => {
        const atMs = performance.now();
        for (let count = 0; count < CHURN; count += 1) {
          const listener = await FlvListener.connect(daemon.flvUrl(victim.vibeId));
          listener.leave();
        }
        const listeners = await eventually('they are forgotten', async () => {
          const now = (await daemon.status(victim.vibeId))?.['listeners'];
          return now === 1 && now;
        });
        return { atMs, witness: `${CHURN} were let in, ${String(listeners)} is left` };
      },
      price: { lost: 0, stallMs: 500 },
    },
    {
      name: `${IDLE} strangers at the RTMP port: HTTP, TLS, noise, nothing`,
      vibeId: 'strangers',
      inject: async ({ stage: { daemon } }) => {
        const atMs = performance.now();
        const mark = stage.mark;
        const sockets = await Promise.all(
          Array.from({ length: IDLE }, async (_, index) => {
            const socket = net.connect(daemon.rtmpPort, '127.0.0.1');
            socket.on('error', () => undefined);
            socket.resume();
            await once(socket, 'connect');
            socket.write(STRANGERS[index % STRANGERS.length] as Buffer);
            return socket;
          }),
        );
        const refused = (): number => sockets.filter((socket) => socket.closed).length;
        await eventually('whoever speaks no RTMP is sent away', () => refused() >= IDLE / 2);
        await delay(2_000);
        const sentAway = refused();
        for (const socket of sockets) socket.destroy();
        const lines = stage.log(mark).length;
        return { atMs, witness: `${sentAway} were sent away, ${lines} lines in the log` };
      },
      price: { lost: 0, stallMs: 500 },
      says: (line) => line.msg.includes('this is not RTMP'),
    },
  ];

  testFaults(() => stage, faults);
});
