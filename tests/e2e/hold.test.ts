import { performance } from 'node:perf_hooks';
import { joinAdts } from '../helpers/adts';
import { listenToBareFfmpeg } from '../helpers/bare-ffmpeg';
import { Canary, notJudged } from '../helpers/canary';
import { postRaw } from '../helpers/creators';
import type { Daemon } from '../helpers/daemon';
import { delay, eventually } from '../helpers/eventually';
import { decode } from '../helpers/ffmpeg';
import { type FlvListener, timestampFault } from '../helpers/flv-listener';
import { judgeGaps } from '../helpers/gaps';
import { burstSignal, latencies } from '../helpers/latency';
import { describeWithEach } from '../helpers/media-servers';
import { music } from '../helpers/music';
import type { Send } from '../helpers/pacing';

const AWAY_MS = 20_000;
const LEAD_MS = 200;
/** FFmpeg alone is listened to for so long before the creator is back, and after. */
const FLOOR_MS = 4_000;
const PREBUFFER_MS = 60;
/** Silence goes out in whole AAC frames, and the first new sample waits for the end of one. */
const FRAME_MS = 1024 / 48;
/** What a relay may add that has nothing else to do. */
const RELAY_MS = 20;
/** What the machine did so long before a tag was late may be the reason. */
const LOOK_BACK_MS = 100;
/** A machine that stalled for more around a moment tells nothing about it. */
const STALLED_MS = 100;
/** -60 dBFS: below this a decoded sample counts as silence. */
const SILENT = 33;

describeWithEach('a creator who goes away for 20 s and comes back', (media) => {
  let daemon: Daemon;
  let listener: FlvListener;
  let back: Send[];
  let whileAway: { state: unknown; isConnected: boolean };
  let pcm: Int16Array;
  let first: Send[];
  let canary: Canary;
  /** What FFmpeg alone takes at worst, in the same seconds. */
  let floorMs: number;

  beforeAll(async () => {
    // Made beforehand: that blocks the process, and the creator with it.
    const [before, after] = [music(4, 1), music(4, 2)];
    const bursts = burstSignal((2 * FLOOR_MS) / 1_000);
    canary = await Canary.start();
    daemon = await media.start({ PREBUFFER_MS: String(PREBUFFER_MS) });
    const target = daemon.target('away');
    await daemon.startVibe('away');
    listener = await daemon.listen('away');
    first = await postRaw(target, before, { leadMs: LEAD_MS });
    await delay(AWAY_MS - FLOOR_MS);
    const floor = listenToBareFfmpeg(bursts, { chunkMs: 20 });
    await delay(FLOOR_MS);
    whileAway = { state: (await daemon.status('away'))?.['state'], isConnected: listener.isConnected };
    const sending = postRaw(target, after, { leadMs: LEAD_MS });
    await eventually('it is live again', async () => (await daemon.status('away'))?.['state'] === 'live');
    back = await sending;
    await daemon.endVibe('away');
    await listener.end();
    const { heard, sends } = await floor;
    await canary.stop();
    pcm = await decode(joinAdts(listener.aacFrames), 'aac');
    // Its first second starts it.
    floorMs = Math.max(...(await latencies(heard, sends)).eachMs.slice(2));
  });
  afterAll(async () => daemon?.stop());

  it('is held: the vibe says so, the listener stays connected', () => {
    expect(whileAway).toEqual({ state: 'holding', isConnected: true });
  });

  it('leaves no gap in the stream: tags keep coming, timestamps never go back', () => {
    expect(timestampFault(listener.frames)).toBeUndefined();
    judgeGaps('none above 150 ms', listener.frames, canary, { limitMs: 150 });
  });

  it('is silence in between, and nothing but silence', () => {
    const { from, until } = silentStretch(pcm);
    const silentMs = (until - from) / 48;
    // By the creator's own watch: from the end of what it sent to the moment at which it sent again.
    const awayMs = (back[0]?.atMs ?? NaN) - ((first[0]?.atMs ?? NaN) + 4_000);
    // The last chunk went out 20 ms before it ended, and timers may come a little early.
    expect(awayMs).toBeGreaterThan(AWAY_MS - LEAD_MS - 20 - 10);
    const stalledMs = canary.stalledMs(first[0]?.atMs ?? 0, back.at(-1)?.atMs ?? 0);
    expect(Math.abs(silentMs - awayMs)).toBeLessThan(200 + stalledMs);
  });

  it('is heard again within one prebuffer of the first new chunk, and the encoder’s own delay', () => {
    const { until } = silentStretch(pcm);
    const frame = listener.frames[Math.floor(until / 1024)];
    const sentMs = back[0]?.atMs ?? NaN;
    const heardMs = frame?.atMs ?? NaN;
    const stalledMs = canary.stalledMs(sentMs - LOOK_BACK_MS, heardMs);
    console.info(
      `sound again ${(heardMs - sentMs).toFixed(1)} ms after the first new chunk; FFmpeg alone takes ` +
        `${floorMs.toFixed(1)} ms; the machine stalled for ${stalledMs.toFixed(1)} ms of them`,
    );
    if (stalledMs > STALLED_MS) return notJudged('the time until sound is heard again', canary.summary);
    expect(heardMs - sentMs - stalledMs).toBeLessThan(
      PREBUFFER_MS + floorMs + FRAME_MS + RELAY_MS + media.addsMs.p99,
    );
  });
});

describeWithEach('a creator who stays away longer than HOLD_SECONDS', (media) => {
  let daemon: Daemon;
  let canary: Canary;
  beforeAll(async () => {
    canary = await Canary.start();
    daemon = await media.start({ HOLD_SECONDS: '2' });
  });
  afterAll(async () => {
    await canary?.stop();
    await daemon?.stop();
  });

  it('finds the vibe ended: listeners got the end, no FFmpeg is left, and the id is free again', async () => {
    await daemon.startVibe('gone');
    const listener = await daemon.listen('gone');
    await postRaw(daemon.target('gone'), music(1), {});
    const lastSampleMs = performance.now();
    expect(await listener.end()).toBe(media.flvEnd);
    const endedMs = performance.now();
    await canary.look();
    expect(endedMs - lastSampleMs).toBeGreaterThan(1_800);
    expect(canary.netMs(lastSampleMs, endedMs)).toBeLessThan(5_000);
    await eventually('the vibe is ended', async () => {
      const status = await daemon.status('gone');
      return status === undefined || status['state'] === 'ended';
    });
    expect(daemon.encoders('gone')).toEqual([]);
    await daemon.startVibe('gone');
    expect((await daemon.status('gone'))?.['state']).toBe('starting');
    await daemon.endVibe('gone', { drain: false });
  });
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
