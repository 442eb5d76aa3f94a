import { Fourier, powerOfTwo } from './fourier';

/** Every sixth sample is enough to find a place: the signal's band ends at 3.5 kHz, that of 8 kHz at 4. */
const DECIMATION = 6;
/** The exact place is at most so far from the one found among every sixth sample. */
const REFINE = 6;

/** A place in the reference: what was heard at `n` is the reference at `n + lag`, with this likeness. */
export interface Match {
  readonly lag: number;
  /** Normalised cross-correlation: 1 is the same waveform, 0 has nothing to do with it. */
  readonly likeness: number;
}

/** What was heard beside what was sent, and how alike two stretches of them are. */
export class Likeness {
  readonly heard: Float32Array;
  readonly reference: Float32Array;
  /** Mean square of the reference. */
  readonly power: number;
  readonly #heardEnergy: Float64Array;
  readonly #referenceEnergy: Float64Array;
  #fourier: Fourier | undefined;

  constructor(heard: Float32Array, reference: Float32Array) {
    this.heard = heard;
    this.reference = reference;
    this.#heardEnergy = energies(heard);
    this.#referenceEnergy = energies(reference);
    this.power = (this.#referenceEnergy[reference.length] as number) / Math.max(1, reference.length);
  }

  /** Mean square of what was heard there. */
  heardPower(from: number, samples: number): number {
    return energy(this.#heardEnergy, from, samples) / samples;
  }

  /** How alike `samples` heard from `from` on and the reference are, at this lag; 0 beyond the reference. */
  at(from: number, samples: number, lag: number): number {
    const { heard, reference } = this;
    const begin = from + lag;
    if (begin < 0 || begin + samples > reference.length) return 0;
    let dot = 0;
    for (let at = 0; at < samples; at += 1)
      dot += (heard[from + at] as number) * (reference[begin + at] as number);
    const norm = energy(this.#heardEnergy, from, samples) * energy(this.#referenceEnergy, begin, samples);
    return norm > 0 ? dot / Math.sqrt(norm) : 0;
  }

  /** The best of the lags about this one. */
  near(from: number, samples: number, lag: number, reach: number): Match {
    let best: Match = { lag, likeness: this.at(from, samples, lag) };
    for (let step = -reach; step <= reach; step += 1) {
      if (step === 0) continue;
      const likeness = this.at(from, samples, lag + step);
      if (likeness > best.likeness) best = { lag: lag + step, likeness };
    }
    return best;
  }

  /**
   * The best of all lags that put the stretch between two places of the reference, by one correlation in the
   * frequency domain.
   */
  search(from: number, samples: number, referenceFrom: number, referenceUntil: number): Match {
    const begin = Math.max(0, referenceFrom);
    const end = Math.min(this.reference.length, referenceUntil);
    const wanted = Math.floor(samples / DECIMATION);
    const searched = Math.floor((end - begin) / DECIMATION);
    if (searched < wanted) return { lag: 0, likeness: 0 };

    const size = powerOfTwo(searched + wanted);
    const fourier = this.#fourier?.size === size ? this.#fourier : (this.#fourier = new Fourier(size));
    // Both are real: one goes where the other's imaginary part would be, and one transform does for both.
    const [re, im] = [new Float64Array(size), new Float64Array(size)];
    for (let at = 0; at < searched; at += 1) re[at] = this.reference[begin + at * DECIMATION] as number;
    for (let at = 0; at < wanted; at += 1) im[at] = this.heard[from + at * DECIMATION] as number;
    fourier.forward(re, im);
    correlate(re, im);
    fourier.inverse(re, im);

    let best = -Infinity;
    let bestAt = 0;
    for (let at = 0; at + wanted <= searched; at += 1) {
      const norm = energy(this.#referenceEnergy, begin + at * DECIMATION, samples);
      const score = (re[at] as number) / Math.sqrt(norm + 1);
      if (score > best) [best, bestAt] = [score, at];
    }
    return this.near(from, samples, begin + bestAt * DECIMATION - from, REFINE);
  }

  /**
   * The square of what is left of what was heard when the reference at this lag is taken off; beyond the reference, what
   * another noise of its power would leave: silence is nothing of it there, either.
   */
  difference(at: number, lag: number): number {
    const heard = this.heard[at] as number;
    const sent = this.reference[at + lag];
    return sent === undefined ? heard * heard + this.power : (heard - sent) ** 2;
  }
}

/**
 * The spectrum of the correlation of two real signals, in place.
 * @param re in: the real part of the spectrum of the first signal plus i times the second
 * @param im in: its imaginary part
 */
function correlate(re: Float64Array, im: Float64Array): void {
  const last = re.length - 1;
  for (let at = 0, mirror = 0; at <= mirror || at === 0; at += 1, mirror = last + 1 - at) {
    const [a, b, c, d] = [re[at], im[at], re[mirror], im[mirror]] as [number, number, number, number];
    // Twice the two spectra here; those at the mirror's place are their conjugates.
    const [firstRe, firstIm, secondRe, secondIm] = [a + c, b - d, b + d, c - a];
    const productRe = (firstRe * secondRe + firstIm * secondIm) / 4;
    const productIm = (firstIm * secondRe - firstRe * secondIm) / 4;
    [re[at], im[at]] = [productRe, productIm];
    [re[mirror], im[mirror]] = [productRe, -productIm];
  }
}

/** Sums of squares up to each sample. */
function energies(signal: Float32Array): Float64Array {
  const sums = new Float64Array(signal.length + 1);
  for (let at = 0; at < signal.length; at += 1)
    sums[at + 1] = (sums[at] as number) + (signal[at] as number) ** 2;
  return sums;
}

function energy(sums: Float64Array, from: number, samples: number): number {
  return (sums[from + samples] as number) - (sums[from] as number);
}
