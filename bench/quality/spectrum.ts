/** Samples of one analysis window: 43 ms at 48 kHz, the window of a long AAC block and of ISO/IEC 13818-7's psychoacoustic model. */
export const WINDOW_SAMPLES = 2048;
/** From one window to the next: one AAC frame. */
export const HOP_SAMPLES = WINDOW_SAMPLES / 2;
export const BINS = WINDOW_SAMPLES / 2 + 1;
export const RATE = 48_000;
export const BIN_HZ = RATE / WINDOW_SAMPLES;

/** Left and right, full scale being 1. */
export interface Stereo {
  readonly left: Float32Array;
  readonly right: Float32Array;
}

/** One channel's complex spectrum of one window, bins from 0 Hz to half the rate. */
export interface Spectrum {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

const WINDOW = Float64Array.from(
  { length: WINDOW_SAMPLES },
  (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / WINDOW_SAMPLES),
);
/** So that the squares of a full-scale sine's bins add up to 1: Parseval's theorem, with the window's energy. */
const SCALE = Math.sqrt(4 / (WINDOW_SAMPLES * WINDOW.reduce((sum, value) => sum + value * value, 0)));

/**
 * Hann-windowed spectra of both channels from one transform, scaled so that a full-scale sine has energy 1 (0 dB) in
 * the bins around its frequency, and white noise twice its variance in all of them.
 * @param from first sample of the window; what lies outside the signal is silence
 */
export function spectra({ left, right }: Stereo, from: number): { left: Spectrum; right: Spectrum } {
  const re = new Float64Array(WINDOW_SAMPLES);
  const im = new Float64Array(WINDOW_SAMPLES);
  for (let at = 0; at < WINDOW_SAMPLES; at += 1) {
    const weight = (WINDOW[at] as number) * SCALE;
    re[at] = (left[from + at] ?? 0) * weight;
    im[at] = (right[from + at] ?? 0) * weight;
  }
  transform(re, im);
  const spectrum = (): Spectrum => ({ re: new Float64Array(BINS), im: new Float64Array(BINS) });
  const both = { left: spectrum(), right: spectrum() };
  // Left went in as the real part and right as the imaginary one: their spectra are the even and the odd part.
  for (let bin = 0; bin < BINS; bin += 1) {
    const mirror = (WINDOW_SAMPLES - bin) % WINDOW_SAMPLES;
    const [a, b, c, d] = [re[bin], im[bin], re[mirror], im[mirror]] as [number, number, number, number];
    both.left.re[bin] = (a + c) / 2;
    both.left.im[bin] = (b - d) / 2;
    both.right.re[bin] = (b + d) / 2;
    both.right.im[bin] = (c - a) / 2;
  }
  return both;
}

/** Energy of each bin. */
export function powers({ re, im }: Spectrum): Float64Array {
  return re.map((value, bin) => value * value + (im[bin] as number) ** 2);
}

/** The difference of two spectra: that of the signals' difference, for the transform is linear. */
export function difference(a: Spectrum, b: Spectrum): Spectrum {
  return combined(a, b, 1, -1);
}

/** `a` times `weightA` plus `b` times `weightB`. */
export function combined(a: Spectrum, b: Spectrum, weightA: number, weightB: number): Spectrum {
  const mix = (x: Float64Array, y: Float64Array): Float64Array =>
    x.map((value, bin) => weightA * value + weightB * (y[bin] as number));
  return { re: mix(a.re, b.re), im: mix(a.im, b.im) };
}

/** 10 log10, from −200 dB on. */
export function decibels(ratio: number): number {
  return 10 * Math.log10(Math.max(ratio, 1e-20));
}

const ROOTS = Array.from({ length: WINDOW_SAMPLES / 2 }, (_, at) => {
  const angle = (-2 * Math.PI * at) / WINDOW_SAMPLES;
  return [Math.cos(angle), Math.sin(angle)] as const;
});

/** The discrete Fourier transform, in place: Cooley and Tukey's, radix 2. */
function transform(re: Float64Array, im: Float64Array): void {
  const count = re.length;
  for (let at = 1, reversed = 0; at < count; at += 1) {
    let bit = count >> 1;
    for (; reversed & bit; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (at >= reversed) continue;
    [re[at], re[reversed]] = [re[reversed] as number, re[at] as number];
    [im[at], im[reversed]] = [im[reversed] as number, im[at] as number];
  }
  for (let size = 2; size <= count; size *= 2) {
    const half = size / 2;
    const step = count / size;
    for (let start = 0; start < count; start += size) {
      for (let at = 0; at < half; at += 1) {
        const [cos, sin] = ROOTS[at * step] as readonly [number, number];
        const low = start + at;
        const high = low + half;
        const real = (re[high] as number) * cos - (im[high] as number) * sin;
        const imaginary = (re[high] as number) * sin + (im[high] as number) * cos;
        re[high] = (re[low] as number) - real;
        im[high] = (im[low] as number) - imaginary;
        re[low] = (re[low] as number) + real;
        im[low] = (im[low] as number) + imaginary;
      }
    }
  }
}
