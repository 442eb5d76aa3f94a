import { aligned, type Coding, decodeAdts, delayOf, encode, kilobitsOf, stereoOf } from './coder';
import { bandwidthHz, compare, type Difference, Original, preEchoDb } from './compare';
import { NOISE, type Signal } from './signals';
import type { Stereo } from './spectrum';

/** What became of one signal. */
export interface Judgement extends Difference {
  readonly signal: string;
  /** `NaN` where the signal has no attacks that stand in quiet. */
  readonly preEchoDb: number;
  /** Of the noise only: music says little about where a coder cuts off. */
  readonly bandwidthHz: number;
  readonly kilobits: number;
  readonly mostKilobits: number;
}

/** Encodes and decodes test signals, and compares them with what they were. */
export class Judge {
  readonly #decoder: string;
  readonly #signals: readonly (Signal & { readonly original: Original })[];
  readonly #delays = new Set<number>();

  /**
   * @param decoder the FFmpeg that decodes, always the same one
   * @param signals the first of them is what the delay is measured with
   */
  constructor(decoder: string, signals: readonly Signal[]) {
    this.#decoder = decoder;
    this.#signals = signals.map((signal) => ({ ...signal, original: new Original(stereoOf(signal.pcm)) }));
  }

  /** The originals held against themselves: what the measures say where there is no difference. */
  identity(): Judgement[] {
    const rate = { mean: NaN, most: NaN };
    return this.#signals.map((signal) => judgement(signal, signal.original.stereo, rate));
  }

  async judge(coding: Coding): Promise<Judgement[]> {
    const coded = await Promise.all(
      this.#signals.map(async (signal) => {
        const adts = await encode(signal.pcm, coding);
        return { signal, adts, decoded: await decodeAdts(this.#decoder, adts) };
      }),
    );
    const [first] = coded;
    if (!first) return [];
    const delay = delayOf(first.signal.original.stereo, first.decoded);
    this.#delays.add(delay);
    return coded.map(({ signal, adts, decoded }) => {
      const { length } = signal.original.stereo.left;
      return judgement(signal, aligned(decoded, delay, length), kilobitsOf(adts));
    });
  }

  /** By how many samples what was decoded so far was late. */
  get delays(): readonly number[] {
    return [...this.#delays];
  }
}

function judgement(
  { name, attacks, original }: Signal & { readonly original: Original },
  heard: Stereo,
  rate: { mean: number; most: number },
): Judgement {
  return {
    ...compare(original, heard),
    signal: name,
    preEchoDb: attacks.length > 0 ? preEchoDb(original.stereo, heard, attacks) : NaN,
    bandwidthHz: name === NOISE ? bandwidthHz(original.stereo, heard) : NaN,
    kilobits: rate.mean,
    mostKilobits: rate.most,
  };
}
