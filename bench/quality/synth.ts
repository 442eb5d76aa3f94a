import { seededRandom } from '../../tests/helpers/music';
import { RATE } from './spectrum';

/** A stereo canvas that sounds are painted on; full scale is 1. */
export class Canvas {
  readonly samples: number;
  readonly #left: Float64Array;
  readonly #right: Float64Array;

  constructor(seconds: number) {
    this.samples = Math.round(seconds * RATE);
    this.#left = new Float64Array(this.samples);
    this.#right = new Float64Array(this.samples);
  }

  /**
   * Adds a sound; what does not fit is cut off.
   * @param pan 0 (left) to 1 (right), with equal power
   */
  add(sound: Float64Array, options: { at?: number; level?: number; pan?: number } = {}): void {
    const { at = 0, level = 1, pan = 0.5 } = options;
    const left = level * Math.cos((pan * Math.PI) / 2);
    const right = level * Math.sin((pan * Math.PI) / 2);
    const end = Math.min(sound.length, this.samples - at);
    for (let index = 0; index < end; index += 1) {
      const value = sound[index] as number;
      this.#left[at + index] = (this.#left[at + index] as number) + value * left;
      this.#right[at + index] = (this.#right[at + index] as number) + value * right;
    }
  }

  /** As interleaved s16le, its peak at `peakDb` below full scale. */
  pcm(peakDb: number): Buffer {
    let peak = 1e-9;
    for (const channel of [this.#left, this.#right])
      for (const value of channel) peak = Math.max(peak, Math.abs(value));
    const gain = (10 ** (peakDb / 20) * 32_767) / peak;
    const out = new Int16Array(this.samples * 2);
    for (let at = 0; at < this.samples; at += 1) {
      out[2 * at] = Math.round((this.#left[at] as number) * gain);
      out[2 * at + 1] = Math.round((this.#right[at] as number) * gain);
    }
    return Buffer.from(out.buffer);
  }
}

/** The value of a sound at each sample, its time in seconds. */
export function sound(seconds: number, value: (time: number) => number): Float64Array {
  return Float64Array.from({ length: Math.round(seconds * RATE) }, (_, at) => value(at / RATE));
}

export interface Partial {
  /** Times the fundamental. */
  readonly multiple: number;
  readonly level: number;
}

/** A struck or plucked note: partials that die away, the higher the sooner, after an attack of a millisecond. */
export function pluck(
  hertz: number,
  options: { seconds: number; decayPerSecond: number; partials: readonly Partial[] },
): Float64Array {
  const { seconds, decayPerSecond, partials } = options;
  const out = sound(seconds, () => 0);
  for (const { multiple, level } of partials) {
    if (multiple * hertz > RATE / 2.2) continue;
    // A phasor that turns and shrinks from sample to sample: a tenth of the time that sines and exponentials take.
    const decay = Math.exp((-decayPerSecond * (0.6 + 0.4 * multiple)) / RATE);
    const step = (2 * Math.PI * hertz * multiple) / RATE;
    const [turnRe, turnIm] = [decay * Math.cos(step), decay * Math.sin(step)];
    for (let at = 0, re = level, im = 0; at < out.length; at += 1) {
      out[at] = (out[at] as number) + im;
      const next = re * turnRe - im * turnIm;
      im = re * turnIm + im * turnRe;
      re = next;
    }
  }
  return shaped(out, (time) => (time < 0.001 ? time / 0.001 : 1));
}

/** `count` harmonics, each `slope` times as loud as 1 / its number. */
export function harmonics(count: number, slope = 1): Partial[] {
  return Array.from({ length: count }, (_, index) => ({
    multiple: index + 1,
    level: (index + 1) ** -slope,
  }));
}

/** White noise, −1 to 1, the same for the same seed. */
export function noise(seconds: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return sound(seconds, () => random() * 2 - 1);
}

/** A band pass around `hertz`, `width` Hz wide (two poles; R. Bristow-Johnson's cookbook, peak gain 1). */
export function bandPass(
  input: Float64Array,
  hertz: number | ((time: number) => number),
  width: number,
): Float64Array {
  const out = new Float64Array(input.length);
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  let [middle, alpha, cosine] = [NaN, 0, 0];
  for (let at = 0; at < input.length; at += 1) {
    const wanted = typeof hertz === 'number' ? hertz : hertz(at / RATE);
    if (wanted !== middle) {
      middle = wanted;
      const omega = (2 * Math.PI * middle) / RATE;
      alpha = (Math.sin(omega) * width) / (2 * middle);
      cosine = 2 * Math.cos(omega);
    }
    const x = input[at] as number;
    const y = (alpha * (x - x2) + cosine * y1 - (1 - alpha) * y2) / (1 + alpha);
    x2 = x1;
    x1 = x;
    y2 = y1;
    y1 = y;
    out[at] = y;
  }
  return out;
}

/** A sound times an envelope. */
export function shaped(input: Float64Array, envelope: (time: number) => number): Float64Array {
  return input.map((value, at) => value * envelope(at / RATE));
}
