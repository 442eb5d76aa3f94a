import { type PcmFormat, sampleBytes, valueAccess, valueBytes } from './pcm';

/** Loudness of a tenth of a second, in dB relative to full scale; -120 stands for silence. */
export interface Level {
  readonly peakDbfs: number;
  readonly rmsDbfs: number;
}

/** How the creator's signal sounds. `filling`: silence of ours goes out instead. */
export type Signal = 'ok' | 'quiet' | 'silent' | 'filling';

export const SILENCE_DBFS = -120;
const WINDOW_MS = 100;
/** Peaks below this for `SILENT_AFTER_MS` are silence: a muted microphone and its noise floor. */
const SILENT_DBFS = -60;
const SILENT_AFTER_MS = 5_000;
/** RMS below this for `QUIET_AFTER_MS` is too quiet to listen to; quiet passages of music pass. */
const QUIET_DBFS = -40;
const QUIET_AFTER_MS = 10_000;

/** Measures what goes out, ten times a second. */
export class LevelMeter {
  readonly #format: PcmFormat;
  readonly #windowValues: number;
  readonly #onLevel: (level: Level) => void;
  readonly #scan: (bytes: Buffer, from: number, to: number) => void;
  #peak = 0;
  #sumOfSquares = 0;
  #values = 0;
  #silentMs = 0;
  #quietMs = 0;

  /** @param onLevel called once for each complete window of 100 ms of audio */
  constructor(format: PcmFormat, onLevel: (level: Level) => void) {
    this.#format = format;
    this.#onLevel = onLevel;
    this.#windowValues = Math.round((format.sampleRate * WINDOW_MS) / 1000) * format.channels;
    this.#scan = format.sampleFormat === 's16le' ? this.#scanS16 : this.#scanAny;
  }

  /** `ok`, `quiet` or `silent`, by what was measured lately. */
  get signal(): Exclude<Signal, 'filling'> {
    if (this.#silentMs >= SILENT_AFTER_MS) return 'silent';
    return this.#quietMs >= QUIET_AFTER_MS ? 'quiet' : 'ok';
  }

  /** @param bytes whole samples, little-endian */
  measure(bytes: Buffer): void {
    const width = valueBytes(this.#format);
    for (let at = 0; at < bytes.length;) {
      const values = Math.min(this.#windowValues - this.#values, (bytes.length - at) / width);
      this.#scan(bytes, at, at + values * width);
      this.#values += values;
      at += values * width;
      if (this.#values === this.#windowValues) this.#complete();
    }
  }

  #scanS16(bytes: Buffer, from: number, to: number): void {
    let peak = (this.#peak * 32_768) ** 2;
    let sum = 0;
    // A typed view is four times as fast as readInt16LE, but it needs an even address.
    if ((bytes.byteOffset + from) % 2 === 0) {
      const values = new Int16Array(bytes.buffer, bytes.byteOffset + from, (to - from) / 2);
      for (let i = 0; i < values.length; i += 1) {
        // Squares tell the peak as well, without a branch for the sign that no processor can foretell: 20 ms of music
        // take 2.4 µs instead of 3.6, and of noise instead of 11.
        const square = Math.imul(values[i] as number, values[i] as number);
        sum += square;
        if (square > peak) peak = square;
      }
    } else {
      for (let at = from; at < to; at += 2) {
        const square = bytes.readInt16LE(at) ** 2;
        sum += square;
        peak = Math.max(peak, square);
      }
    }
    this.#peak = Math.sqrt(peak) / 32_768;
    this.#sumOfSquares += sum / 1_073_741_824;
  }

  #scanAny(bytes: Buffer, from: number, to: number): void {
    const { read } = valueAccess(this.#format);
    const width = sampleBytes(this.#format) / this.#format.channels;
    for (let at = from; at < to; at += width) {
      const value = read(bytes, at);
      // A float creator may send NaN; it must not stay in the sums.
      if (!(Math.abs(value) <= 1e6)) continue;
      this.#sumOfSquares += value * value;
      this.#peak = Math.max(this.#peak, Math.abs(value));
    }
  }

  #complete(): void {
    const peakDbfs = decibels(this.#peak);
    const rmsDbfs = decibels(Math.sqrt(this.#sumOfSquares / this.#values));
    this.#silentMs = peakDbfs < SILENT_DBFS ? this.#silentMs + WINDOW_MS : 0;
    this.#quietMs = rmsDbfs < QUIET_DBFS ? this.#quietMs + WINDOW_MS : 0;
    this.#peak = this.#sumOfSquares = this.#values = 0;
    this.#onLevel({ peakDbfs, rmsDbfs });
  }
}

function decibels(value: number): number {
  if (value <= 0) return SILENCE_DBFS;
  return Math.max(SILENCE_DBFS, Math.round(200 * Math.log10(value)) / 10);
}
