import { BANDS, bandSums } from './bark';
import { type Masking, MaskingModel, QUIET } from './masking';
import { similarity } from './similarity';
import {
  BIN_HZ,
  BINS,
  combined,
  decibels,
  difference,
  HOP_SAMPLES,
  powers,
  spectra,
  type Spectrum,
  type Stereo,
  WINDOW_SAMPLES,
} from './spectrum';

/** How a coded signal differs from the original; each figure is a mean over windows of 43 ms and both channels. */
export interface Difference {
  /**
   * Signal-to-noise ratio of each critical band in dB: the mean over the windows in which the band can be heard, each
   * within −10 to 60 dB (segmental SNR). `NaN` where it never can.
   */
  readonly snrByBand: readonly number[];
  /** The mean of them. */
  readonly snrDb: number;
  /**
   * Noise-to-mask ratio in dB: noise over masking threshold, averaged over the bands of a window as energies, and over
   * windows in dB, as ITU-R BS.1387 does in its segmental NMR. Below 0 the noise lies under the threshold. From −60 on.
   * It holds everything against the coder that differs in waveform, noise substitution and intensity stereo included.
   */
  readonly nmrDb: number;
  /** Share (0 to 1) of windows with a band whose noise is more than 1.5 dB above its threshold (BS.1387). */
  readonly disturbed: number;
  /**
   * Log-spectral distance in dB: root mean square over the critical bands of how far levels differ, where what lies
   * below the original's masking threshold counts as at it. It forgives another waveform of the same loudness.
   */
  readonly spectralDistanceDb: number;
  /** How alike the spectrograms of what can be heard are: NSIM (`similarity`), 1 being the same. */
  readonly similarity: number;
  /** How far the ratio of side to middle differs, in dB, over the bands in which both can be heard. */
  readonly stereoErrorDb: number;
}

const SNR_LIMITS_DB = [-10, 60] as const;
const LEAST_NMR_DB = -60;
const DISTURBED_DB = 1.5;
const STEREO_LIMIT_DB = 20;
/** Coders are given half a second to find their bit rate. */
const SKIPPED_WINDOWS = 24;

/** A signal that others are compared with: taken apart once. */
export class Original {
  readonly stereo: Stereo;
  /** What it masks, window by window. */
  readonly windows: readonly { readonly spectra: Pair; readonly left: Masking; readonly right: Masking }[];

  constructor(stereo: Stereo) {
    this.stereo = stereo;
    const models = { left: new MaskingModel(), right: new MaskingModel() };
    const count = Math.floor((stereo.left.length - WINDOW_SAMPLES) / HOP_SAMPLES) + 1;
    this.windows = Array.from({ length: Math.max(0, count) }, (_, window) => {
      const both = spectra(stereo, window * HOP_SAMPLES);
      return { spectra: both, left: models.left.next(both.left), right: models.right.next(both.right) };
    });
  }
}

/**
 * Compares a decoded signal with its original.
 * @param coded as long as the original and aligned with it, to the sample
 */
export function compare(original: Original, coded: Stereo): Difference {
  const tally = new Tally();
  for (const [window, masking] of original.windows.entries()) {
    if (window < SKIPPED_WINDOWS) continue;
    const was = masking.spectra;
    const is = spectra(coded, window * HOP_SAMPLES);
    for (const side of ['left', 'right'] as const) tally.channel(side, was[side], is[side], masking[side]);
    tally.stereo(was, is);
  }
  return tally.result;
}

class Tally {
  readonly #snr = Array.from({ length: BANDS }, () => new Mean());
  readonly #nmr = new Mean();
  readonly #disturbed = new Mean();
  readonly #distance = new Mean();
  readonly #stereo = new Mean();
  readonly #pictures = { left: new Picture(), right: new Picture() };

  channel(side: 'left' | 'right', was: Spectrum, is: Spectrum, { threshold }: Masking): void {
    const signal = bandSums(powers(was));
    const coded = bandSums(powers(is));
    this.#pictures[side].add(signal, coded);
    const noise = bandSums(powers(difference(was, is)));
    const heard = signal.map((energy, band) => Number(energy > (QUIET[band] as number)));
    if (!heard.includes(1)) return;

    const toMask = noise.map((energy, band) => energy / (threshold[band] as number));
    this.#nmr.add(Math.max(LEAST_NMR_DB, decibels(mean(toMask))));
    this.#disturbed.add(Number(decibels(Math.max(...toMask)) > DISTURBED_DB));
    let squares = 0;
    for (let band = 0; band < BANDS; band += 1) {
      const least = threshold[band] as number;
      const levels = [signal[band] as number, coded[band] as number].map((energy) => Math.max(energy, least));
      squares += decibels((levels[0] as number) / (levels[1] as number)) ** 2;
      if (!heard[band]) continue;
      const snr = decibels((signal[band] as number) / Math.max(noise[band] as number, 1e-20));
      this.#snr[band]?.add(Math.min(SNR_LIMITS_DB[1], Math.max(SNR_LIMITS_DB[0], snr)));
    }
    this.#distance.add(Math.sqrt(squares / BANDS));
  }

