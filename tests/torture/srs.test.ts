import { once } from 'node:events';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../helpers/eventually';
import { FlvListener } from '../helpers/flv-listener';
import { httpRequest } from '../helpers/http-request';
import { SRS } from '../helpers/media-servers';
import { describeSrs, type Srs } from '../helpers/srs';
import { FfmpegProgram } from './faults/ffmpeg-program';
import { type GateFault, HookGate } from './faults/hook-gate';
import { kill } from './faults/signals';
import { connectionsOf } from './faults/sockets';
import { TcpProxy } from './faults/tcp-proxy';
import { NumberedCreator } from './suite/creator';
import type { Fault } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

const FRAME = 1_024;
/** How late hooks are answered. */
const LATE_MS = 3_000;
/** What an answer may be that is none: SRS takes each for a refusal. */
const NO_ANSWERS: readonly GateFault[] = [
  { status: 500, body: '{"code":0}' },
  { status: 200, body: 'no JSON at all' },
  { status: 200, body: '' },
];
const SLOW = 10;
const STRANGERS = 200;
const LASTS_MS = 5_000;
/** What strangers say to an RTMP port: HTTP, TLS, an RTMP that is none, and nothing. */
const SAYINGS = [
  Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  Buffer.from('16030100c8010000c40303', 'hex'),
  Buffer.concat([Buffer.from([3]), Buffer.alloc(3_072, 0xff), Buffer.alloc(512, 0xa5)]),
  Buffer.alloc(0),
];
/** SRS is up, and a vibe that waited for it is heard. */
const HEARD_WITHIN_MS = 3_000;

