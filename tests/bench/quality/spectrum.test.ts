import { bandSums, BAND_EDGES_HZ, BAND_OF_BIN, BANDS } from '../../../bench/quality/bark';
import { BIN_HZ, decibels, powers, spectra } from '../../../bench/quality/spectrum';
import { noise, sound } from '../../../bench/quality/synth';

const stereo = (left: Float64Array, right: Float64Array) => ({
  left: Float32Array.from(left),
  right: Float32Array.from(right),
});
const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
const sine = (hertz: number, level: number): Float64Array =>
  sound(0.1, (time) => level * Math.sin(2 * Math.PI * hertz * time));

describe('spectra of a window', () => {
  it('give a full-scale sine energy 1, a tenth of its amplitude a hundredth', () => {
    const { left, right } = spectra(stereo(sine(1000, 1), sine(3000, 0.1)), 100);
    expect(sum(powers(left))).toBeCloseTo(1, 3);
    expect(sum(powers(right))).toBeCloseTo(0.01, 5);
  });

  it('give white noise twice its variance', () => {
    const { left } = spectra(stereo(noise(0.1, 5), noise(0.1, 6)), 0);
    // Even between −1 and 1: variance 1/3.
    expect(sum(powers(left))).toBeGreaterThan(0.55);
    expect(sum(powers(left))).toBeLessThan(0.8);
  });

  it('find each tone in its own channel and at its own frequency', () => {
    const { left, right } = spectra(stereo(sine(1000, 1), sine(5000, 1)), 0);
    const loudest = (values: Float64Array): number => values.indexOf(Math.max(...values)) * BIN_HZ;
    expect(Math.abs(loudest(powers(left)) - 1000)).toBeLessThanOrEqual(BIN_HZ);
    expect(Math.abs(loudest(powers(right)) - 5000)).toBeLessThanOrEqual(BIN_HZ);
    expect(decibels(powers(left)[Math.round(5000 / BIN_HZ)] as number)).toBeLessThan(-80);
  });
});

describe('the critical bands', () => {
  it('rise, and cover everything up to half the rate', () => {
    expect([...BAND_EDGES_HZ].sort((a, b) => a - b)).toEqual(BAND_EDGES_HZ);
    expect(BAND_EDGES_HZ[0]).toBe(0);
    expect(BAND_EDGES_HZ.at(-1)).toBe(24_000);
    expect([...BAND_OF_BIN].sort((a, b) => a - b)).toEqual([...BAND_OF_BIN]);
    expect(new Set(BAND_OF_BIN).size).toBe(BANDS);
  });

  it('hold a tone where it lies', () => {
    const { left } = spectra(stereo(sine(1000, 1), sine(1000, 1)), 0);
    const bands = bandSums(powers(left));
    const band = bands.indexOf(Math.max(...bands));
    expect(BAND_EDGES_HZ[band]).toBeLessThanOrEqual(1000);
    expect(BAND_EDGES_HZ[band + 1]).toBeGreaterThan(1000);
    expect(sum(bands)).toBeCloseTo(1, 3);
  });
});
