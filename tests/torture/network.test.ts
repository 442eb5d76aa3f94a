import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../helpers/eventually';
import { describeWithEach } from '../helpers/media-servers';
import { FfmpegProgram } from './faults/ffmpeg-program';
import { connectionsOf } from './faults/sockets';
import { kill } from './faults/signals';
import { TcpProxy } from './faults/tcp-proxy';
import type { Fault, OnAir } from './suite/fault';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

const FRAME = 1_024;
const HELD_BY_ENCODER = 3 * FRAME;
/** What a 128 kbit/s stream takes on the wire. */
const AAC_BYTES = 17_000;

describeWithEach('a vibe whose way to the media server fails', (media) => {
  let stage: Stage;
  let proxy: TcpProxy;
  let program: FfmpegProgram;
  beforeAll(async () => {
    proxy = await TcpProxy.start(0);
    // The settings have encoders publish to the embedded server's own port, and nowhere else.
    program = new FfmpegProgram();
    program.detour(proxy.port);
    stage = await Stage.open(
      { FFMPEG_PATH: program.path },
      { media, onReady: ({ rtmpPort }) => (proxy.target = rtmpPort) },
    );
  });
  afterAll(async () => {
    await stage?.close();
    await proxy?.close();
    program?.dispose();
  });

  /** The near end of a vibe's RTMP connection. */
  function portOf({ vibeId }: OnAir): number {
    const [connection, ...others] = connectionsOf(stage.encoderOf(vibeId).pid, proxy.port);
    if (!connection || others.length > 0) throw new Error(`${vibeId} has not one connection`);
    return connection.localPort;
  }

  const faults: Fault[] = [
    {
      name: 'RTMP comes 200 to 300 ms late and in slices of 7 bytes, for 5 s',
      vibeId: 'late',
      inject: async ({ victim }) => {
        const port = portOf(victim);
        const before = proxy.bytes.up;
        const atMs = performance.now();
        proxy.setStanding({ up: { latencyMs: 200, jitterMs: 100, sliceBytes: 7 } }, port);
        await delay(5_000);
        proxy.setStanding({}, port);
        return { atMs, witness: `${proxy.bytes.up - before} bytes of both vibes went through the proxy` };
      },
      price: { lost: 0, stallMs: 600 },
    },
    {
      name: 'RTMP gets half of the bandwidth it needs, for 5 s',
      vibeId: 'narrow',
      inject: async ({ victim }) => {
        const port = portOf(victim);
        const atMs = performance.now();
        const heard = victim.ear.frames.length;
        proxy.setStanding({ up: { bytesPerSecond: AAC_BYTES / 2 } }, port);
        await delay(5_000);
        const frames = victim.ear.frames.length - heard;
        if (frames > 170) throw new Error(`${frames} frames came through in 5 s`);
        proxy.setStanding({}, port);
        return { atMs, witness: `${frames} of 234 frames came through in time` };
      },
      price: { lost: 0, stallMs: 600 },
    },
    {
      name: 'RTMP’s packets are dropped for 3 s (black hole)',
      vibeId: 'black-hole',
      inject: async ({ victim }) => {
        const port = portOf(victim);
        const heard = victim.ear.frames.length;
        const atMs = performance.now();
        proxy.setStanding({ up: { blackHole: true }, down: { blackHole: true } }, port);
        await delay(3_000);
        const frames = victim.ear.frames.length - heard;
        if (frames > 20) throw new Error(`${frames} frames came through`);
        proxy.setStanding({}, port);
        return { atMs, witness: `${frames} frames came through in 3 s` };
      },
      price: { lost: 0, stallMs: 3_500 },
    },
    {
      name: 'the media server’s side of RTMP is closed (FIN)',
      vibeId: 'half-closed',
      inject: async ({ victim }) => {
        const port = portOf(victim);
        const pid = stage.encoderOf(victim.vibeId).pid;
        const atMs = performance.now();
        if (proxy.halfClose('up', port) !== 1) throw new Error('no connection was closed');
        await eventually('another FFmpeg', () => stage.encoderOf(victim.vibeId).pid !== pid);
        return { atMs, witness: `process ${pid} gave up` };
      },
      price: { lost: 10 * FRAME, stallMs: 1_000, restarts: 1 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['reason'] === 'output-failed',
    },
    {
      name: 'RTMP is reset, 3 times (RST)',
      vibeId: 'reset',
      inject: async ({ victim }) => {
        const atMs = performance.now();
        for (let resets = 0; resets < 3; resets += 1) {
          const pid = stage.encoderOf(victim.vibeId).pid;
          if (proxy.reset(portOf(victim)) !== 1) throw new Error('no connection was reset');
          const sinceMs = performance.now();
          await eventually('another FFmpeg', () => stage.encoderOf(victim.vibeId).pid !== pid);
          await victim.ear.hears(94, sinceMs);
        }
        return { atMs, witness: '3 connections were reset' };
      },
      // With it goes what lies on the way.
      price: { lost: 3 * (HELD_BY_ENCODER + 3 * FRAME), stallMs: 2_500, restarts: 3 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['reason'] === 'output-failed',
      lines: 3,
    },
    {
      name: 'what accepts RTMP says nothing (no S0S1) when FFmpeg comes back',
      vibeId: 'mute',
      inject: async ({ victim }) => {
        proxy.set({ down: { blackHole: true } });
        const standing = portOf(victim);
        const accepted = proxy.accepted;
        const atMs = await kill(stage.encoderOf(victim.vibeId));
        await eventually('FFmpeg connects', () => proxy.accepted > accepted);
        await delay(4_000);
        if (portOf(victim) === standing) throw new Error('the old connection stands');
        proxy.heal();
        return { atMs, witness: 'FFmpeg was connected for 4 s and got no answer' };
      },
      price: { lost: HELD_BY_ENCODER, stallMs: 6_000, restarts: 1 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['reason'] === 'killed',
    },
  ];

  testFaults(() => stage, faults, media);
});
