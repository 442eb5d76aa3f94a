import { DEFAULT_FORMAT, type PcmFormat } from '../../src/audio/pcm';
import { notJudged } from '../helpers/canary';
import { DOORS, shortPosts, type Creator } from '../helpers/creators';
import type { Daemon } from '../helpers/daemon';
import { delay } from '../helpers/eventually';
import { type FlvListener, timestampFault, type ListenerEnd } from '../helpers/flv-listener';
import { HlsListener } from '../helpers/hls-listener';
import { describeWithEach, type MediaServerUnderTest } from '../helpers/media-servers';
import { music } from '../helpers/music';
import { encodeOffline, expectSameFrames } from '../helpers/offline-encode';
import { worstLatenessMs, type Pacing } from '../helpers/pacing';

const SECONDS = 30;
/** Creators are this far ahead. */
const LEAD_MS = 1_500;
/** And vibes hold so much before they begin: a busy test machine delays no chunk beyond its turn. */
const PREBUFFER_MS = 8_000;
/** They begin one after the other: fourteen FFmpegs that start in the same instant are another test. */
const STAGGER_MS = 150;

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
  /** What FFmpeg makes of the same PCM offline; made when somebody asks, once. */
  reference(): Promise<Buffer[]>;
  /** For the blame, where something differs. */
  readonly creatorLateMs: number;
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

async function play(
  media: MediaServerUnderTest,
  daemon: Daemon,
  { name, pcm, format, pacing, send }: Case,
): Promise<Run> {
  await daemon.startVibe(name);
  const flv = await daemon.listen(name);
  const hls = new HlsListener(daemon.hlsUrl(name));
  const sends = await send(daemon.target(name), pcm, pacing);
  await daemon.endVibe(name);
  const flvEnd = await flv.end();
  // SRS says no end: what stands in the playlist once the publisher is gone is all.
  await (media.hlsEnds ? hls.done : hls.finish());
  const creatorLateMs = worstLatenessMs(sends, pacing);
  let reference: Promise<Buffer[]> | undefined;
  return {
    flv,
    flvEnd,
    hls,
    reference: () => (reference ??= encodeOffline(pcm, format)),
    creatorLateMs,
  };
}

/** From the first frame on, all equal; where they are not, says whether the creator was late itself. */
async function expectAllFrames(
  heard: readonly Buffer[],
  { reference, creatorLateMs }: Run,
  tailFrames: number,
): Promise<void> {
  const wanted = await reference();
  try {
    expect(expectSameFrames(heard, wanted, tailFrames).firstFrame).toBe(0);
  } catch (error) {
    const said = error instanceof Error ? error.message : '';
    // Silence went in where a chunk did not come: that is right, and no difference to be found.
    if (creatorLateMs > PREBUFFER_MS)
      return notJudged(said, `the creator was late by ${creatorLateMs.toFixed(0)} ms`);
    throw new Error(`${said}; the creator was late by ${creatorLateMs.toFixed(0)} ms at worst`, {
      cause: error,
    });
  }
}

describeWithEach('30 s of music, from every door at the same time', (media) => {
  const names = [...DOORS, ...FORMATS].map(({ name }) => name);
  const runs = new Map<string, Promise<Run>>();
  let daemon: Daemon;

  /** A run, when all are over: to look into one would keep the creators of the others, who share its process, waiting. */
  async function runOf(name: string): Promise<Run> {
    await Promise.allSettled(runs.values());
    return (await runs.get(name)) as Run;
  }

  beforeAll(async () => {
    const cases = makeCases();
    daemon = await media.start({ PREBUFFER_MS: String(PREBUFFER_MS) });
    for (const [index, each] of cases.entries()) {
      const running = delay(index * STAGGER_MS).then(() => play(media, daemon, each));
      running.catch(() => undefined);
      runs.set(each.name, running);
    }
  });
  afterAll(async () => {
    await Promise.allSettled(runs.values());
    await daemon?.stop();
  }, 120_000);

  it.each(names)(
    '%s: a listener who waited hears every frame of an offline encode, and then the end',
    async (name) => {
      const run = await runOf(name);
      const { flv, flvEnd } = run;
      await expectAllFrames(flv.aacFrames, run, media.tailFrames);
      expect(flvEnd).toBe(media.flvEnd);
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
      const run = await runOf(name);
      await expectAllFrames(await run.hls.frames(), run, media.tailFrames);
      expect(run.hls.playlist.includes('#EXT-X-ENDLIST')).toBe(media.hlsEnds);
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
    const each = await Promise.all(names.map(runOf));
    const lateMs = Math.max(...each.map(({ creatorLateMs }) => creatorLateMs));
    if (lateMs > PREBUFFER_MS) return notJudged('underruns', `a creator was late by ${lateMs.toFixed(0)} ms`);
    expect(metrics.sumOrZero('vibesflow_underruns_total')).toBe(0);
  }, 120_000);
});
