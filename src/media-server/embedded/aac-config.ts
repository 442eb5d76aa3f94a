import { type AdtsFormat, aacFrame } from '../flv';

/** What an AAC sequence header says, as far as time stamps and ADTS need it. */
export interface AacConfig {
  readonly adts: AdtsFormat;
  /** Of the core stream, in Hz: 48,000 for what the relay's own encoders send. */
  readonly sampleRate: number;
  /** Samples of one frame at that rate: 1024, rarely 960. */
  readonly frameSamples: number;
}

/** MPEG-4's table of sample rates (ISO/IEC 14496-3, 1.6.3.4); index 15 means that the rate itself follows. */
const RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
] as const;
const EXPLICIT_RATE = 15;
/** Object types of HE-AAC: a plain AAC stream follows with its own object type. */
const SBR = 5;
const PARAMETRIC_STEREO = 29;
/** ADTS has two bits for the object type: main, LC, SSR, LTP. */
const MAX_ADTS_OBJECT_TYPE = 4;
const MAX_ADTS_CHANNELS = 7;

/**
 * Reads the AudioSpecificConfig in an AAC sequence header.
 * @param body of the audio tag, its two FLV bytes included
 * @throws {Error} where it is torn, or says something that ADTS and so MPEG-TS cannot carry
 */
export function parseAacConfig(body: Buffer): AacConfig {
  const bits = new BitReader(aacFrame(body));
  let objectType = bits.take(5);
  const rateIndex = bits.take(4);
  if (rateIndex === EXPLICIT_RATE) throw new Error('AAC with a sample rate outside of the table');
  const channels = bits.take(4);
  if (objectType === SBR || objectType === PARAMETRIC_STEREO) {
    if (bits.take(4) === EXPLICIT_RATE) bits.take(24);
    objectType = bits.take(5);
  }
  const frameSamples = bits.take(1) === 1 ? 960 : 1024;
  const sampleRate = RATES[rateIndex];
  if (sampleRate === undefined) throw new Error(`AAC sample rate index ${rateIndex}`);
  if (objectType < 1 || objectType > MAX_ADTS_OBJECT_TYPE) throw new Error(`AAC object type ${objectType}`);
  if (channels < 1 || channels > MAX_ADTS_CHANNELS) throw new Error(`AAC channel configuration ${channels}`);
  return { adts: { objectType, rateIndex, channels }, sampleRate, frameSamples };
}

class BitReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  take(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit += 1) {
      const byte = this.#bytes[this.#at >> 3];
      if (byte === undefined) throw new Error('the AAC sequence header is too short');
      value = value * 2 + ((byte >> (7 - (this.#at & 7))) & 1);
      this.#at += 1;
    }
    return value;
  }
}
