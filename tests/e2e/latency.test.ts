import { listenToBareFfmpeg } from '../helpers/bare-ffmpeg';
import { Daemon } from '../helpers/daemon';
import { FlvListener, type HeardFrame } from '../helpers/flv-listener';
import { burstSignal, latencies, percentile, type Latency } from '../helpers/latency';
import { paced, worstLatenessMs, type Send } from '../helpers/pacing';
import { WebSocketCreator } from '../helpers/websocket-creator';

const SECONDS = 40;
const DEFAULT_PREBUFFER_MS = 60;
/** Three of each at the same time: p99 of one alone would be its single worst burst. */
const AT_ONCE = 3;

/** What was heard and sent. Looked into only when all are done: that blocks the process, creators included. */
interface Recording {
  readonly heard: readonly HeardFrame[];
  readonly sends: readonly Send[];
}

async function throughDaemon(daemon: Daemon, vibeId: string, pcm: Buffer): Promise<Recording> {
  await daemon.startVibe(vibeId);
  const listener = await FlvListener.connect(daemon.flvUrl(vibeId));
  const creator = await WebSocketCreator.connect(daemon.target(vibeId));
  await creator.message('ready');
  const sends = await paced(pcm, { chunkMs: 20 }, (chunk) => creator.send(chunk));
  await creator.close();
  await daemon.endVibe(vibeId);
  await listener.end();
  const underruns = (await daemon.metrics()).sumOrZero('vibesflow_underruns_total');
  const lateMs = worstLatenessMs(sends, { chunkMs: 20 });
  // What a creator that was late itself costs is latency of its own making: this line says whether it was.
  console.info(`${vibeId}: creator late by ${lateMs.toFixed(1)} ms at worst; ${underruns} underruns so far`);
  return { heard: listener.frames, sends };
}

async function analyse(recordings: readonly Recording[]): Promise<Latency[]> {
  const found: Latency[] = [];
  for (const { heard, sends } of recordings) found.push(await latencies(heard, sends));
  return found;
}

interface Figures {
  readonly p50: number;
  readonly p99: number;
}

function figures(name: string, runs: readonly Latency[]): Figures {
  // The first second starts the pipeline; start-up has a suite of its own.
  const all = runs.flatMap((run) => run.eachMs.slice(2));
  const found = { p50: percentile(all, 0.5), p99: percentile(all, 0.99) };
  console.info(`${name}: p50 ${found.p50.toFixed(1)} ms, p99 ${found.p99.toFixed(1)} ms of ${all.length}`);
  return found;
}

describe('from hand-over of a 20 ms WebSocket chunk to its audio tag', () => {
  let direct: Daemon;
  let buffered: Daemon;
  let bare: Figures;
  let withoutPrebuffer: Figures;
  let withDefaults: Figures;
  let distances: number[];

  beforeAll(async () => {
    [direct, buffered] = await Promise.all([Daemon.start({ PREBUFFER_MS: '0' }), Daemon.start()]);
    const pcm = burstSignal(SECONDS);
    const times = <T>(make: (index: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: AT_ONCE }, (_, index) => make(index)));
    const [floors, directs, buffereds] = await Promise.all([
      times(() => listenToBareFfmpeg(pcm, { chunkMs: 20 })),
      times((index) => throughDaemon(direct, `direct-${index}`, pcm)),
      times((index) => throughDaemon(buffered, `buffered-${index}`, pcm)),
    ]);
    bare = figures('FFmpeg alone', await analyse(floors));
    withoutPrebuffer = figures('PREBUFFER_MS=0', await analyse(directs));
    const analysed = await analyse(buffereds);
    withDefaults = figures('defaults', analysed);
    distances = analysed.flatMap((run) => run.distances);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([direct?.stop(), buffered?.stop()]);
  }, 30_000);

  it('with PREBUFFER_MS=0 adds at most 5 ms to FFmpeg’s own floor, and 15 ms at the 99th percentile', () => {
    expect(withoutPrebuffer.p50).toBeLessThanOrEqual(bare.p50 + 5);
    expect(withoutPrebuffer.p99).toBeLessThanOrEqual(bare.p99 + 15);
  });

  it('with the default adds at most the prebuffer to that', () => {
    expect(withDefaults.p50).toBeLessThanOrEqual(bare.p50 + 5 + DEFAULT_PREBUFFER_MS);
    expect(withDefaults.p99).toBeLessThanOrEqual(bare.p99 + 15 + DEFAULT_PREBUFFER_MS);
  });

  it('neither loses nor inserts anything between the bursts', () => {
    for (const distance of distances) expect(Math.abs(distance - 24_000)).toBeLessThanOrEqual(48);
  });
});
