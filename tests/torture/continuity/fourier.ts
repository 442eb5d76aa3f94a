/**
 * The fast Fourier transform of complex numbers, in place, for one size: radix 2, with its factors made beforehand.
 * A transform of 2¹⁷ values takes some 5 ms.
 */
export class Fourier {
  readonly size: number;
  /** Those of the stage that joins blocks of `half` values begin at `half`: each stage reads its own in a row. */
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;

  /** @throws {RangeError} where `size` is not a power of two */
  constructor(size: number) {
    if (size < 2 || (size & (size - 1)) !== 0) throw new RangeError(`${size} is not a power of two`);
    this.size = size;
    this.#cos = new Float64Array(size);
    this.#sin = new Float64Array(size);
    for (let half = 1; half < size; half *= 2) {
      for (let at = 0; at < half; at += 1) {
        this.#cos[half + at] = Math.cos((Math.PI * at) / half);
        this.#sin[half + at] = Math.sin((Math.PI * at) / half);
      }
    }
  }

  /** From time to frequency. */
  forward(re: Float64Array, im: Float64Array): void {
    this.#transform(re, im, -1);
  }

  /** From frequency to time, scaled so that it undoes `forward`. */
  inverse(re: Float64Array, im: Float64Array): void {
    this.#transform(re, im, 1);
    for (let at = 0; at < this.size; at += 1) {
      re[at] = (re[at] as number) / this.size;
      im[at] = (im[at] as number) / this.size;
    }
  }

  #transform(re: Float64Array, im: Float64Array, sign: 1 | -1): void {
    reverseBits(re, im);
    const [cosines, sines] = [this.#cos, this.#sin];
    for (let half = 1; half < this.size; half *= 2) {
      for (let block = 0; block < this.size; block += 2 * half) {
        for (let at = block, factor = half; at < block + half; at += 1, factor += 1) {
          const cos = cosines[factor] as number;
          const sin = sign * (sines[factor] as number);
          const highRe = re[at + half] as number;
          const highIm = im[at + half] as number;
          const turnedRe = highRe * cos - highIm * sin;
          const turnedIm = highRe * sin + highIm * cos;
          const lowRe = re[at] as number;
          const lowIm = im[at] as number;
          re[at + half] = lowRe - turnedRe;
          im[at + half] = lowIm - turnedIm;
          re[at] = lowRe + turnedRe;
          im[at] = lowIm + turnedIm;
        }
      }
    }
  }
}

/** Each value changes places with the one whose index has the same bits backwards. */
function reverseBits(re: Float64Array, im: Float64Array): void {
  for (let at = 0, back = 0; at < re.length; at += 1) {
    if (at < back) {
      [re[at], re[back]] = [re[back] as number, re[at] as number];
      [im[at], im[back]] = [im[back] as number, im[at] as number];
    }
    let bit = re.length >> 1;
    for (; back & bit; bit >>= 1) back ^= bit;
    back |= bit;
  }
}

/** The smallest power of two that is no less. */
export function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, atLeast)));
}
