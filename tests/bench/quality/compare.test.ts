import { bandwidthHz, compare, Original, preEchoDb } from '../../../bench/quality/compare';
import { HOP_SAMPLES, type Stereo } from '../../../bench/quality/spectrum';
import { bandPass, noise, sound } from '../../../bench/quality/synth';

const SECONDS = 1;
const hiss = noise(SECONDS, 1);
const grain = noise(SECONDS, 2);
const both = (signal: Float64Array): Stereo => ({
  left: Float32Array.from(signal),
  right: Float32Array.from(signal),
});
const plus = (signal: Float64Array, other: Float64Array, level: number): Float64Array =>
  signal.map((value, at) => value + level * (other[at] as number));
const quieter = hiss.map((value) => value * 0.3);
const original = new Original(both(quieter));

describe('a comparison', () => {
  it('finds nothing between a signal and itself', () => {
    const found = compare(original, original.stereo);
    expect(found).toMatchObject({
      nmrDb: -60,
      disturbed: 0,
      spectralDistanceDb: 0,
      similarity: 1,
      // There is no side to be wrong.
      stereoErrorDb: NaN,
      snrDb: 60,
    });
  });

  it('measures noise of a known level, in each band', () => {
    // Of the same shape and 20 dB below.
    const { snrByBand, snrDb } = compare(original, both(plus(quieter, grain, 0.03)));
    expect(snrDb).toBeGreaterThan(19);
    expect(snrDb).toBeLessThan(21);
    for (const snr of snrByBand) expect(Math.abs(snr - 20)).toBeLessThan(2.5);
  });

  it('finds the noise in its band, and only there', () => {
    const narrow = bandPass(grain, 3_400, 200);
    const { snrByBand } = compare(original, both(plus(quieter, narrow, 0.3)));
    const worst = snrByBand.indexOf(Math.min(...snrByBand));
    // 3150 to 3700 Hz.
    expect(worst).toBe(16);
    expect(snrByBand[3] as number).toBeGreaterThan((snrByBand[worst] as number) + 15);
  });

  it('takes noise of 30 dB below for hidden, and of 3 dB below for heard', () => {
    const hidden = compare(original, both(plus(quieter, grain, 0.3 * 10 ** (-30 / 20))));
    const heard = compare(original, both(plus(quieter, grain, 0.3 * 10 ** (-3 / 20))));
    expect(hidden.nmrDb).toBeLessThan(-10);
    expect(hidden.disturbed).toBe(0);
    expect(heard.nmrDb).toBeGreaterThan(0);
    expect(heard.disturbed).toBe(1);
  });

  it('forgives other noise of the same loudness in its spectral distance, and not in its SNR', () => {
    const substituted = compare(original, both(grain.map((value) => value * 0.3)));
    const halved = compare(original, both(quieter.map((value) => value * 0.5)));
    expect(substituted.snrDb).toBeLessThan(0);
    expect(halved.snrDb).toBeCloseTo(6, 0);
    expect(halved.spectralDistanceDb).toBeGreaterThan(1.5 * substituted.spectralDistanceDb);
  });

  it('sees what became of the stereo picture', () => {
    const wide = {
      left: Float32Array.from(quieter),
      right: Float32Array.from(grain, (value) => value * 0.3),
    };
    const narrow = wide.left.map((value, at) => (value + (wide.right[at] as number)) / 2);
    const kept = compare(new Original(wide), wide);
    expect(kept.stereoErrorDb).toBe(0);
    expect(compare(new Original(wide), { left: narrow, right: narrow }).stereoErrorDb).toBeGreaterThan(15);
  });

  it('hears nothing in digital silence, whatever is made of it below the threshold in quiet', () => {
    const silence = both(new Float64Array(48_000));
    expect(compare(new Original(silence), silence)).toMatchObject({ nmrDb: NaN, snrDb: NaN });
  });
});

describe('the bandwidth that is kept', () => {
  it('is all of it where nothing was cut, and ends where a low pass does', () => {
    expect(bandwidthHz(both(hiss), both(hiss))).toBeGreaterThan(23_000);
    // Four gentle poles around 2 kHz: 10 dB down within an octave.
    const low = bandPass(bandPass(hiss, 1_000, 2_000), 1_000, 2_000);
    const kept = bandwidthHz(both(hiss), both(low));
    expect(kept).toBeGreaterThan(1_500);
    expect(kept).toBeLessThan(6_000);
  });
});

describe('pre-echo', () => {
  const attack = 40 * HOP_SAMPLES;
  const click = sound(SECONDS, (time) => {
    const after = time - attack / 48_000;
    return after < 0 ? 0 : Math.exp(-100 * after) * Math.sin(2 * Math.PI * 2_000 * after);
  });

  it('is the noise before an attack, against the attack', () => {
    const level = Math.sqrt(energyOf(click.subarray(attack, attack + 480)) / energyOf(grain));
    const smeared = click.map((value, at) =>
      at >= attack - 960 && at < attack ? value + (grain[at] as number) * level * 0.01 : value,
    );
    expect(preEchoDb(both(click), both(smeared), [attack])).toBeCloseTo(-40, 0);
  });

  it('does not count what comes with the attack, or right before it', () => {
    const late = click.map((value, at) => (at >= attack - 96 ? value + (grain[at] as number) * 0.1 : value));
    expect(preEchoDb(both(click), both(late), [attack])).toBe(-200);
  });
});

function energyOf(signal: Float64Array): number {
  return signal.reduce((sum, value) => sum + value * value, 0) / signal.length;
}
