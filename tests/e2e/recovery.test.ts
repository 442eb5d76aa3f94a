import { performance } from 'node:perf_hooks';
import { Canary } from '../helpers/canary';
import { postRaw } from '../helpers/creators';
import { Daemon } from '../helpers/daemon';
import { eventually } from '../helpers/eventually';
import { FFMPEG } from '../helpers/ffmpeg';
import { FlvListener, timestampFault } from '../helpers/flv-listener';
import { httpRequest } from '../helpers/http-request';
import { music } from '../helpers/music';
import { encodeOffline, expectSameFrames } from '../helpers/offline-encode';
import { outputOf } from '../helpers/run-program';

const FRAME_SAMPLES = 1024;
const SAMPLE_BYTES = 4;
/** Creators are this far ahead, and vibes hold so much: a busy test machine makes no silence of its own. */
const LEAD_MS = 300;
const PREBUFFER_MS = 2_000;
/** How many times what a program's start alone takes on this machine a restart may take, beside the 250 ms of waiting. */
const STARTS = 5;
const BACKOFF_MS = 250;

/** What a program's start takes on this machine now, on its own. */
async function bareStartMs(program: string, args: readonly string[]): Promise<number> {
  const startMs = performance.now();
  await outputOf(program, args);
  return performance.now() - startMs;
}

let canary: Canary;
beforeAll(async () => {
  canary = await Canary.start();
});
afterAll(async () => canary?.stop());

describe('FFmpeg killed with SIGKILL in mid-stream', () => {
  const pcm = music(14, 41);
  let daemon: Daemon;
  let listener: FlvListener;
  let killedAtMs: number;
  let startMs: number;
  let lostSamples: number;
  /** Frames of the first FFmpeg's life; what follows is its successor's. */
  let firstLife: number;

  beforeAll(async () => {
    daemon = await Daemon.start({ PREBUFFER_MS: String(PREBUFFER_MS) });
    await daemon.startVibe('killed');
    listener = await FlvListener.connect(daemon.flvUrl('killed'));
    const sending = postRaw(daemon.target('killed'), pcm, { chunkMs: 20, leadMs: LEAD_MS });
    await listener.until('5 s of sound', () => listener.frames.length > 235);
    startMs = await bareStartMs(FFMPEG, ['-version']);

    const [encoder, ...others] = daemon.encoders('killed');
    if (!encoder || others.length > 0) throw new Error(`not one FFmpeg but ${others.length + 1}`);
    killedAtMs = performance.now();
    process.kill(encoder.pid, 'SIGKILL');
    await eventually('a new FFmpeg', () => daemon.encoders('killed').some(({ pid }) => pid !== encoder.pid));

    await sending;
    await daemon.endVibe('killed');
    expect(await listener.end()).toBe('end');
    lostSamples = (await daemon.metrics()).sumOrZero('vibesflow_samples_lost_total');
    const untilKill = await encodeOffline(pcm);
    firstLife = listener.aacFrames.findIndex((frame, index) => !untilKill[index]?.equals(frame));
    await canary.look();
  });
  afterAll(async () => daemon?.stop());

  it('is heard again within 1.5 s, on the same connection, timestamps going on', () => {
    const next = listener.frames[firstLife];
    const afterMs = (next?.atMs ?? NaN) - killedAtMs;
    const step = (next?.timestampMs ?? NaN) - (listener.frames[firstLife - 1]?.timestampMs ?? NaN);
    console.info(
      `sound ${afterMs.toFixed(0)} ms after the kill (${startMs.toFixed(0)} ms for FFmpeg’s start alone); timestamps step ${step} ms; ` +
        `${lostSamples} lost; ${canary.summary}`,
    );
    const netMs = canary.netMs(killedAtMs, killedAtMs + afterMs);
    expect(netMs).toBeLessThan(Math.max(1_500, BACKOFF_MS + STARTS * startMs));
    expect(timestampFault(listener.frames)).toBeUndefined();
  });

  it('costs not one sample', async () => {
    // The first frame of a life only primes the decoder, so `firstLife` frames hold one frame less of sound. The
    // successor began with the very next sample after them: its whole stream is then an offline encode of the rest, to
    // the end. One sample off, and no frame is equal.
    expect(lostSamples).toBe(0);
    const resumedAt = (firstLife - 1) * FRAME_SAMPLES;
    const rest = await encodeOffline(pcm.subarray(resumedAt * SAMPLE_BYTES));
    expect(expectSameFrames(listener.aacFrames.slice(firstLife), rest).firstFrame).toBe(0);
  });
});

describe('the media server’s process killed in mid-stream', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await Daemon.start({ PREBUFFER_MS: String(PREBUFFER_MS) });
  });
  afterAll(async () => daemon?.stop());

  it('is back within 3 s, with the vibe on air again', async () => {
    const pcm = music(10, 42);
    await daemon.startVibe('survivor');
    const before = await FlvListener.connect(daemon.flvUrl('survivor'));
    const sending = postRaw(daemon.target('survivor'), pcm, { chunkMs: 20, leadMs: LEAD_MS });
    await before.until('2 s of sound', () => before.frames.length > 94);
    const startsMs =
      (await bareStartMs(FFMPEG, ['-version'])) + (await bareStartMs(process.execPath, ['-e', '0']));

    const server = daemon.mediaServerProcess();
    if (!server) throw new Error('no media server process');
    const killedAtMs = performance.now();
    process.kill(server.pid, 'SIGKILL');
    expect(await before.end()).toBe('cut');
    const after = await eventually('the media server takes players again', () =>
      FlvListener.connect(daemon.flvUrl('survivor')),
    );
    await after.until('sound', () => after.frames.length > 0);
    const backMs = after.frames[0]?.atMs ?? NaN;
    await canary.look();
    console.info(
      `sound from the new media server ${(backMs - killedAtMs).toFixed(0)} ms after the kill ` +
        `(${startsMs.toFixed(0)} ms for the programs’ starts alone); ${canary.summary}`,
    );
    // Two programs have to start, one after the other, and a slow machine takes longer for each.
    expect(canary.netMs(killedAtMs, backMs)).toBeLessThan(Math.max(3_000, BACKOFF_MS + STARTS * startsMs));
    expect((await httpRequest(`${daemon.apiUrl}/ready`)).status).toBe(200);
    expect((await daemon.metrics()).sum('vibesflow_media_server_restarts_total')).toBe(1);
    await sending;
    await daemon.endVibe('survivor');
    expect(await after.end()).toBe('end');
  });
});
