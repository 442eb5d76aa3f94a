import { Fourier } from './fourier';
import { channelOf, noise, NOISE_RATE, stereoNoise } from './noise';

describe('the reference noise', () => {
  const second = noise(7, 0, NOISE_RATE);

  it('is the same for the same seed, wherever one begins to make it', () => {
    expect(noise(7, 1_000, 500)).toEqual(second.subarray(1_000, 1_500));
  });

  it('has nothing in common with that of another seed, and never repeats', () => {
    const other = noise(8, 0, NOISE_RATE);
    expect(Math.abs(likeness(second, other))).toBeLessThan(0.05);
    expect(Math.abs(likeness(second.subarray(0, 24_000), second.subarray(24_000)))).toBeLessThan(0.05);
  });

  it('is −18 dBFS loud, does not clip, and lies between 300 and 3500 Hz', () => {
    const power = second.reduce((sum, value) => sum + value * value, 0) / second.length;
    expect(20 * Math.log10(Math.sqrt(power) / 32_768)).toBeCloseTo(-18, 0);
    expect(Math.max(...second.map(Math.abs))).toBeLessThan(32_767);

    const size = 32_768;
    const [re, im] = [Float64Array.from(second.subarray(0, size)), new Float64Array(size)];
    new Fourier(size).forward(re, im);
    let [within, without] = [0, 0];
    for (let at = 0; at < size / 2; at += 1) {
      const hz = (at * NOISE_RATE) / size;
      const power2 = (re[at] as number) ** 2 + (im[at] as number) ** 2;
      if (hz > 100 && hz < 3_700) within += power2;
      else without += power2;
    }
    expect(without / within).toBeLessThan(1e-3);
  });

  it('comes as the PCM that creators send, with another noise in each channel', () => {
    const pcm = stereoNoise(7, 0.5);
    const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length / 2);
    expect(samples).toHaveLength(NOISE_RATE);
    expect(channelOf(samples, 0)).toEqual(second.subarray(0, 24_000));
    expect(channelOf(samples, 1)).toEqual(noise(8, 0, 24_000));
  });
});

describe('the Fourier transform', () => {
  it('finds a wave, and undoes itself', () => {
    const fourier = new Fourier(64);
    const wave = Float64Array.from({ length: 64 }, (_, at) => Math.cos((2 * Math.PI * 5 * at) / 64));
    const [re, im] = [Float64Array.from(wave), new Float64Array(64)];
    fourier.forward(re, im);
    expect(re[5]).toBeCloseTo(32);
    expect(re[59]).toBeCloseTo(32);
    expect(re[6]).toBeCloseTo(0);
    fourier.inverse(re, im);
    wave.forEach((value, at) => expect(re[at]).toBeCloseTo(value));
  });

  it('takes powers of two only', () => {
    expect(() => new Fourier(48)).toThrow('48 is not a power of two');
  });
});

function likeness(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let at = 0; at < a.length; at += 1) {
    const [x, y] = [a[at] as number, b[at] as number];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return dot / Math.sqrt(aa * bb);
}
