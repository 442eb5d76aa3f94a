import { DEFAULT_FORMAT, type PcmFormat } from '../../src/audio/pcm';
import { DOORS, shortPosts, type Creator } from '../helpers/creators';
import { Daemon } from '../helpers/daemon';
import { FlvListener, timestampFault, type ListenerEnd } from '../helpers/flv-listener';
import { HlsListener } from '../helpers/hls-listener';
import { music } from '../helpers/music';
import { encodeOffline, expectSameFrames } from '../helpers/offline-encode';
import type { Pacing } from '../helpers/pacing';

const SECONDS = 30;
/** Creators are this far ahead, so that a busy test machine delays no chunk beyond its turn. */
const LEAD_MS = 400;

/** Audio in other formats than the default one, made from the same music. */
const FORMATS: readonly { name: string; format: PcmFormat; convert: (pcm: Buffer) => Buffer }[] = [
  {
    name: 'big-endian-s16',
    format: { ...DEFAULT_FORMAT, sampleFormat: 's16be' },
    convert: (pcm) => Buffer.from(pcm).swap16(),
  },
  {
    name: 'f32-stereo',
    format: { ...DEFAULT_FORMAT, sampleFormat: 'f32le' },
    convert: (pcm) => {
      const out = Buffer.alloc(pcm.length * 2);
      for (let at = 0; at < pcm.length; at += 2) out.writeFloatLE(pcm.readInt16LE(at) / 32_768, at * 2);
      return out;
    },
  },
  {
    name: 's24-mono-44100',
    format: { sampleFormat: 's24le', sampleRate: 44_100, channels: 1 },
    convert: (pcm) => {
      const out = Buffer.alloc((pcm.length / 4) * 3);
      for (let at = 0; at < pcm.length; at += 4) out.writeIntLE(pcm.readInt16LE(at) * 256, (at / 4) * 3, 3);
      return out;
    },
  },
];

interface Case {
  readonly name: string;
  readonly pcm: Buffer;
  readonly format: PcmFormat;
  readonly pacing: Pacing;
  readonly send: Creator;
}

interface Run {
  readonly flv: FlvListener;
  readonly flvEnd: ListenerEnd;
  readonly hls: HlsListener;
  readonly reference: Buffer[];
}

/** Every case has other music: what strays from one vibe into another is a difference, too. */
function makeCases(): Case[] {
  const long = music(SECONDS + DOORS.length + FORMATS.length, 2_026);
  const piece = (index: number): Buffer =>
    long.subarray(index * 192_000, index * 192_000 + SECONDS * 192_000);
  const doors = DOORS.map(({ name, chunkMs, send }, index) => ({
    name,
    send,
    pcm: piece(index),
    format: DEFAULT_FORMAT,
    pacing: { chunkMs, leadMs: LEAD_MS },
  }));
  const formats = FORMATS.map(({ name, format, convert }, index) => {
    const { sampleFormat, sampleRate, channels } = format;
    const query = `?format=${sampleFormat}&sampleRate=${sampleRate}&channels=${channels}`;
    const headers = { 'content-type': 'application/octet-stream' };
    const sampleBytes = (channels * Number(/\d+/.exec(sampleFormat)?.[0])) / 8;
    return {
      name,
      format,
      pcm: convert(piece(DOORS.length + index)),
      send: shortPosts((body) => ({ query, headers, body })),
      pacing: { chunkMs: 100, leadMs: LEAD_MS, sampleBytes, rate: sampleRate },
    };
  });
  return [...doors, ...formats];
}

async function run(daemon: Daemon, { name, pcm, format, pacing, send }: Case): Promise<Run> {
  await daemon.startVibe(name);
  const flv = await FlvListener.connect(daemon.flvUrl(name));
  const hls = new HlsListener(daemon.hlsUrl(name));
  await send(daemon.target(name), pcm, pacing);
  await daemon.endVibe(name);
  const flvEnd = await flv.end();
  await hls.done;
  return { flv, flvEnd, hls, reference: await encodeOffline(pcm, format) };
}

describe('30 s of music, from every door at the same time', () => {
  const names = [...DOORS, ...FORMATS].map(({ name }) => name);
  const runs = new Map<string, Promise<Run>>();
  let daemon: Daemon;

  beforeAll(async () => {
    daemon = await Daemon.start();
    for (const each of makeCases()) {
      const running = run(daemon, each);
      running.catch(() => undefined);
      runs.set(each.name, running);
    }
  }, 60_000);
  afterAll(async () => {
    await Promise.allSettled(runs.values());
    await daemon?.stop();
  }, 120_000);

  it.each(names)(
    '%s: a listener who waited hears every frame of an offline encode, and then the end',
    async (name) => {
      const { flv, flvEnd, reference } = (await runs.get(name)) as Run;
      expect(expectSameFrames(flv.aacFrames, reference).firstFrame).toBe(0);
      expect(flvEnd).toBe('end');
      expect(timestampFault(flv.frames)).toBeUndefined();
      expect({ flags: flv.headerFlags, video: flv.otherTags.filter((type) => type === 9) }).toEqual({
        flags: 4,
        video: [],
      });
    },
    120_000,
  );

  it.each(names)(
    '%s: the HLS segments, one after the other, hold the same frames',
    async (name) => {
      const { hls, reference } = (await runs.get(name)) as Run;
      expect(expectSameFrames(await hls.frames(), reference).firstFrame).toBe(0);
      expect(hls.playlist).toContain('#EXT-X-ENDLIST');
    },
    120_000,
  );

  it('lost no sample and played none twice, by the daemon’s own count', async () => {
    await Promise.allSettled(runs.values());
    const metrics = await daemon.metrics();
    const accepted = metrics.sum('vibesflow_samples_accepted_total');
    expect(accepted).toBe(SECONDS * 48_000 * names.length);
    expect(metrics.sum('vibesflow_samples_played_total')).toBe(accepted);
    expect(metrics.sumOrZero('vibesflow_samples_discarded_total')).toBe(0);
    expect(metrics.sumOrZero('vibesflow_samples_lost_total')).toBe(0);
    expect(metrics.sumOrZero('vibesflow_underruns_total')).toBe(0);
  }, 120_000);
});
