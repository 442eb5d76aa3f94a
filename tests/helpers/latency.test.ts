import { joinAdts } from './adts';
import { decode } from './ffmpeg';
import { burstSignal, burstStart, findBursts, latencies } from './latency';
import { encodeOffline } from './offline-encode';
import { paced } from './pacing';

describe('the latency method', () => {
  it('finds every burst of an encode where it is, one frame of priming later, and knows which one it is', async () => {
    const frames = await encodeOffline(burstSignal(6));
    const bursts = findBursts(await decode(joinAdts(frames), 'aac'));
    expect(bursts.map(({ tone }) => tone)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3]);
    for (const [index, { at }] of bursts.entries())
      expect(Math.abs(at - burstStart(index) - 1024)).toBeLessThanOrEqual(48);
  });

  it('gives the time from hand-over of the chunk to arrival of the frame', async () => {
    const pcm = burstSignal(3);
    const frames = await encodeOffline(pcm);
    const sends = (await paced(pcm, { leadMs: Infinity }, () => undefined)).map((send) => ({
      ...send,
      atMs: send.fromSample / 48,
    }));
    // A made-up listener who hears each frame 100 ms after its first sample was due.
    const heard = frames.map((aac, index) => ({ aac, timestampMs: 0, atMs: (index * 1024) / 48 + 100 }));
    const { eachMs, distances } = await latencies(heard, sends);
    expect(eachMs).toHaveLength(6);
    for (const ms of eachMs) expect(Math.abs(ms - 110)).toBeLessThanOrEqual(22);
    for (const samples of distances) expect(Math.abs(samples - 24_000)).toBeLessThanOrEqual(48);
  });
});
