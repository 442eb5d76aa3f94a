import { once } from 'node:events';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import WebSocket from 'ws';
import { delay, eventually } from '../helpers/eventually';
import { FlvListener } from '../helpers/flv-listener';
import { httpRequest } from '../helpers/http-request';
import { seededRandom } from '../helpers/music';
import { WebSocketCreator } from '../helpers/websocket-creator';
import { TcpProxy } from './faults/tcp-proxy';
import { Ear } from './suite/ear';
import type { Fault } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

const SLOW = 10;
const CHURN = 100;
const IDLE = 500;
const CROWD = 50;
/** Fifty players who try again ten times a second are a storm of its own. */
const ALL_BACK_WITHIN_MS = 6_000;
const FRAME = 1_024;
/** Of somebody who floods. */
const PINGS_A_SECOND = 1_000;
/** Every ten seconds there is a ping; who has not answered one by the next is gone. */
const DEAD_WITHIN_MS = 22_000;
/** What strangers say to an RTMP port: HTTP, TLS, an RTMP that is none, and nothing. Every second one talks at random. */
const STRANGERS = [
  Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  Buffer.from('16030100c8010000c40303', 'hex'),
  Buffer.concat([Buffer.from([3]), Buffer.alloc(3_072, 0xff), Buffer.alloc(512, 0xa5)]),
  Buffer.alloc(0),
];

/** Sends pings until it is sent away. */
async function flood(url: string): Promise<{ pings: number; code: number }> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('error', () => undefined);
  await once(socket, 'open');
  const closed = once(socket, 'close') as Promise<[number, Buffer]>;
  let pings = 0;
  for (; socket.readyState === WebSocket.OPEN && pings < 20 * PINGS_A_SECOND; pings += 1) {
    socket.ping();
    if (pings % (PINGS_A_SECOND / 100) === 0) await delay(10);
  }
  const [code] = await closed;
  return { pings, code };
}

/** Of any length up to twice what an RTMP handshake has. */
function randomBytes(random: () => number): Buffer {
  return Buffer.from(Array.from({ length: Math.floor(random() * 6_146) }, () => Math.floor(random() * 256)));
}

