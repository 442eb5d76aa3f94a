import { BIN_HZ, BINS } from './spectrum';

/**
 * The edges of the ear's critical bands in Hz, one Bark each: Zwicker, "Subdivision of the audible frequency range into
 * critical bands", J. Acoust. Soc. Am. 33 (1961). A 25th band goes from there to half of 48 kHz.
 */
export const BAND_EDGES_HZ: readonly number[] = [
  0, 100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300,
  6400, 7700, 9500, 12_000, 15_500, 24_000,
];
export const BANDS = BAND_EDGES_HZ.length - 1;

/** The middle of each band in Hz, for plots. */
export const BAND_MIDDLES_HZ: readonly number[] = BAND_EDGES_HZ.slice(1).map(
  (edge, band) => (edge + (BAND_EDGES_HZ[band] as number)) / 2,
);

/** The band of each bin of a spectrum. */
export const BAND_OF_BIN = Uint8Array.from({ length: BINS }, (_, bin) =>
  Math.min(
    BANDS - 1,
    BAND_EDGES_HZ.findLastIndex((edge) => edge <= bin * BIN_HZ),
  ),
);

/** Adds up what the bins of each band hold. */
export function bandSums(ofBins: Float64Array): Float64Array {
  const sums = new Float64Array(BANDS);
  for (let bin = 0; bin < BINS; bin += 1) {
    const band = BAND_OF_BIN[bin] as number;
    sums[band] = (sums[band] as number) + (ofBins[bin] as number);
  }
  return sums;
}
