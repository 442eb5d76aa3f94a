import { joinAdts, splitAdts } from '../../helpers/adts';
import { decode, FFMPEG, QUIET } from '../../helpers/ffmpeg';
import { outputOf } from '../../helpers/run-program';
import { checkContinuity, type ContinuityReport } from './continuity';
import { channelOf, noise, NOISE_RATE, stereoNoise } from './noise';

const SEED = 4_711;
const SECONDS = 4;
const PRIMING = 1_024;
const FRAME = 1_024;
const SAMPLE_BYTES = 4;
/** In the middle, on no boundary of anything. */
const AT = 2 * NOISE_RATE + 333;
const CHUNK = 960;
/** 5 ms. */
const SHORT = 240;
/** Between two places of one stream: each is found on its own. */
const APART = 30_011;

const pcm = stereoNoise(SEED, SECONDS);
const reference = noise(SEED, 0, SECONDS * NOISE_RATE);

/** What a listener hears of this, at the relay's own bit rate unless told. */
async function throughAac(sent: Buffer, bitRate = '128k'): Promise<Buffer[]> {
  const input = ['-f', 's16le', '-ar', '48000', '-ac', '2', '-i', 'pipe:0'];
  const output = ['-c:a', 'aac', '-b:a', bitRate, '-f', 'adts', 'pipe:1'];
  return splitAdts(await outputOf(FFMPEG, [...QUIET, ...input, ...output], { input: sent }));
}

async function heard(frames: readonly Buffer[], channel: 0 | 1 = 0): Promise<Float32Array> {
  return channelOf(await decode(joinAdts(frames), 'aac'), channel);
}

async function check(sent: Buffer, bitRate?: string): Promise<ContinuityReport> {
  return checkContinuity(await heard(await throughAac(sent, bitRate)), reference);
}

const bytes = (samples: number): number => samples * SAMPLE_BYTES;
const until = (sample: number): Buffer => pcm.subarray(0, bytes(sample));
const from = (sample: number): Buffer => pcm.subarray(bytes(sample));
const silence = (samples: number): Buffer => Buffer.alloc(bytes(samples));
const shape = ({ events }: ContinuityReport): string[] => events.map(({ kind, net }) => `${kind} ${net}`);

describe('the continuity checker, on what FFmpeg’s AAC encoder made of the noise', () => {
  it.each(['96k', '128k', '192k'])('finds nothing in a clean stream at %sbit/s', async (bitRate) => {
    const report = await check(pcm, bitRate);
    expect(report.events).toEqual([]);
    expect(report).toMatchObject({ net: 0, lost: 0, inserted: 0, driftPpm: 0 });
    expect(report.meanLikeness).toBeGreaterThan(0.95);
    // A window's length at both ends, where the encoder fades in and pads.
    expect(report.first).toBeLessThan(FRAME);
    expect(report.end).toBeGreaterThan(reference.length - FRAME);
    expect(report.heardFrom - report.first).toBe(PRIMING);
  });

  it('finds 1, 2, 5, 100 and 960 lost samples as just as many, each where it is', async () => {
    const losses = [1, 2, 5, 100, CHUNK];
    const sent: Buffer[] = [];
    const places: number[] = [];
    let at = 0;
    for (const lost of losses) {
      const next = at + APART;
      sent.push(pcm.subarray(bytes(at), bytes(next)));
      places.push(next);
      at = next + lost;
    }
    const report = await check(Buffer.concat([...sent, from(at)]));
    expect(shape(report)).toEqual(losses.map((lost) => `lost ${lost}`));
    let gone = 0;
    for (const [index, event] of report.events.entries()) {
      expect(Math.abs(event.at - ((places[index] as number) - gone) - PRIMING)).toBeLessThan(FRAME);
      gone += losses[index] as number;
    }
  });

  it('finds 1 and 960 samples sent twice', async () => {
    const again = AT - APART;
    const report = await check(
      Buffer.concat([until(again + 1), pcm.subarray(bytes(again), bytes(AT + CHUNK)), from(AT)]),
    );
    expect(shape(report)).toEqual(['inserted -1', `inserted ${-CHUNK}`]);
  });

  it('finds inserted silence, and how much was heard of it', async () => {
    const report = await check(Buffer.concat([until(AT), silence(CHUNK), from(AT)]));
    expect(shape(report)).toEqual([`inserted ${-CHUNK}`]);
    expect(Math.abs(report.inserted - CHUNK)).toBeLessThan(200);
    expect(report.lost).toBeLessThan(200);
  });

  it('finds silence in the place of audio: both lost and inserted; 5 ms of it, too', async () => {
    const short = AT - APART;
    const report = await check(
      Buffer.concat([
        until(short),
        silence(SHORT),
        pcm.subarray(bytes(short + SHORT), bytes(AT)),
        silence(CHUNK),
        from(AT + CHUNK),
      ]),
    );
    expect(shape(report)).toEqual(['damaged 0', 'damaged 0']);
    expect(Math.abs(report.lost - CHUNK - SHORT)).toBeLessThan(400);
    expect(Math.abs((report.events[1]?.foreign ?? 0) - CHUNK)).toBeLessThan(200);
    expect(report.inserted).toBe(report.lost);
  });

  it('finds two chunks that changed places', async () => {
    const [a, b, c] = [AT, AT + CHUNK, AT + 2 * CHUNK];
    const report = await check(
      Buffer.concat([until(a), pcm.subarray(bytes(b), bytes(c)), pcm.subarray(bytes(a), bytes(b)), from(c)]),
    );
    expect(report.events.length).toBeGreaterThan(0);
    expect(report.net).toBe(0);
    expect(report.lost).toBeGreaterThan(CHUNK);
  });

  it('finds a second that is missing', async () => {
    const report = await check(Buffer.concat([until(AT), from(AT + NOISE_RATE)]));
    expect(shape(report)).toEqual(['lost 48000']);
  });

  it('finds the place again after seconds of silence', async () => {
    const report = await check(Buffer.concat([until(AT), silence(2 * NOISE_RATE), from(AT + 777)]));
    expect(shape(report)).toEqual([`inserted ${777 - 2 * NOISE_RATE}`]);
    expect(Math.abs(report.lost - 777)).toBeLessThan(200);
  });

  it.each([100, -300])('finds a clock that is %d ppm off, as that and not as losses', async (ppm) => {
    const report = await check(resampled(pcm, ppm));
    expect(report.events).toEqual([]);
    expect(Math.abs(report.driftPpm - ppm)).toBeLessThan(10);
  });

  it('finds the other channel’s noise, and another creator’s, to be nothing of this', async () => {
    const frames = await throughAac(pcm);
    const right = await heard(frames, 1);
    expect(checkContinuity(right, reference)).toMatchObject({ first: 0, end: 0, meanLikeness: 0 });
    expect(checkContinuity(right, noise(SEED + 1, 0, reference.length)).events).toEqual([]);
  });

  it('finds that a byte was lost: nothing of the rest is the reference', async () => {
    const torn = Buffer.concat([until(AT), from(AT).subarray(1), Buffer.alloc(1)]);
    const report = await check(torn);
    expect(report.end).toBeLessThan(AT + FRAME);
  });
});