describe('a vibe whose other listeners, or strangers, misbehave', () => {
  let stage: Stage;
  let proxy: TcpProxy;
  let toApi: TcpProxy;
  beforeAll(async () => {
    stage = await Stage.open();
    proxy = await TcpProxy.start(Number(new URL(stage.daemon.mediaUrl).port));
    toApi = await TcpProxy.start(Number(new URL(stage.daemon.apiUrl).port));
  });
  afterAll(async () => {
    await toApi?.close();
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
        const random = seededRandom(110);
        const sockets = await Promise.all(
          Array.from({ length: IDLE }, async (_, index) => {
            const socket = net.connect(daemon.rtmpPort, '127.0.0.1');
            socket.on('error', () => undefined);
            socket.resume();
            await once(socket, 'connect');
            const said = STRANGERS[(index >> 1) % STRANGERS.length] as Buffer;
            socket.write(index % 2 === 0 ? said : randomBytes(random));
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
      // One each for what strangers do wrong, and not one for each stranger.
      lines: 10,
    },
    {
      name: `the media server is killed (SIGKILL), and ${CROWD} other listeners come back`,
      vibeId: 'crowd-back',
      inject: async ({ stage: { daemon }, victim }) => {
        const url = daemon.flvUrl(victim.vibeId);
        const crowd = await Promise.all(Array.from({ length: CROWD }, () => Ear.open(url)));
        try {
          await Promise.all(crowd.map((ear) => ear.hears(20)));
          const { atMs } = await stage.killMediaServer();
          await Promise.all(crowd.map((ear) => ear.hears(20, atMs + 200, ALL_BACK_WITHIN_MS)));
          const stalls = crowd.map((ear) => ear.longestStall(atMs - 50));
          const worstMs = Math.max(...stalls.map(({ fromMs, untilMs }) => untilMs - fromMs));
          return { atMs, witness: `all ${CROWD} were back, the last one after ${Math.round(worstMs)} ms` };
        } finally {
          await Promise.all(crowd.map((ear) => ear.leave()));
        }
      },
      price: { lost: FRAME, inserted: FRAME, stallMs: 3_000, reconnects: 1, restarts: 1 },
      says: (line) => line.msg.startsWith('The media server process ended'),
      hitsAll: true,
      account: {
        within: 2 * FRAME,
        because: 'of what a media server received in the last 20 ms before its death nobody knows',
      },
    },
    {
      name: 'strangers post into the vibe: without the key, torn, in another format, far too much',
      vibeId: 'intruders',
      inject: async ({ stage: { daemon }, victim }) => {
        const atMs = performance.now();
        const url = `${daemon.apiUrl}/stream/${victim.vibeId}/audio`;
        const key = { authorization: `Bearer ${victim.ownerKey}` };
        const pcm = { 'content-type': 'audio/pcm;rate=48000;channels=2' };
        const mono = { 'content-type': 'audio/pcm;rate=16000;channels=1' };
        const intrusions = [
          { headers: pcm, body: Buffer.alloc(19_200, 0x11), status: 401 },
          {
            headers: { ...pcm, authorization: 'Bearer guessed' },
            body: Buffer.alloc(19_200, 0x11),
            status: 403,
          },
          { headers: { ...mono, ...key }, body: Buffer.alloc(19_200, 0x11), status: 409 },
          {
            headers: { 'content-type': 'application/json', ...key },
            body: Buffer.alloc(3_000_000, 'x'),
            status: 413,
          },
          { headers: { ...pcm, ...key }, body: Buffer.alloc(3, 0x11), status: 422 },
        ];
        for (let round = 0; round < 20; round += 1)
          for (const { headers, body, status } of intrusions) {
            const sequence = 1e6 + round;
            const answer = await httpRequest(`${url}?sequence=${sequence}`, {
              method: 'POST',
              headers,
              body,
            });
            if (answer.status !== status) throw new Error(`told ${answer.status}, not ${status}`);
          }
        return { atMs, witness: `100 were refused: ${intrusions.map(({ status }) => status).join(', ')}` };
      },
      price: { lost: 0, stallMs: 500 },
    },
    {
      name: 'a WebSocket floods with pings, and somebody on another one is gone (black hole)',
      vibeId: 'websockets',
      inject: async ({ stage: { daemon }, victim }) => {
        const atMs = performance.now();
        const connections = async (): Promise<number> =>
          (await daemon.metrics()).sum('vibesflow_ingest_connections', { door: 'websocket' });
        const before = await connections();
        const dead = await WebSocketCreator.connect({
          apiUrl: `http://127.0.0.1:${toApi.port}`,
          vibeId: victim.vibeId,
        });
        await dead.message('ready');
        if ((await connections()) !== before + 1) throw new Error('it is not connected');
        toApi.set({ up: { blackHole: true }, down: { blackHole: true } });

        const events = `${daemon.apiUrl.replace('http', 'ws')}/stream/${victim.vibeId}/events`;
        const { pings, code } = await flood(events);
        if (code !== 4429) throw new Error(`the flood was closed with ${code}`);

        await eventually('nobody is there', async () => (await connections()) === before, {
          withinMs: DEAD_WITHIN_MS - (performance.now() - atMs),
        });
        const seconds = ((performance.now() - atMs) / 1_000).toFixed(1);
        dead.terminate();
        toApi.heal();
        return {
          atMs,
          witness: `closed with 4429 after ${pings} pings; the dead one was let go after ${seconds} s`,
        };
      },
      price: { lost: 0, stallMs: 500 },
    },
  ];

  testFaults(() => stage, faults);
});
