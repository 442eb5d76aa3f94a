import { BAND_EDGES_HZ, BANDS, bandSums } from './bark';
import { BINS, powers, type Spectrum } from './spectrum';

/** How far below a masker noise must lie to vanish: behind a tone, and behind noise (ISO/IEC 13818-7, annex B: TMN, NMT). */
const TONE_MASKS_NOISE_DB = 18;
const NOISE_MASKS_NOISE_DB = 6;

/** How loud a full-scale sine is taken to be played: ISO/IEC 11172-3, annex D. A loud room; the last bit of 16 is at 0 dB. */
const FULL_SCALE_SPL_DB = 96;

/**
 * What a band passes on to a band `distance` Bark above it (below: negative), as a share of its energy. Schroeder, Atal
 * and Hall, "Optimizing digital speech coders by exploiting masking properties of the human ear", J. Acoust. Soc. Am. 66
 * (1979): steep towards low frequencies (25 dB a Bark), gentle towards high ones (10 dB).
 */
export function spreading(distance: number): number {
  const x = distance + 0.474;
  return 10 ** ((15.81 + 7.5 * x - 17.5 * Math.sqrt(1 + x * x)) / 10);
}

/**
 * The threshold in quiet at `hertz`, in dB SPL: Terhardt, "Calculating virtual pitch", Hearing Research 1 (1979).
 * Above the formula's range it grows on: nobody hears 20 kHz.
 */
export function quietThresholdDb(hertz: number): number {
  const kilohertz = Math.max(20, hertz) / 1000;
  return 3.64 * kilohertz ** -0.8 - 6.5 * Math.exp(-0.6 * (kilohertz - 3.3) ** 2) + 1e-3 * kilohertz ** 4;
}

/** The lowest threshold in quiet within each band, as an energy; a full-scale sine has energy 1. */
export const QUIET: readonly number[] = Array.from({ length: BANDS }, (_, band) => {
  const [from, to] = [BAND_EDGES_HZ[band] as number, BAND_EDGES_HZ[band + 1] as number];
  const points = Array.from({ length: 17 }, (_, step) => quietThresholdDb(from + ((to - from) * step) / 16));
  return 10 ** ((Math.min(...points) - FULL_SCALE_SPL_DB) / 10);
});

const SPREADING = Array.from({ length: BANDS }, (_, to) =>
  Float64Array.from({ length: BANDS }, (_, from) => spreading(to - from)),
);
/** What spreading adds to a flat spectrum, to be taken off again: bands at the edges have fewer neighbours. */
const SPREADING_GAIN = SPREADING.map((row) => row.reduce((sum, share) => sum + share, 0));

/** What one window of a channel lets nobody hear, and how tonal its bands are. */
export interface Masking {
  /** The energy that noise in a band may have without being heard. */
  readonly threshold: Float64Array;
  /** Of each band, 0 (noise) to 1 (tones). */
  readonly tonality: Float64Array;
}

/**
 * A simple psychoacoustic model of one channel: the second model of ISO/IEC 11172-3 (annex D) and 13818-7 (annex B) in
 * critical bands. Tonality is how well each bin's amplitude and phase follow from the two windows before; energy and
 * unpredictability are spread over the bands; the threshold lies 18 dB (tones) to 6 dB (noise) below, and never below
 * the threshold in quiet. It knows simultaneous masking only: nothing before or after a sound, no ears compared.
 */
export class MaskingModel {
  #last: Polar[] = [];

  /** @param spectrum the next window: each a hop after the one before */
  next(spectrum: Spectrum): Masking {
    const now = polar(spectrum);
    const [before, longBefore] = this.#last;
    this.#last = [now, ...this.#last.slice(0, 1)];
    const energies = powers(spectrum);
    const unpredictable = energies.map((energy, bin) => energy * chaos(now, before, longBefore, bin));
    const spreadEnergy = spread(bandSums(energies));
    const spreadUnpredictable = spread(bandSums(unpredictable));
    const tonality = spreadEnergy.map((energy, band) => {
      const share = energy > 0 ? (spreadUnpredictable[band] as number) / energy : 1;
      return Math.min(1, Math.max(0, -0.299 - 0.43 * Math.log(Math.max(share, 1e-9))));
    });
    const threshold = spreadEnergy.map((energy, band) => {
      const tonal = tonality[band] as number;
      const belowDb = tonal * TONE_MASKS_NOISE_DB + (1 - tonal) * NOISE_MASKS_NOISE_DB;
      const masked = (energy / (SPREADING_GAIN[band] as number)) * 10 ** (-belowDb / 10);
      return Math.max(masked, QUIET[band] as number);
    });
    return { threshold, tonality };
  }
}

interface Polar {
  readonly radius: Float64Array;
  readonly angle: Float64Array;
}

function polar({ re, im }: Spectrum): Polar {
  return {
    radius: re.map((value, bin) => Math.hypot(value, im[bin] as number)),
    angle: re.map((value, bin) => Math.atan2(im[bin] as number, value)),
  };
}

/** 0 where a bin went on as the two windows before promised, up to 1 where it did not. */
function chaos(now: Polar, before: Polar | undefined, longBefore: Polar | undefined, bin: number): number {
  if (!before || !longBefore || bin >= BINS) return 1;
  const radius = now.radius[bin] as number;
  const angle = now.angle[bin] as number;
  const expectedRadius = 2 * (before.radius[bin] as number) - (longBefore.radius[bin] as number);
  const expectedAngle = 2 * (before.angle[bin] as number) - (longBefore.angle[bin] as number);
  const distance = Math.hypot(
    radius * Math.cos(angle) - expectedRadius * Math.cos(expectedAngle),
    radius * Math.sin(angle) - expectedRadius * Math.sin(expectedAngle),
  );
  const sum = radius + Math.abs(expectedRadius);
  return sum > 0 ? Math.min(1, distance / sum) : 1;
}

function spread(bands: Float64Array): Float64Array {
  return bands.map((_, to) =>
    (SPREADING[to] as Float64Array).reduce((sum, share, from) => sum + share * (bands[from] as number), 0),
  );
}