describe('the continuity checker, on AAC frames that a listener did not get as they were made', () => {
  const K = 100;
  let frames: Buffer[];
  beforeAll(async () => {
    frames = await throughAac(pcm);
  });

  async function checkFrames(changed: Buffer[]): Promise<ContinuityReport> {
    return checkContinuity(await heard(changed), reference);
  }

  it.each([1, 5])('finds %d lost frames', async (count) => {
    const report = await checkFrames([...frames.slice(0, K), ...frames.slice(K + count)]);
    expect(shape(report)).toEqual([`lost ${count * FRAME}`]);
  });

  it.each([1, 5])('finds %d repeated frames', async (count) => {
    const report = await checkFrames([...frames.slice(0, K + count), ...frames.slice(K)]);
    expect(report.net).toBe(-count * FRAME);
  });

  it('finds a restart of the encoder that lost nothing: its 1024 priming samples, and no more', async () => {
    const next = await throughAac(pcm.subarray(bytes((K - 1) * FRAME)));
    const report = await checkFrames([...frames.slice(0, K), ...next]);
    expect(shape(report)).toEqual([`inserted ${-PRIMING}`]);
  });

  it('finds how many samples a restart of the encoder has lost', async () => {
    const next = await throughAac(pcm.subarray(bytes((K - 1) * FRAME + 1_234)));
    const report = await checkFrames([...frames.slice(0, K), ...next]);
    expect(report.net).toBe(1_234 - PRIMING);
    expect(report.events).toHaveLength(1);
  });

  it('takes a listener who joined late, and says from where on', async () => {
    const report = await checkFrames(frames.slice(K));
    expect(report.events).toEqual([]);
    expect(Math.abs(report.first - (K - 1) * FRAME)).toBeLessThan(2 * FRAME);
  });

  it('takes a second of CPU for a minute at most', async () => {
    const samples = await heard(frames);
    checkContinuity(samples, reference);
    const before = process.cpuUsage();
    checkContinuity(samples, reference);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(SECONDS / 60 + 1);
  });
});

/** The same played by a clock that is so much faster: linear interpolation, fine enough for 3.5 kHz. */
function resampled(sent: Buffer, ppm: number): Buffer {
  const samples = new Int16Array(sent.buffer, sent.byteOffset, sent.length / 2);
  const step = 1 + ppm / 1e6;
  const length = Math.floor((samples.length / 2 - 2) / step);
  const out = new Int16Array(length * 2);
  for (let at = 0; at < length; at += 1) {
    const place = at * step;
    const whole = Math.floor(place);
    const part = place - whole;
    for (const channel of [0, 1]) {
      const [a, b] = [samples[2 * whole + channel] as number, samples[2 * whole + 2 + channel] as number];
      out[2 * at + channel] = Math.round(a + (b - a) * part);
    }
  }
  return Buffer.from(out.buffer);
}
