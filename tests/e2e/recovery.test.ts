import { performance } from 'node:perf_hooks';
import { postRaw } from '../helpers/creators';
import { Daemon } from '../helpers/daemon';
import { eventually } from '../helpers/eventually';
import { FlvListener, timestampFault } from '../helpers/flv-listener';
import { httpRequest } from '../helpers/http-request';
import { music } from '../helpers/music';
import { encodeOffline, expectSameFrames } from '../helpers/offline-encode';

const FRAME_SAMPLES = 1024;
const SAMPLE_BYTES = 4;

describe('FFmpeg killed with SIGKILL in mid-stream', () => {
  const pcm = music(14, 41);
  let daemon: Daemon;
  let listener: FlvListener;
  let killedAtMs: number;
  let lostSamples: number;
  /** Frames of the first FFmpeg's life; what follows is its successor's. */
  let firstLife: number;

  beforeAll(async () => {
    daemon = await Daemon.start();
    await daemon.startVibe('killed');
    listener = await FlvListener.connect(daemon.flvUrl('killed'));
    const sending = postRaw(daemon.target('killed'), pcm, { chunkMs: 20, leadMs: 300 });
    await listener.until('5 s of sound', () => listener.frames.length > 235);

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
  }, 90_000);
  afterAll(async () => daemon?.stop(), 30_000);

  it('is heard again within 1.5 s, on the same connection, timestamps going on', () => {
    const next = listener.frames[firstLife];
    const afterMs = (next?.atMs ?? NaN) - killedAtMs;
    const step = (next?.timestampMs ?? NaN) - (listener.frames[firstLife - 1]?.timestampMs ?? NaN);
    console.info(
      `sound ${afterMs.toFixed(0)} ms after the kill; timestamps step ${step} ms; ${lostSamples} lost`,
    );
    expect(afterMs).toBeLessThan(1_500);
    expect(timestampFault(listener.frames)).toBeUndefined();
  });

  it('costs what /metrics says, to the sample, and nothing accepted after the kill', async () => {
    // The first frame of a life only primes the decoder, so `firstLife` frames hold one frame less of sound. If the
    // count is right, the successor began with the very next sample after the lost ones: its whole stream is then an
    // offline encode of the rest, to the end. One sample off, and no frame is equal.
    expect(lostSamples).toBeGreaterThan(0);
    expect(lostSamples).toBeLessThan(48_000);
    const resumedAt = (firstLife - 1) * FRAME_SAMPLES + lostSamples;
    const rest = await encodeOffline(pcm.subarray(resumedAt * SAMPLE_BYTES));
    expect(expectSameFrames(listener.aacFrames.slice(firstLife), rest).firstFrame).toBe(0);
  });
});

describe('the media server’s process killed in mid-stream', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await Daemon.start();
  }, 30_000);
  afterAll(async () => daemon?.stop(), 30_000);

  it('is back within 3 s, with the vibe on air again', async () => {
    await daemon.startVibe('survivor');
    const before = await FlvListener.connect(daemon.flvUrl('survivor'));
    const sending = postRaw(daemon.target('survivor'), music(10, 42), { chunkMs: 20, leadMs: 300 });
    await before.until('2 s of sound', () => before.frames.length > 94);

    const server = daemon.mediaServerProcess();
    if (!server) throw new Error('no media server process');
    const killedAtMs = performance.now();
    process.kill(server.pid, 'SIGKILL');
    expect(await before.end(3_000)).toBe('cut');
    const after = await eventually(
      'the media server takes players again',
      () => FlvListener.connect(daemon.flvUrl('survivor')),
      { withinMs: 5_000 },
    );
    await after.until('sound', () => after.frames.length > 0, 5_000);
    const backAfterMs = performance.now() - killedAtMs;
    console.info(`sound from the new media server ${backAfterMs.toFixed(0)} ms after the kill`);
    expect(backAfterMs).toBeLessThan(3_000);
    expect((await httpRequest(`${daemon.apiUrl}/ready`)).status).toBe(200);
    expect((await daemon.metrics()).sum('vibesflow_media_server_restarts_total')).toBe(1);
    await sending;
    await daemon.endVibe('survivor');
    expect(await after.end()).toBe('end');
  }, 60_000);
});
