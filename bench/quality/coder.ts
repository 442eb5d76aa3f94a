import { splitAdts } from '../../tests/helpers/adts';
import { QUIET } from '../../tests/helpers/ffmpeg';
import { outputOf, runProgram } from '../../tests/helpers/run-program';
import { RATE, type Stereo } from './spectrum';

/** One way to encode. */
export interface Coding {
  /** The program. */
  readonly ffmpeg: string;
  /** `-aac_coder` */
  readonly coder: 'twoloop' | 'fast' | 'anmr';
  readonly kilobits: number;
  /** What else the encoder is told. */
  readonly flags?: readonly string[];
}

const RAW = ['-f', 's16le', '-ar', String(RATE), '-ac', '2', '-i', 'pipe:0'];

function encoderFlags({ coder, kilobits, flags = [] }: Omit<Coding, 'ffmpeg'>): string[] {
  return ['-c:a', 'aac', '-b:a', `${kilobits}k`, '-aac_coder', coder, '-profile:a', 'aac_low', ...flags];
}

/**
 * Encodes as the relay's FFmpeg does.
 * @param pcm s16le stereo at 48 kHz
 * @returns an ADTS stream
 */
export async function encode(pcm: Buffer, coding: Coding): Promise<Buffer> {
  // The oldest FFmpegs call `anmr` experimental.
  const flags = [...encoderFlags(coding), '-strict', '-2'];
  return outputOf(coding.ffmpeg, [...QUIET, ...RAW, ...flags, '-f', 'adts', 'pipe:1'], { input: pcm });
}

const FRAMES_A_SECOND = Math.round(RATE / 1024);

/** What the frames of an ADTS stream hold, headers not counted, in kbit/s: altogether, and in the fullest second. */
export function kilobitsOf(adts: Buffer): { mean: number; most: number } {
  const bytes = splitAdts(adts).map(({ length }) => length);
  const kilobits = (from: number, to: number): number =>
    (bytes.slice(from, to).reduce((sum, length) => sum + length, 0) * 8 * RATE) / (to - from) / 1024 / 1000;
  const seconds = Math.max(1, bytes.length - FRAMES_A_SECOND + 1);
  const each = Array.from({ length: seconds }, (_, from) =>
    kilobits(from, Math.min(bytes.length, from + FRAMES_A_SECOND)),
  );
  return { mean: kilobits(0, bytes.length), most: Math.max(...each) };
}

/** Decodes with FFmpeg, without rounding to 16 bits; what the coder put in front is still there. */
export async function decodeAdts(ffmpeg: string, adts: Buffer): Promise<Stereo> {
  const output = ['-f', 'f32le', '-ar', String(RATE), '-ac', '2', 'pipe:1'];
  const bytes = await outputOf(ffmpeg, [...QUIET, '-f', 'aac', '-i', 'pipe:0', ...output], { input: adts });
  const values = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~7)),
  );
  return apart(values, 1);
}

/** Left and right of interleaved s16le. */
export function stereoOf(pcm: Buffer): Stereo {
  return apart(new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length / 2), 32_768);
}

function apart(interleaved: Float32Array | Int16Array, fullScale: number): Stereo {
  const count = interleaved.length >> 1;
  const channel = (offset: number): Float32Array =>
    Float32Array.from({ length: count }, (_, at) => (interleaved[2 * at + offset] as number) / fullScale);
  return { left: channel(0), right: channel(1) };
}

/** What a coder may put in front of its first sample, at most. */
const MOST_DELAY = 2600;
const CORRELATED = 4096;

/**
 * How many samples later a decoded signal is than its original: where the two correlate best.
 * @throws {Error} where they hardly do: such a signal cannot be compared
 */
export function delayOf(original: Stereo, decoded: Stereo): number {
  const from = Math.floor(original.left.length / 2);
  let best = { delay: 0, correlation: -1 };
  for (let delay = 0; delay <= MOST_DELAY; delay += 1) {
    const correlation = correlate(original.left, decoded.left, from, delay);
    if (correlation > best.correlation) best = { delay, correlation };
  }
  if (best.correlation < 0.9)
    throw new Error(`what was decoded is not what was encoded: correlation ${best.correlation.toFixed(2)}`);
  return best.delay;
}

function correlate(a: Float32Array, b: Float32Array, from: number, delay: number): number {
  let [product, ofA, ofB] = [0, 0, 0];
  for (let at = from; at < from + CORRELATED; at += 1) {
    const [x, y] = [a[at] ?? 0, b[at + delay] ?? 0];
    product += x * y;
    ofA += x * x;
    ofB += y * y;
  }
  return ofA * ofB > 0 ? product / Math.sqrt(ofA * ofB) : 0;
}

/** The decoded signal without its delay, as long as the original. */
export function aligned({ left, right }: Stereo, delay: number, length: number): Stereo {
  const cut = (channel: Float32Array): Float32Array => {
    const whole = new Float32Array(length);
    whole.set(channel.subarray(delay, delay + length));
    return whole;
  };
  return { left: cut(left), right: cut(right) };
}

/**
 * CPU seconds that FFmpeg takes, by its own account (`-benchmark`: getrusage, user and system), to read this PCM and
 * encode it; without a coding, to read it only.
 * @throws {Error} where it does not say
 */
export async function encodingCpuSeconds(
  ffmpeg: string,
  pcm: Buffer,
  coding?: Omit<Coding, 'ffmpeg'>,
): Promise<number> {
  const flags = coding ? encoderFlags(coding) : ['-c:a', 'pcm_s16le'];
  const args = ['-hide_banner', '-nostdin', '-benchmark', ...RAW, ...flags, '-f', 'null', '-'];
  const { exitCode, stderr } = await runProgram(ffmpeg, args, { input: pcm });
  const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? [];
  if (exitCode !== 0 || user === undefined) throw new Error(`FFmpeg does not say what it used:\n${stderr}`);
  return Number(user) + Number(system);
}