describeSrs('a vibe on an SRS whose doors fail', () => {
  let stage: Stage;
  let gate: HookGate;
  let proxy: TcpProxy;
  let program: FfmpegProgram;
  beforeAll(async () => {
    gate = await HookGate.open();
    proxy = await TcpProxy.start(0);
    program = new FfmpegProgram();
    program.detour(proxy.port);
    const onReady = ({ apiUrl, rtmpPort }: Stage['daemon']): void => {
      gate.target = Number(new URL(apiUrl).port);
      proxy.target = rtmpPort;
    };
    const options = { media: SRS, hooksPort: gate.port, onReady };
    stage = await Stage.open({ FFMPEG_PATH: program.path }, options);
  });
  afterAll(async () => {
    await stage?.close();
    await gate?.close();
    await proxy?.close();
    program?.dispose();
  });

  const faults: Fault[] = [
    {
      name: `SRS’s hooks are answered ${LATE_MS / 1000} s late, and FFmpeg is killed meanwhile`,
      vibeId: 'hooks-late',
      inject: async ({ victim }) => {
        gate.faultOf = () => ({ lateMs: LATE_MS });
        const since = gate.passed.length;
        const atMs = await kill(stage.encoderOf(victim.vibeId));
        const published = (): boolean =>
          gate.passed.slice(since).some(({ action }) => action === 'on_publish');
        await eventually('SRS asks whether FFmpeg may publish', published);
        gate.faultOf = () => undefined;
        await delay(LATE_MS);
        const late = gate.passed.slice(since).filter(({ fault }) => fault !== undefined);
        return { atMs, witness: `${late.length} hooks were answered late` };
      },
      // The player that comes back is let in as late.
      price: { lost: 0, stallMs: 2 * LATE_MS + 2_000, reconnects: 1, restarts: 1 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['reason'] === 'killed',
    },
    {
      name: `SRS’s on_publish is answered with 500, with no JSON, and with nothing`,
      vibeId: 'hooks-broken',
      inject: async ({ victim }) => {
        const left = [...NO_ANSWERS];
        gate.faultOf = (action) => (action === 'on_publish' ? left.shift() : undefined);
        const atMs = await kill(stage.encoderOf(victim.vibeId));
        await eventually('each was given', () => left.length === 0);
        return { atMs, witness: `${NO_ANSWERS.length} publishes were refused` };
      },
      price: { lost: FRAME, stallMs: 10_000, reconnects: 1, restarts: 1 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['reason'] === 'output-failed',
      lines: NO_ANSWERS.length,
      account: {
        within: FRAME,
        because:
          'a player whom SRS lets in when the encoder has begun misses its first frame, which carries nothing',
      },
    },
    {
      name: 'FFmpeg dies unseen: SRS holds its name busy (ghost publisher)',
      vibeId: 'ghost',
      inject: async ({ victim }) => {
        const encoder = stage.encoderOf(victim.vibeId);
        const [connection, ...others] = connectionsOf(encoder.pid, proxy.port);
        if (!connection || others.length > 0) throw new Error('not one connection');
        const srs = stage.daemon.srs as Srs;
        const ghost = (await srs.stream(victim.vibeId))?.publish.cid;
        // What the proxy holds back is also the end of the connection.
        proxy.setStanding({ up: { blackHole: true }, down: { blackHole: true } }, connection.localPort);
        const atMs = await kill(encoder);
        const held = (await srs.stream(victim.vibeId))?.publish;
        if (held?.active !== true || held.cid !== ghost) throw new Error('SRS saw it go');
        await eventually('another publishes', async () => {
          const now = (await srs.stream(victim.vibeId))?.publish;
          return now?.active === true && now.cid !== ghost;
        });
        return { atMs, witness: `SRS still had client ${String(ghost)} when FFmpeg was gone` };
      },
      // With it goes what lay on the way.
      price: { lost: 3 * FRAME, stallMs: 8_000, reconnects: 1, restarts: 1 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['reason'] === 'killed',
    },
    {
      name: `${SLOW} other listeners of SRS read 1 kB/s`,
      vibeId: 'srs-slow',
      inject: async ({ stage: { daemon }, victim }) => {
        const toMedia = await TcpProxy.start(Number(new URL(daemon.mediaUrl).port));
        toMedia.set({ down: { bytesPerSecond: 1_000 } });
        const url = `http://127.0.0.1:${toMedia.port}/live/${victim.vibeId}.flv`;
        const atMs = performance.now();
        const slow = await Promise.all(Array.from({ length: SLOW }, () => FlvListener.join(url)));
        await delay(LASTS_MS);
        const rate = (toMedia.bytes.down * 1000) / SLOW / LASTS_MS;
        for (const listener of slow) listener.leave();
        await toMedia.close();
        if (rate > 1_500 || rate < 200) throw new Error(`they read ${rate} B/s`);
        return { atMs, witness: `each got ${Math.round(rate)} B/s of 16 kB/s` };
      },
      price: { lost: 0, stallMs: 500 },
    },
    {
      name: `${STRANGERS} strangers at SRS’s RTMP port: HTTP, TLS, noise, nothing`,
      vibeId: 'srs-strangers',
      inject: async ({ stage: { daemon } }) => {
        const atMs = performance.now();
        const sockets = await Promise.all(
          Array.from({ length: STRANGERS }, async (_, index) => {
            const socket = net.connect(daemon.rtmpPort, '127.0.0.1');
            socket.on('error', () => undefined);
            socket.resume();
            await once(socket, 'connect');
            socket.write(SAYINGS[index % SAYINGS.length] as Buffer);
            return socket;
          }),
        );
        await delay(LASTS_MS);
        const stood = sockets.filter(({ closed }) => !closed).length;
        for (const socket of sockets) socket.destroy();
        return { atMs, witness: `SRS took them in, and let ${stood} of them stand for ${LASTS_MS / 1000} s` };
      },
      price: { lost: 0, stallMs: 500 },
    },
  ];

  testFaults(() => stage, faults, SRS);

  it('is heard soon after SRS is up, where it was started while SRS was away; what is sent is taken meanwhile', async () => {
    const { daemon } = stage;
    const srs = daemon.srs as Srs;
    const readiness = async (): Promise<number> => (await httpRequest(`${daemon.apiUrl}/ready`)).status;
    await srs.kill();
    await eventually('/ready says so', async () => (await readiness()) === 503);
    const vibeId = 'srs-away';
    const ownerKey = await stage.claim(vibeId);
    const creator = new NumberedCreator({ apiUrl: daemon.apiUrl, vibeId, seed: 77, ownerKey });
    creator.start();
    await eventually('chunks are acknowledged', () => creator.sentSamples > 48_000);
    expect((await daemon.status(vibeId))?.['state']).not.toBe('failed');

    await srs.run();
    const upMs = performance.now();
    const ear = await stage.listen(vibeId);
    await ear.hears(10);
    const heardMs = (ear.frames[0]?.atMs as number) - upMs;
    console.info(`heard ${heardMs.toFixed(0)} ms after SRS was up`);
    expect(await readiness()).toBe(200);
    await creator.stop();
    await stage.playOut(vibeId, ownerKey, ear);
    expect(heardMs).toBeLessThan(HEARD_WITHIN_MS);
  });
});
