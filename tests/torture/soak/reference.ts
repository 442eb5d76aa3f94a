import { noise, NOISE_RATE } from '../continuity/noise';

/**
 * Lengths of the tables in samples, of about 13 to 20 s: all prime, so that two of them together repeat only after days.
 */
const TABLE_SAMPLES = [624_007, 696_019, 768_013, 816_019, 888_001, 960_017];
/** How far the right channel lags behind the left. */
const RIGHT_LAGS_BY = 5 * NOISE_RATE + 7;

/** In Jest, what is global takes longer to find than to do. */
const { round, SQRT1_2 } = Math;

const tables = new Map<number, Float32Array>();

/**
 * What a creator of the soak sends, and its listener is held against: two tables of noise added up, each from a place of
 * its own. It takes two additions a sample instead of a filter of 257 taps (which costs 2 % of a core for each creator
 * and again for each check). One table alone is as far from the sum as half of it (a likeness of 0.7), so each stretch
 * still says where it belongs: at a shift by one table's length the likeness is 0.5, and so it is where two vibes have
 * one of two tables in common.
 */
export class Reference {
  readonly #tables: readonly [Float32Array, Float32Array];
  readonly #offsets: readonly [number, number];

  constructor(seed: number) {
    const first = seed % TABLE_SAMPLES.length;
    const second =
      (first + 1 + (Math.floor(seed / TABLE_SAMPLES.length) % (TABLE_SAMPLES.length - 1))) %
      TABLE_SAMPLES.length;
    this.#tables = [tableOf(first), tableOf(second)];
    this.#offsets = [seed * 7_919 + 1, seed * 104_729 + 1];
  }

  /** Samples of the left channel from there on, in the range of s16; from before the first one, too. */
  left(from: number, samples: number): Float32Array {
    const [a, b] = this.#tables;
    const out = new Float32Array(samples);
    let [atA, atB] = [place(from + this.#offsets[0], a.length), place(from + this.#offsets[1], b.length)];
    for (let at = 0; at < samples; at += 1) {
      out[at] = round(((a[atA] as number) + (b[atB] as number)) * SQRT1_2);
      if (++atA === a.length) atA = 0;
      if (++atB === b.length) atB = 0;
    }
    return out;
  }

  /** Both channels as interleaved s16le. The right one says the same, later. */
  stereo(from: number, samples: number): Buffer {
    const [left, right] = [this.left(from, samples), this.left(from - RIGHT_LAGS_BY, samples)];
    const pcm = new Int16Array(samples * 2);
    for (let at = 0; at < samples; at += 1) {
      pcm[2 * at] = left[at] as number;
      pcm[2 * at + 1] = right[at] as number;
    }
    return Buffer.from(pcm.buffer);
  }
}

/** Makes all tables, which takes seconds: before anybody waits for it. */
export function prepareReferences(): void {
  TABLE_SAMPLES.forEach((_, index) => tableOf(index));
}

function tableOf(index: number): Float32Array {
  let table = tables.get(index);
  // Its end and its beginning do not fit together: a click of a sample in 13 s, which is the same wherever it is heard.
  if (!table) tables.set(index, (table = noise(1_000_003 * (index + 1), 0, TABLE_SAMPLES[index] as number)));
  return table;
}

function place(at: number, length: number): number {
  return ((at % length) + length) % length;
}