  stereo(was: Pair, is: Pair): void {
    const [before, after] = [middleAndSide(was), middleAndSide(is)];
    for (let band = 0; band < BANDS; band += 1) {
      const quiet = QUIET[band] as number;
      const [middle, side] = [before.middle[band] as number, before.side[band] as number];
      if (middle <= quiet || side <= quiet) continue;
      const ratio = decibels((after.side[band] as number) / Math.max(after.middle[band] as number, 1e-20));
      this.#stereo.add(Math.min(STEREO_LIMIT_DB, Math.abs(ratio - decibels(side / middle))));
    }
  }

  get result(): Difference {
    const snrByBand = this.#snr.map(({ value }) => value);
    return {
      snrByBand,
      snrDb: mean(snrByBand.filter((value) => !Number.isNaN(value))),
      nmrDb: this.#nmr.value,
      disturbed: this.#disturbed.value,
      spectralDistanceDb: this.#distance.value,
      similarity: (this.#pictures.left.similarity + this.#pictures.right.similarity) / 2,
      stereoErrorDb: this.#stereo.value,
    };
  }
}

/** The spectrograms of one channel: levels of what is above the threshold in quiet. */
class Picture {
  readonly #original: Float64Array[] = [];
  readonly #coded: Float64Array[] = [];

  add(original: Float64Array, coded: Float64Array): void {
    const levels = (energies: Float64Array): Float64Array =>
      energies.map(
        (energy, band) => decibels(Math.max(energy, QUIET[band] as number)) - decibels(QUIET[band] as number),
      );
    this.#original.push(levels(original));
    this.#coded.push(levels(coded));
  }

  get similarity(): number {
    return similarity(this.#original, this.#coded);
  }
}

type Pair = ReturnType<typeof spectra>;

function middleAndSide({ left, right }: Pair): { middle: Float64Array; side: Float64Array } {
  return {
    middle: bandSums(powers(combined(left, right, 0.5, 0.5))),
    side: bandSums(powers(combined(left, right, 0.5, -0.5))),
  };
}

/** A mean that grows; `NaN` of nothing. */
class Mean {
  #sum = 0;
  #count = 0;

  add(value: number): void {
    this.#sum += value;
    this.#count += 1;
  }

  get value(): number {
    return this.#count === 0 ? NaN : this.#sum / this.#count;
  }
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

const SLOT_HZ = 250;
const SLOT_LOST_DB = 10;

/**
 * How far up a coder lets sound pass: the upper edge, in Hz, of the last 250 Hz that keep, over the whole signal, more
 * than a tenth of the original's energy. For signals that have energy everywhere, such as noise.
 */
export function bandwidthHz(original: Stereo, coded: Stereo): number {
  const [was, is] = [longTermPowers(original), longTermPowers(coded)];
  const bins = Math.round(SLOT_HZ / BIN_HZ);
  let upper = 0;
  for (let from = 0; from + bins <= BINS; from += bins) {
    const lossDb = decibels(total(was, from, bins)) - decibels(total(is, from, bins));
    if (lossDb < SLOT_LOST_DB) upper = (from + bins) * BIN_HZ;
  }
  return upper;
}

function longTermPowers(signal: Stereo): Float64Array {
  const sums = new Float64Array(BINS);
  for (let from = 0; from + WINDOW_SAMPLES <= signal.left.length; from += HOP_SAMPLES) {
    const { left, right } = spectra(signal, from);
    const [ofLeft, ofRight] = [powers(left), powers(right)];
    for (let bin = 0; bin < BINS; bin += 1)
      sums[bin] = (sums[bin] as number) + (ofLeft[bin] as number) + (ofRight[bin] as number);
  }
  return sums;
}

function total(powersOfBins: Float64Array, from: number, count: number): number {
  return powersOfBins.subarray(from, from + count).reduce((sum, value) => sum + value, 0);
}

const BEFORE_SAMPLES = Math.round(0.02 * 48_000);
/** Right before an attack the ear is deaf already (backward masking, some milliseconds). */
const MASKED_SAMPLES = Math.round(0.003 * 48_000);
const ATTACK_SAMPLES = Math.round(0.01 * 48_000);

/**
 * Pre-echo: the energy of the coder's noise between 20 and 3 ms before attacks, against that of the attacks' first
 * 10 ms, in dB: a mean over the attacks.
 * @param attacks their first samples
 */
export function preEchoDb(original: Stereo, coded: Stereo, attacks: readonly number[]): number {
  const each = attacks
    .filter((at) => at >= BEFORE_SAMPLES + SKIPPED_WINDOWS * HOP_SAMPLES)
    .map((at) => {
      const noise = energy(original, at - BEFORE_SAMPLES, at - MASKED_SAMPLES, coded);
      const attack = energy(original, at, at + ATTACK_SAMPLES);
      return decibels(noise / attack);
    });
  return mean(each);
}

/** Mean energy of a sample, of both channels: of the signal, or of its difference to another. */
function energy(signal: Stereo, from: number, to: number, other?: Stereo): number {
  let sum = 0;
  for (const side of ['left', 'right'] as const)
    for (let at = from; at < to; at += 1) sum += ((signal[side][at] ?? 0) - (other?.[side][at] ?? 0)) ** 2;
  return sum / (2 * (to - from));
}
