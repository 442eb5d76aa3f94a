import { BAND_EDGES_HZ, BANDS, bandSums } from '../../../bench/quality/bark';
import {
  type Masking,
  MaskingModel,
  QUIET,
  quietThresholdDb,
  spreading,
} from '../../../bench/quality/masking';
import { decibels, HOP_SAMPLES, powers, spectra } from '../../../bench/quality/spectrum';
import { noise, sound } from '../../../bench/quality/synth';

function maskingOf(signal: Float64Array): Masking & { energies: Float64Array } {
  const left = Float32Array.from(signal);
  const model = new MaskingModel();
  for (const window of [0, 1, 2]) model.next(spectra({ left, right: left }, window * HOP_SAMPLES).left);
  const { left: spectrum } = spectra({ left, right: left }, 3 * HOP_SAMPLES);
  return { ...model.next(spectrum), energies: bandSums(powers(spectrum)) };
}

const bandAt = (hertz: number): number => BAND_EDGES_HZ.findLastIndex((edge) => edge <= hertz);

describe('the masking model', () => {
  it('lets a band pass on its energy upwards more than downwards, most of all to itself', () => {
    expect(decibels(spreading(0))).toBeCloseTo(0, 1);
    expect(decibels(spreading(9)) - decibels(spreading(8))).toBeCloseTo(-10, 0);
    expect(decibels(spreading(-8)) - decibels(spreading(-9))).toBeCloseTo(25, 0);
  });

  it('knows that the ear is best at 3 to 4 kHz', () => {
    const best = quietThresholdDb(3_400);
    for (const hertz of [50, 500, 10_000, 16_000]) expect(quietThresholdDb(hertz)).toBeGreaterThan(best + 5);
    expect(QUIET).toHaveLength(BANDS);
  });

  it('takes a steady tone for a tone, and noise for noise', () => {
    const tone = maskingOf(sound(0.2, (time) => 0.5 * Math.sin(2 * Math.PI * 1000 * time)));
    expect(tone.tonality[bandAt(1000)]).toBeGreaterThan(0.9);
    const { tonality } = maskingOf(noise(0.2, 3));
    expect(tonality[bandAt(10_000)]).toBeLessThan(0.35);
  });

  it('hides less noise under a tone than under noise of the same energy', () => {
    const belowDb = ({ threshold, energies }: ReturnType<typeof maskingOf>, band: number): number =>
      decibels(energies[band] as number) - decibels(threshold[band] as number);
    const tone = maskingOf(sound(0.2, (time) => 0.5 * Math.sin(2 * Math.PI * 5000 * time)));
    const hiss = maskingOf(noise(0.2, 3));
    expect(belowDb(tone, bandAt(5000))).toBeGreaterThan(belowDb(hiss, bandAt(5000)) + 6);
    expect(belowDb(hiss, bandAt(5000))).toBeGreaterThan(3);
  });

  it('leaves the threshold in quiet where there is nothing', () => {
    const { threshold } = maskingOf(new Float64Array(9_600));
    expect([...threshold]).toEqual([...QUIET]);
  });
});
