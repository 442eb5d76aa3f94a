import { performance } from 'node:perf_hooks';
import { delay } from '../helpers/eventually';
import { describeWithEach } from '../helpers/media-servers';
import { kill } from './faults/signals';
import { SmallDisk } from './faults/small-disk';
import type { Fault } from './suite/fault';
import { HlsEar } from './suite/hls-ear';
import { Stage } from './suite/stage';
import { testFaults } from './suite/suite';

const RATE = 48_000;
const FRAME = 1_024;
/** Segments have 2 s; a player hears of a new one when it looks the next time. */
const SEGMENT_MS = 2_000;
const PLAYLIST_MS = SEGMENT_MS + 500;
/** SRS collects 0.72 s of audio for one packet of HLS, and the frame that crosses. */
const SRS_PACKET = 0.72 * RATE + FRAME;
const OF_SRS =
  'at an encoder’s end SRS throws away the segment of HLS that it has just begun, where that is one packet: 0.74 s at most';
const OF_DISK =
  'SRS writes HLS to the disk, and loses what it cannot write; listeners of HTTP-FLV lose nothing';
const ofSegments = ({ frames }: HlsEar): string => `${new Set(frames.map(({ atMs }) => atMs)).size} segments`;

describeWithEach('a vibe whose listener follows HLS', (media) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({}, { media });
  });
  afterAll(async () => stage?.close());

  const byHls: Pick<Fault, 'listenAt'> = { listenAt: (vibeId) => stage.daemon.hlsUrl(vibeId) };

  const faults: Fault[] = [
    {
      ...byHls,
      name: 'nothing, for 6 s; a listener of HLS',
      vibeId: 'hls-clean',
      inject: async ({ victim }) => {
        const atMs = performance.now();
        await delay(6_000);
        if (!(victim.ear instanceof HlsEar)) throw new Error('another kind of listener');
        return { atMs, witness: `${ofSegments(victim.ear)} came` };
      },
      price: { lost: 0, stallMs: PLAYLIST_MS },
    },
    {
      ...byHls,
      name: 'FFmpeg is killed (SIGKILL); a listener of HLS',
      vibeId: 'hls-killed',
      inject: async ({ victim }) => {
        const encoder = stage.encoderOf(victim.vibeId);
        return { atMs: await kill(encoder), witness: `process ${encoder.pid} was gone` };
      },
      price: { lost: 3 * FRAME, stallMs: PLAYLIST_MS + 1_000, restarts: 1 },
      says: (line, { victim }) => line.vibeId === victim.vibeId && line['reason'] === 'killed',
      withSrs: {
        price: { lost: SRS_PACKET },
        account: { within: SRS_PACKET, because: OF_SRS },
        because: OF_SRS,
      },
    },
    {
      ...byHls,
      name: 'the media server is killed (SIGKILL); a listener of HLS',
      vibeId: 'hls-server-killed',
      inject: async () => {
        const { atMs, pid } = await stage.killMediaServer();
        return { atMs, witness: `process ${pid} was gone` };
      },
      // With it goes the segment that it was making, and what nobody had fetched.
      price: { lost: 2 * SEGMENT_MS * (RATE / 1000), stallMs: 3 * PLAYLIST_MS, restarts: 1 },
      account: {
        within: 2 * SEGMENT_MS * (RATE / 1000),
        because: 'listeners of HTTP-FLV have heard what the dead media server had not yet put into a segment',
      },
      hitsAll: true,
    },
  ];

  testFaults(() => stage, faults, media);
});

const canMount = process.getuid?.() === 0 && process.platform === 'linux';
const describeAsRoot: typeof describeWithEach = canMount
  ? describeWithEach
  : (name, tests) => describe.skip(`${name} [SKIPPED: needs root, to mount a file system]`, () => tests);

describeAsRoot('a vibe whose listener follows HLS while the disk fails', (media) => {
  let stage: Stage;
  let disk: SmallDisk;
  beforeAll(async () => {
    disk = await SmallDisk.mount(4);
    stage = await Stage.open({ DATA_DIR: disk.path }, { media });
  });
  afterAll(async () => {
    await stage?.close();
    await disk?.unmount();
  });

  const faults: Fault[] = [
    {
      name: 'the disk of DATA_DIR is full for 5 s (ENOSPC); a listener of HLS',
      vibeId: 'hls-disk-full',
      listenAt: (vibeId) => stage.daemon.hlsUrl(vibeId),
      inject: async ({ victim }) => {
        const atMs = performance.now();
        const witness = disk.fill();
        await delay(5_000);
        disk.free();
        if (media.kind === 'srs') await kill(stage.encoderOf(victim.vibeId));
        return { atMs, witness };
      },
      price: { lost: 0, stallMs: PLAYLIST_MS },
      withSrs: {
        price: { lost: 10 * RATE, stallMs: 12_000, restarts: 1 },
        account: { within: 10 * RATE, because: OF_DISK },
        because: OF_DISK,
      },
    },
  ];

  testFaults(() => stage, faults, media);
});
