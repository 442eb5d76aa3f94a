/** Samples a second of the reference signal, and of what listeners decode. */
export const NOISE_RATE = 48_000;

/**
 * The band. Below 4 kHz FFmpeg's AAC encoder keeps the waveform; above, and for white noise anywhere, it sends
 * noise of its own instead (perceptual noise substitution), with which nothing correlates.
 */
const LOW_HZ = 300;
const HIGH_HZ = 3_500;
/** Odd, so that the filter is symmetric about a sample: it moves nothing in time. */
const TAPS = 257;
const HALF = (TAPS - 1) / 2;
/** −18 dBFS: loud enough for any coder, with peaks far from clipping. */
const RMS = 32_768 * 10 ** (-18 / 20);

/** In Jest, what is global takes longer to find than to do. */
const { imul, round } = Math;

const FILTER = bandPass();

/**
 * Noise that never repeats, so that each stretch of it says where it belongs: the same seed gives the same samples,
 * and any stretch can be made on its own. Two seeds have nothing in common.
 * @param from the first sample
 * @returns whole numbers in the range of s16, at 48 kHz
 */
export function noise(seed: number, from: number, samples: number): Float32Array {
  const white = new Float32Array(samples + TAPS - 1);
  const salt = mix(seed);
  for (let at = 0; at < white.length; at += 1) white[at] = mix((from - HALF + at) ^ salt) / 2 ** 31 - 1;
  const out = new Float32Array(samples);
  for (let at = 0; at < samples; at += 1) {
    let sum = (FILTER[HALF] as number) * (white[at + HALF] as number);
    for (let tap = 0; tap < HALF; tap += 1)
      sum += (FILTER[tap] as number) * ((white[at + tap] as number) + (white[at + TAPS - 1 - tap] as number));
    // Without the minus zeros, which s16 does not know.
    out[at] = round(sum) || 0;
  }
  return out;
}

/** Two channels of different noise as interleaved s16le: what a creator sends. The right one has the next seed. */
export function stereoNoise(seed: number, seconds: number): Buffer {
  const samples = Math.round(seconds * NOISE_RATE);
  const [left, right] = [noise(seed, 0, samples), noise(seed + 1, 0, samples)];
  const pcm = new Int16Array(samples * 2);
  for (let at = 0; at < samples; at += 1) {
    pcm[2 * at] = left[at] as number;
    pcm[2 * at + 1] = right[at] as number;
  }
  return Buffer.from(pcm.buffer);
}

/** One channel of interleaved stereo. */
export function channelOf(stereo: Int16Array, channel: 0 | 1): Float32Array {
  const out = new Float32Array(stereo.length >> 1);
  for (let at = 0; at < out.length; at += 1) out[at] = stereo[2 * at + channel] as number;
  return out;
}

/** A 32-bit number that looks random, from any other (the constants are those of C. Wellons' `lowbias32`). */
function mix(value: number): number {
  let hash = value >>> 0;
  hash = imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A windowed sinc (Blackman), scaled so that white noise of ±1 comes out with `RMS`. */
function bandPass(): Float64Array {
  const taps = Float64Array.from({ length: TAPS }, (_, index) => {
    const at = index - HALF;
    const window =
      0.42 -
      0.5 * Math.cos((2 * Math.PI * index) / (TAPS - 1)) +
      0.08 * Math.cos((4 * Math.PI * index) / (TAPS - 1));
    return (lowPassTap(HIGH_HZ, at) - lowPassTap(LOW_HZ, at)) * window;
  });
  const power = taps.reduce((sum, tap) => sum + tap * tap, 0) / 3;
  return taps.map((tap) => (tap * RMS) / Math.sqrt(power));
}

function lowPassTap(hz: number, at: number): number {
  const turn = (2 * hz) / NOISE_RATE;
  return at === 0 ? turn : Math.sin(Math.PI * turn * at) / (Math.PI * at);
}
