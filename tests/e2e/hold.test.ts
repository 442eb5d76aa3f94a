import { performance } from 'node:perf_hooks';
import { joinAdts } from '../helpers/adts';
import { postRaw } from '../helpers/creators';
import { Daemon } from '../helpers/daemon';
import { delay, eventually } from '../helpers/eventually';
import { decode } from '../helpers/ffmpeg';
import { arrivalGaps, FlvListener, timestampFault } from '../helpers/flv-listener';
import { music } from '../helpers/music';
import type { Send } from '../helpers/pacing';

const AWAY_MS = 20_000;
const PREBUFFER_MS = 60;
/** FFmpeg's own delay (p95 of its floor) and one AAC frame: silence goes out in whole frames. */
const ENCODER_MS = 62 + 22;
/** What a busy test machine may add. */
const MACHINE_MS = 20;
/** -60 dBFS: below this a decoded sample counts as silence. */
const SILENT = 33;

describe('a creator who goes away for 20 s and comes back', () => {
  let daemon: Daemon;
  let listener: FlvListener;
  let back: Send[];
  let whileAway: { state: unknown; isConnected: boolean };
  let pcm: Int16Array;

  beforeAll(async () => {
    daemon = await Daemon.start({ PREBUFFER_MS: String(PREBUFFER_MS) });
    const target = daemon.target('away');
    await daemon.startVibe('away');
    listener = await FlvListener.connect(daemon.flvUrl('away'));
    await postRaw(target, music(4, 1), { leadMs: 200 });
    await delay(AWAY_MS);
    whileAway = { state: (await daemon.status('away'))?.['state'], isConnected: listener.isConnected };
    back = await postRaw(target, music(4, 2), { leadMs: 200 });
    expect((await daemon.status('away'))?.['state']).toBe('live');
    await daemon.endVibe('away');
    await listener.end();
    pcm = await decode(joinAdts(listener.aacFrames), 'aac');
  }, 90_000);
  afterAll(async () => daemon?.stop(), 30_000);

  it('is held: the vibe says so, the listener stays connected', () => {
    expect(whileAway).toEqual({ state: 'holding', isConnected: true });
  });

  it('leaves no gap in the stream: tags keep coming, timestamps never go back', () => {
    expect(timestampFault(listener.frames)).toBeUndefined();
    expect(Math.max(...arrivalGaps(listener.frames).map(({ gapMs }) => gapMs))).toBeLessThan(150);
  });

  it('is silence in between, and nothing but silence', () => {
    const { from, until } = silentStretch(pcm);
    const silentMs = (until - from) / 48;
    expect(silentMs).toBeGreaterThan(AWAY_MS - 500);
    expect(silentMs).toBeLessThan(AWAY_MS + 500);
  });

  it('is heard again within one prebuffer of the first new chunk, and the encoder’s own delay', () => {
    const { until } = silentStretch(pcm);
    const frame = listener.frames[Math.floor(until / 1024)];
    const heardAfterMs = (frame?.atMs ?? NaN) - (back[0]?.atMs ?? NaN);
    console.info(`sound again ${heardAfterMs.toFixed(1)} ms after the first new chunk`);
    expect(heardAfterMs).toBeLessThan(PREBUFFER_MS + ENCODER_MS + MACHINE_MS);
  });
});

describe('a creator who stays away longer than HOLD_SECONDS', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await Daemon.start({ HOLD_SECONDS: '2' });
  }, 30_000);
  afterAll(async () => daemon?.stop(), 30_000);

  it('finds the vibe ended: listeners got the end, no FFmpeg is left, and the id is free again', async () => {
    await daemon.startVibe('gone');
    const listener = await FlvListener.connect(daemon.flvUrl('gone'));
    await postRaw(daemon.target('gone'), music(1), {});
    const lastSampleMs = performance.now();
    expect(await listener.end(10_000)).toBe('end');
    const endedAfterMs = performance.now() - lastSampleMs;
    expect(endedAfterMs).toBeGreaterThan(1_800);
    expect(endedAfterMs).toBeLessThan(5_000);
    await eventually('the vibe is ended', async () => {
      const status = await daemon.status('gone');
      return status === undefined || status['state'] === 'ended';
    });
    expect(daemon.encoders('gone')).toEqual([]);
    await daemon.startVibe('gone');
    expect((await daemon.status('gone'))?.['state']).toBe('starting');
    await daemon.endVibe('gone', { drain: false });
  }, 30_000);
});

/** The longest stretch of silence: its first sample, and the first sample after it. */
function silentStretch(pcm: Int16Array): { from: number; until: number } {
  let best = { from: 0, until: 0 };
  let from = 0;
  for (let at = 0; at * 2 < pcm.length; at += 1) {
    if (Math.abs(pcm[at * 2] as number) <= SILENT && Math.abs(pcm[at * 2 + 1] as number) <= SILENT) continue;
    if (at - from > best.until - best.from) best = { from, until: at };
    from = at + 1;
  }
  return best;
}
